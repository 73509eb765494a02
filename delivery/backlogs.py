"""What waits for subscriptions: how much and how old it is, and what becomes of it as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, Min, TextField
from django.db.models.functions import Cast

from catalog.ids import instant_of
from delivery.models import Delivery, QueueRow, Subscription
from delivery.states import DeliveryStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """What a subscription is owed; `oldest_at` is when its oldest delivery was made."""

    count: int
    oldest_at: datetime | None


def of(subscription_ids: Collection[UUID]) -> Mapping[UUID, Backlog]:
    """Return what is owed by subscription, in one query; an empty one is left out."""
    rows = (
        QueueRow.objects.filter(subscription_id__in=subscription_ids)
        .values_list("subscription_id")
        # PostgreSQL has no min(uuid); a UUIDv7 sorts as its text does.
        .annotate(count=Count("pk"), oldest=Min(Cast("delivery_id", TextField())))
    )
    return {
        pk: Backlog(count=count, oldest_at=instant_of(UUID(oldest))) for pk, count, oldest in rows
    }


def of_one(subscription: Subscription) -> Backlog:
    """Return how much the subscription is owed, and since when."""
    owed = QueueRow.objects.filter(subscription_id=subscription.pk)
    count = owed.count()
    oldest = owed.order_by("delivery_id").values_list("delivery_id", flat=True).first()
    return Backlog(count=count, oldest_at=instant_of(oldest) if oldest else None)


def lengthen_age(subscription: Subscription, *, now: datetime) -> None:
    """Let the age of what waited stand still for as long as nothing was sent."""
    row = Subscription.objects.only("state_since").get(pk=subscription.pk)
    waited = max(0, int((now - row.state_since).total_seconds()))
    QueueRow.objects.filter(subscription_id=subscription.pk, first_attempt_at__isnull=False).update(
        waited_seconds=F("waited_seconds") + waited
    )


def discard(subscription: Subscription, *, because: str, now: datetime) -> int:
    """End all that is owed to the subscription, with the reason; return how many these were."""
    owed = QueueRow.objects.filter(subscription_id=subscription.pk)
    ids = list(owed.values_list("delivery_id", flat=True))
    Delivery.objects.filter(pk__in=ids, status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.DISCARDED, reason=because, ended_at=now
    )
    owed.filter(delivery_id__in=ids).delete()
    return len(ids)
