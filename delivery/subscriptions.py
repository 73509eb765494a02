"""What people, and the engine, do with subscriptions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Unpack

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _

from catalog.ids import instant_of
from catalog.models import Application, Topic, User
from catalog.moves import IllegalMove
from delivery import endpoints, orders, signals
from delivery.models import Circuit, Delivery, Endpoint, QueueRow, Subscription
from delivery.orders import Order, Wishes
from delivery.pings import PingResult, ping
from delivery.states import (
    CircuitState,
    DeliveryMode,
    DeliveryStatus,
    DisableReason,
    SubscriptionState,
)
from governance import access
from governance.actions import Action
from governance.governed import governed, record

if TYPE_CHECKING:
    from collections.abc import Mapping

# A verb of its own module, named here because this is where people look for it.
__all__ = [
    "Backlog",
    "PingResult",
    "backlog",
    "change",
    "create",
    "disable",
    "end",
    "order_of",
    "pause",
    "ping",
    "resume",
    "reveal_secret",
    "rotate_secret",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """What a subscription is owed; `oldest_at` is when its oldest delivery was made."""

    count: int
    oldest_at: datetime | None


def create(
    *,
    application: Application,
    topic: Topic,
    environment: str,
    by: User,
    now: datetime,
    reason: str = "",
    is_hook: bool = False,
    **wishes: Unpack[Wishes],
) -> tuple[Subscription, str]:
    """Make a standing order; return it with its signing secret in plain (empty for a feed).

    Raises PermissionDenied, and ValidationError by field: also where the application may not
    subscribe to the topic in this environment.
    """
    access.require(by, Action.SUBSCRIPTION_CREATE, application)
    _require_grant(application, topic, environment)
    order = Order.of(wishes)
    orders.check(order, application=application, topic=topic, environment=environment)
    with governed(by=by, now=now, reason=reason):
        endpoint, secret = None, ""
        if order.mode == DeliveryMode.WEBHOOK:
            endpoint, secret = endpoints.make(
                application,
                url=order.endpoint_url,
                region_id=order.endpoint_region or application.region_id,
                credentials=wishes.get("credentials"),
                custom_ca=wishes.get("custom_ca", ""),
                now=now,
            )
        subscription = Subscription(
            application=application,
            topic=topic,
            environment=environment,
            endpoint=endpoint,
            fallback_endpoint=_fallback(application, order, None, now),
            state_since=now,
            is_hook=is_hook,
            created_by=by,
            created_at=now,
        )
        _write(subscription, order)
        subscription.refresh_from_db(fields=["number"])
        Circuit.objects.create(subscription=subscription)
        signals.subscription_created.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SUBSCRIPTION_CREATE,
            subscription,
            after={**_facts(order), "environment": environment},
            related=(application, topic),
        )
    return subscription, secret


def change(
    subscription: Subscription,
    *,
    by: User,
    now: datetime,
    reason: str = "",
    **wishes: Unpack[Wishes],
) -> Subscription:
    """Put the wishes over what the subscription asks for; its backlog goes by the new order.

    A new address is the endpoint's: other subscriptions of that endpoint move with it.
    Raises PermissionDenied, ValidationError by field, and IllegalMove when it was ended.
    """
    access.require(by, Action.SUBSCRIPTION_CHANGE, subscription)
    with governed(by=by, now=now, reason=reason):
        subscription = _standing(subscription)
        before = order_of(subscription)
        order = Order.of(wishes, standing=before)
        if order.mode != before.mode:
            raise ValidationError(
                {"mode": _("A webhook cannot become a feed: make a new subscription for it.")}
            )
        orders.check(
            order,
            application=subscription.application,
            topic=subscription.topic,
            environment=subscription.environment,
        )
        if _touches_endpoint(before, order, wishes):
            access.require(by, Action.ENDPOINT_CHANGE, subscription)
            _change_endpoint(subscription, order, wishes, now)
        subscription.fallback_endpoint = _fallback(
            subscription.application, order, subscription.fallback_endpoint, now
        )
        _write(subscription, order)
        signals.subscription_changed.send(Subscription, thing=subscription, by=by, now=now)
        old, new = _facts(before), _facts(order)
        record(
            Action.SUBSCRIPTION_CHANGE,
            subscription,
            before={name: old[name] for name in old if old[name] != new[name]},
            after={name: new[name] for name in new if old[name] != new[name]},
            related=(subscription.application, subscription.topic),
        )
    return subscription


def pause(subscription: Subscription, *, by: User, now: datetime, reason: str = "") -> Subscription:
    """Stop sending; what arrives meanwhile is kept. Raises PermissionDenied and IllegalMove."""
    access.require(by, Action.SUBSCRIPTION_PAUSE, subscription)
    with governed(by=by, now=now, reason=reason):
        moved = _move(subscription, SubscriptionState.ACTIVE, SubscriptionState.PAUSED, now=now)
        signals.subscription_paused.send(Subscription, thing=moved, by=by, now=now)
        _record_state(Action.SUBSCRIPTION_PAUSE, moved, before=SubscriptionState.ACTIVE)
    return moved


def resume(
    subscription: Subscription, *, by: User, now: datetime, reason: str = ""
) -> Subscription:
    """Send again, the backlog first (see `backlog`); the circuit starts closed.

    Raises PermissionDenied, IllegalMove, and ValidationError when the application may no longer
    subscribe here.
    """
    access.require(by, Action.SUBSCRIPTION_RESUME, subscription)
    _require_grant(subscription.application, subscription.topic, subscription.environment)
    sources = [SubscriptionState.PAUSED, SubscriptionState.DISABLED]
    with governed(by=by, now=now, reason=reason):
        _lengthen_age(subscription, now)
        moved = _move(subscription, sources, SubscriptionState.ACTIVE, now=now)
        Circuit.objects.update_or_create(
            subscription=moved,
            defaults={
                "state": CircuitState.CLOSED,
                "breaker": {},
                "opened_at": None,
                "next_probe_at": None,
                "failing_since": None,
                "warned_percent": 0,
            },
        )
        signals.subscription_resumed.send(Subscription, thing=moved, by=by, now=now)
        _record_state(Action.SUBSCRIPTION_RESUME, moved, before=subscription.state)
    return moved


def disable(
    subscription: Subscription,
    *,
    because: DisableReason,
    now: datetime,
    by: User | None = None,
    reason: str = "",
) -> Subscription:
    """Stop sending because the engine, or with `by` a person, says so; the backlog is kept.

    Raises IllegalMove when it is disabled already.
    """
    if by is not None:
        access.require(by, Action.SUBSCRIPTION_DISABLE, subscription)
    sources = [SubscriptionState.ACTIVE, SubscriptionState.PAUSED]
    with governed(by=by, now=now, reason=reason or str(because.label)):
        moved = _move(subscription, sources, SubscriptionState.DISABLED, now=now, because=because)
        signals.subscription_disabled.send(Subscription, thing=moved, by=by, now=now)
        _record_state(Action.SUBSCRIPTION_DISABLE, moved, before=subscription.state)
    return moved


def end(
    subscription: Subscription, *, by: User | None, now: datetime, reason: str = ""
) -> Subscription:
    """End it for good; what it is still owed is discarded, and says so.

    `by` is None when a REST hook's receiver answered that it is gone. Raises PermissionDenied, and
    IllegalMove when it has ended before.
    """
    if by is not None:
        access.require(by, Action.SUBSCRIPTION_END, subscription)
    with governed(by=by, now=now, reason=reason):
        subscription = _standing(subscription)
        subscription.ended_at = now
        subscription.save(update_fields=["ended_at"])
        discarded = _discard_backlog(subscription, now)
        signals.subscription_ended.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SUBSCRIPTION_END,
            subscription,
            after={"ended_at": now, "discarded": discarded},
            related=(subscription.application, subscription.topic),
        )
    return subscription


def rotate_secret(
    subscription: Subscription,
    *,
    by: User,
    now: datetime,
    overlap: timedelta = endpoints.OVERLAP,
    reason: str = "",
) -> str:
    """Make a new signing secret and return it in plain; the old one stays valid for `overlap`.

    Raises PermissionDenied, and ValidationError for a feed or an overlap beyond 7 days.
    """
    access.require(by, Action.SECRET_ROTATE, subscription)
    endpoint = _endpoint(subscription)
    with governed(by=by, now=now, reason=reason):
        plain = endpoints.rotate_secret(endpoint, overlap=overlap, now=now)
        signals.secret_rotated.send(Subscription, thing=subscription, by=by, now=now)
        record(
            Action.SECRET_ROTATE,
            subscription,
            after={"old_valid_until": now + overlap},
            related=(subscription.application, endpoint),
        )
    return plain


def reveal_secret(subscription: Subscription, *, by: User, now: datetime) -> str:
    """Return the newest signing secret in plain; the ledger says who looked.

    Raises PermissionDenied, and ValidationError for a feed.
    """
    access.require(by, Action.SECRET_VIEW, subscription)
    endpoint = _endpoint(subscription)
    with governed(by=by, now=now):
        record(Action.SECRET_VIEW, subscription, related=(subscription.application, endpoint))
    return endpoints.signing_secrets(endpoint, now=now)[0]


def backlog(subscription: Subscription) -> Backlog:
    """Return how much the subscription is owed, and since when."""
    owed = QueueRow.objects.filter(subscription_id=subscription.pk)
    count = owed.count()
    oldest = owed.order_by("delivery_id").values_list("delivery_id", flat=True).first()
    return Backlog(count=count, oldest_at=instant_of(oldest) if oldest else None)


def order_of(subscription: Subscription) -> Order:
    """Return what the subscription asks for now."""
    endpoint, fallback = subscription.endpoint, subscription.fallback_endpoint
    waits = subscription.retry_waits_seconds
    return Order(
        name=subscription.name,
        event_types=tuple(subscription.event_types),
        filter=subscription.filter,
        version_pin=subscription.version_pin,
        mode=subscription.mode,
        body=subscription.body,
        mapping=subscription.mapping,
        endpoint_url=endpoint.url if endpoint else "",
        endpoint_region=endpoint.region_id if endpoint else "",
        fallback_url=fallback.url if fallback else "",
        is_ordered=subscription.is_ordered,
        concurrency=subscription.concurrency,
        rate_per_second=subscription.rate_per_second,
        timeout_seconds=subscription.timeout_seconds,
        retry_waits_seconds=None if waits is None else tuple(waits),
        max_age_seconds=subscription.max_age_seconds,
    )


def _require_grant(application: Application, topic: Topic, environment: str) -> None:
    account = application.service_account
    if not access.allows(account, Action.TOPIC_SUBSCRIBE, topic, environment=environment):
        raise ValidationError(
            {
                "topic": _(
                    "%(application)s may not subscribe to %(topic)s in %(environment)s. "
                    "Ask for access on the topic's page; once it is granted, come back."
                )
                % {
                    "application": application.name,
                    "topic": topic.title or topic.name,
                    "environment": environment,
                }
            }
        )


def _write(subscription: Subscription, order: Order) -> None:
    subscription.name = (
        order.name or f"{subscription.application.name} · {subscription.topic.title}"
    )
    subscription.event_types = list(order.event_types)
    subscription.filter = order.filter or {}
    subscription.version_pin = order.version_pin
    subscription.mode = order.mode
    subscription.body = order.body
    subscription.mapping = order.mapping
    subscription.is_ordered = order.is_ordered
    subscription.concurrency = order.concurrency
    subscription.rate_per_second = order.rate_per_second
    subscription.timeout_seconds = order.timeout_seconds
    waits = order.retry_waits_seconds
    subscription.retry_waits_seconds = None if waits is None else list(waits)
    subscription.max_age_seconds = order.max_age_seconds
    subscription.save()


def _touches_endpoint(before: Order, order: Order, wishes: Wishes) -> bool:
    return (
        (before.endpoint_url, before.endpoint_region, before.fallback_url)
        != (order.endpoint_url, order.endpoint_region, order.fallback_url)
        or "credentials" in wishes
        or "custom_ca" in wishes
    )


def _change_endpoint(
    subscription: Subscription, order: Order, wishes: Wishes, now: datetime
) -> None:
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


def _fallback(
    application: Application, order: Order, standing: Endpoint | None, now: datetime
) -> Endpoint | None:
    if not order.fallback_url:
        return None
    if standing is not None and standing.url == order.fallback_url:
        return standing
    region_id = order.endpoint_region or application.region_id
    made, _secret = endpoints.make(
        application, url=order.fallback_url, region_id=region_id, now=now
    )
    return made


def _facts(order: Order) -> Mapping[str, object]:
    """Return the order for the ledger: documents by their digest, addresses without their query."""
    facts = asdict(order)
    for name in ("endpoint_url", "fallback_url"):
        # Builders put tokens into the query, and the ledger is for ever.
        facts[name] = str(facts[name]).partition("?")[0]
    for name in ("filter", "mapping"):
        text = json.dumps(facts[name], sort_keys=True) if facts[name] else ""
        facts[name] = hashlib.sha256(text.encode()).hexdigest() if text else ""
    return facts


def _standing(subscription: Subscription) -> Subscription:
    """Lock and return the subscription as it stands; raises IllegalMove when it was ended."""
    row = (
        Subscription.objects.select_for_update(of=("self",))
        .with_names()
        .select_related("fallback_endpoint")
        .get(pk=subscription.pk)
    )
    if row.ended_at is not None:
        raise IllegalMove(_("This subscription has ended."), current="ended")
    return row


def _move(
    subscription: Subscription,
    sources: str | list[SubscriptionState],
    target: SubscriptionState,
    *,
    now: datetime,
    because: str = "",
) -> Subscription:
    named = [sources] if isinstance(sources, str) else list(sources)
    return Subscription.objects.standing().move(
        subscription.pk, named, target, state_reason=because, state_since=now
    )


def _record_state(action: Action, subscription: Subscription, *, before: str) -> None:
    record(
        action,
        subscription,
        before={"state": str(before)},
        after={"state": subscription.state, "reason": subscription.state_reason},
        related=(subscription.application, subscription.topic),
    )


def _lengthen_age(subscription: Subscription, now: datetime) -> None:
    """Let the age of what waited stand still for as long as nothing was sent."""
    row = Subscription.objects.only("state_since").get(pk=subscription.pk)
    waited = max(0, int((now - row.state_since).total_seconds()))
    QueueRow.objects.filter(subscription_id=subscription.pk, first_attempt_at__isnull=False).update(
        waited_seconds=F("waited_seconds") + waited
    )


def _discard_backlog(subscription: Subscription, now: datetime) -> int:
    owed = QueueRow.objects.filter(subscription_id=subscription.pk)
    ids = list(owed.values_list("delivery_id", flat=True))
    Delivery.objects.filter(pk__in=ids, status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.DISCARDED, reason=_("The subscription was ended."), ended_at=now
    )
    owed.filter(delivery_id__in=ids).delete()
    return len(ids)


def _endpoint(subscription: Subscription) -> Endpoint:
    if subscription.endpoint is None:
        raise ValidationError(
            {"mode": _("A feed is not signed: whoever reads it proves who they are by their key.")}
        )
    return subscription.endpoint
