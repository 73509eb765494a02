"""How much waits for many subscriptions at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Count, Min, TextField
from django.db.models.functions import Cast

from catalog.ids import instant_of
from delivery.models import QueueRow
from delivery.subscriptions import Backlog


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
