"""Between a subscription's row and what it asks for, both ways."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError

from catalog.models import Application, Topic
from delivery import endpoints, orders, stand_ins
from delivery.models import Endpoint, Subscription
from delivery.orders import Order, Wishes
from delivery.states import DeliveryMode


def check(
    order: Order,
    *,
    application: Application,
    topic: Topic,
    environment: str,
    itself: UUID | None = None,
) -> None:
    """Raise a ValidationError with every fault of the order, by field; return if there is none.

    `itself` is the subscription that stands already.
    """
    faults: dict[str, list[str]] = {}
    for name, message in (
        *orders.faults(order, application=application, topic=topic, environment=environment),
        *stand_ins.faults(
            order, application=application, topic=topic, environment=environment, itself=itself
        ),
    ):
        faults.setdefault(name, []).append(message)
    if faults:
        raise ValidationError(faults)


def order_of(subscription: Subscription) -> Order:
    """Return what the subscription asks for now."""
    endpoint, fallback = subscription.endpoint, subscription.fallback_endpoint
    waits = subscription.retry_waits_seconds
    return Order(
        name=subscription.name,
        event_types=tuple(subscription.event_types),
        filter=subscription.filter,
        reads=tuple(subscription.reads),
        version_pin=subscription.version_pin,
        mode=subscription.mode,
        body=subscription.body,
        mapping=subscription.mapping,
        endpoint_url=endpoint.url if endpoint else "",
        endpoint_region=endpoint.region_id if endpoint else "",
        fallback_url=fallback.url if fallback else "",
        fallback_subscription=subscription.fallback_subscription_id,
        batching=subscription.batching,
        batch_max_events=subscription.batch_max_events,
        batch_max_bytes=subscription.batch_max_bytes,
        batch_max_wait_seconds=subscription.batch_max_wait_seconds,
        is_ordered=subscription.is_ordered,
        poison=subscription.poison,
        is_idempotent=subscription.is_idempotent,
        concurrency=subscription.concurrency,
        rate_per_second=subscription.rate_per_second,
        timeout_seconds=subscription.timeout_seconds,
        retry_waits_seconds=None if waits is None else tuple(waits),
        max_age_seconds=subscription.max_age_seconds,
    )


def write(order: Order, subscription: Subscription) -> None:
    """Store the subscription with what the order asks for."""
    subscription.name = (
        order.name or f"{subscription.application.name} · {subscription.topic.title}"
    )
    subscription.event_types = list(order.event_types)
    subscription.filter = order.filter or {}
    subscription.reads = list(order.reads)
    subscription.version_pin = order.version_pin
    subscription.mode = order.mode
    subscription.body = order.body
    subscription.mapping = order.mapping
    subscription.fallback_subscription_id = order.fallback_subscription
    subscription.batching = order.batching
    subscription.batch_max_events = order.batch_max_events
    subscription.batch_max_bytes = order.batch_max_bytes
    subscription.batch_max_wait_seconds = order.batch_max_wait_seconds
    subscription.is_ordered = order.is_ordered
    subscription.poison = order.poison
    subscription.is_idempotent = order.is_idempotent
    subscription.concurrency = order.concurrency
    subscription.rate_per_second = order.rate_per_second
    subscription.timeout_seconds = order.timeout_seconds
    waits = order.retry_waits_seconds
    subscription.retry_waits_seconds = None if waits is None else list(waits)
    subscription.max_age_seconds = order.max_age_seconds
    subscription.save()


def endpoint_for(
    application: Application, order: Order, wishes: Wishes, *, now: datetime
) -> tuple[Endpoint | None, str]:
    """Make the endpoint of a new order; return it with its secret in plain, nothing for a feed."""
    if order.mode != DeliveryMode.WEBHOOK:
        return None, ""
    return endpoints.make(
        application,
        url=order.endpoint_url,
        region_id=order.endpoint_region or application.region_id,
        credentials=wishes.get("credentials"),
        custom_ca=wishes.get("custom_ca", ""),
        now=now,
    )


def touches_endpoint(before: Order, order: Order, wishes: Wishes) -> bool:
    """Tell whether the wishes change where events go, or what is shown there."""
    return _places(before) != _places(order) or "credentials" in wishes or "custom_ca" in wishes


def _places(order: Order) -> tuple[object, ...]:
    return (
        order.endpoint_url,
        order.endpoint_region,
        order.fallback_url,
        order.fallback_subscription,
    )


def change_endpoint(
    subscription: Subscription, order: Order, wishes: Wishes, *, now: datetime
) -> None:
    """Put what the order and the wishes say into the endpoint; a feed has none."""
    endpoint = subscription.endpoint
    if endpoint is None:
        return
    endpoint.url = order.endpoint_url
    endpoint.region_id = order.endpoint_region or endpoint.region_id
    if "credentials" in wishes:
        endpoint.sealed_auth = endpoints.sealed(wishes["credentials"])
    endpoint.custom_ca = wishes.get("custom_ca", endpoint.custom_ca)
    endpoint.changed_at = now
    endpoint.save()


def fallback_for(
    application: Application, order: Order, standing: Endpoint | None, *, now: datetime
) -> Endpoint | None:
    """Return the order's second address: the one that stands if it is the same, else a new one."""
    if not order.fallback_url:
        return None
    region_id = order.endpoint_region or application.region_id
    if standing is not None and standing.url == order.fallback_url:
        if standing.region_id != region_id:  # it moves with the endpoint that it stands in for
            standing.region_id, standing.changed_at = region_id, now
            standing.save()
        return standing
    return endpoints.make_second(application, url=order.fallback_url, region_id=region_id, now=now)


def facts(order: Order) -> Mapping[str, object]:
    """Return the order for the ledger: documents by their digest, addresses without their query."""
    told = asdict(order)
    for name in ("endpoint_url", "fallback_url"):
        # Builders put tokens into the query, and the ledger is for ever.
        told[name] = str(told[name]).partition("?")[0]
    for name in ("filter", "mapping"):
        text = json.dumps(told[name], sort_keys=True) if told[name] else ""
        told[name] = hashlib.sha256(text.encode()).hexdigest() if text else ""
    return told
