"""Events and deliveries put straight into the tables: for tests of what comes after publishing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import Application, SchemaVersion
from delivery import endpoints
from delivery.models import Delivery, Endpoint, Event, Payload, QueueRow, Subscription
from governance.governed import governed
from tests import factories


def make_world(url: str, **fields: Any) -> tuple[Subscription, SchemaVersion]:
    """Return a subscription to `url`, and a version whose events it is owed."""
    topic = factories.make_topic()
    version = factories.make_version(event_type=factories.make_event_type(topic=topic))
    return factories.make_subscription(topic=topic, url=url, **fields), version


def add_secret(subscription: Subscription) -> str:
    """Give the subscription's endpoint a signing secret; return it."""
    assert subscription.endpoint is not None
    with governed(by=None, now=timezone.now()):
        return endpoints.add_secret(subscription.endpoint, now=timezone.now())


def add_fallback(subscription: Subscription, url: str) -> None:
    """Give the subscription a second address."""
    with governed(by=None, now=timezone.now()):
        endpoint = Endpoint.objects.create(
            application=subscription.application,
            url=url,
            region=subscription.application.region,
            changed_at=timezone.now(),
        )
        subscription.fallback_endpoint = endpoint
        subscription.save()


def make_events(
    version: SchemaVersion,
    count: int = 1,
    *,
    environment: str = "production",
    application: Application | None = None,
    regions: Sequence[str] = (),
    extensions: dict[str, object] | None = None,
) -> list[Event]:
    """Return stored events with payloads, numbered in their data."""
    now = timezone.now()
    application = application or factories.make_application()
    events = [
        Event(
            id=uuid7(),
            environment=environment,
            source="/shop",
            event_id=f"order-{number}",
            type=version.event_type,
            version=version,
            application=application,
            received_at=now,
            correlation_id="c-1",
            trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            extensions=extensions or {},
            regions=list(regions),
            size_bytes=100,
        )
        for number in range(count)
    ]
    Event.objects.bulk_create(events)
    Payload.objects.bulk_create(
        Payload(
            event_id=event.pk,
            topic_id=version.event_type.topic_id,
            data=json.dumps({"order_id": f"A-{number}", "amount": number}),
        )
        for number, event in enumerate(events)
    )
    return events


def owe(
    subscription: Subscription,
    events: Sequence[Event],
    *,
    due_at: datetime | None = None,
    keys: Sequence[str] = (),
    attempts: int = 0,
    first_attempt_at: datetime | None = None,
    batch_id: UUID | None = None,
) -> list[UUID]:
    """Owe the events to a subscription; return the deliveries' ids in order."""
    deliveries = [
        Delivery(
            id=uuid7(),
            event=event,
            subscription=subscription,
            environment=subscription.environment,
        )
        for event in events
    ]
    Delivery.objects.bulk_create(deliveries)
    QueueRow.objects.bulk_create(
        QueueRow(
            delivery_id=delivery.pk,
            subscription_id=subscription.pk,
            event_id=delivery.event_id,
            due_at=due_at or timezone.now(),
            attempts=attempts,
            first_attempt_at=first_attempt_at,
            order_key=keys[number % len(keys)] if keys else None,
            batch_id=batch_id,
        )
        for number, delivery in enumerate(deliveries)
    )
    return [delivery.pk for delivery in deliveries]
