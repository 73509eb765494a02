"""A shop that an application asks the machine API about, and what arrives there."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from catalog.models import EventType, SchemaVersion, Topic
from delivery.models import Attempt, Delivery, Event, Subscription
from delivery.states import DeliveryStatus
from tests import factories
from tests.asking import Machine

TYPE = "com.acme.sales.order.created"
URL = "https://flows.example.com/webhook/orders"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A topic with one type, and an application that may subscribe to it."""

    topic: Topic
    event_type: EventType
    version: SchemaVersion
    machine: Machine

    def subscription(self, **fields: object) -> Subscription:
        return factories.make_subscription(
            self.machine.application,
            topic=self.topic,
            url=URL,
            **fields,  # type: ignore[arg-type]  # columns by name
        )


def arrive(subscription: Subscription, event: Event, **fields: object) -> Delivery:
    fields.setdefault("status", DeliveryStatus.DELIVERED)
    delivery = factories.make_delivery(
        event, subscription=subscription, ended_at=timezone.now(), **fields
    )
    Attempt.objects.create(
        delivery=delivery,
        subscription_id=subscription.pk,
        number=1,
        started_at=timezone.now(),
        duration_ms=12,
        outcome="delivered",
        status_code=200,
        url=URL,
    )
    return delivery
