"""What runs through an event type: counts from roll-ups, who sends it, who receives it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Sum

from catalog.models import Application, EventType
from delivery.models import Rollup, Subscription
from delivery.models.counts import Grain

HOURS = 24


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """One event type's last 24 hours: events per hour, oldest first, and who receives it."""

    per_hour: tuple[int, ...]
    subscribers: tuple[Subscription, ...]

    @property
    def total(self) -> int:
        """Return how many events came in these hours."""
        return sum(self.per_hour)


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """An application that sends an event type, and how much it sent in the last 24 hours."""

    application: Application
    sent: int


def of_types(
    event_types: Collection[EventType], *, environment: str, now: datetime
) -> Mapping[UUID, Traffic]:
    """Return each type's traffic; two queries whatever their number."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    hours: dict[UUID, list[int]] = defaultdict(lambda: [0] * HOURS)
    rows = (
        Rollup.objects.filter(
            grain=Grain.HOUR,
            environment=environment,
            at__gte=start,
            event_type_id__in=[one.pk for one in event_types],
            subscription_id__isnull=True,
        )
        .values_list("event_type_id", "at")
        .annotate(count=Sum("published"))
    )
    for type_id, at, count in rows:
        if type_id is not None:
            hours[type_id][int((at - start).total_seconds() // 3600)] += count
    receivers = _receivers(event_types, environment)
    return {
        one.pk: Traffic(per_hour=tuple(hours[one.pk]), subscribers=tuple(receivers[one.pk]))
        for one in event_types
    }


def _receivers(
    event_types: Collection[EventType], environment: str
) -> Mapping[UUID, list[Subscription]]:
    by_topic: dict[UUID, list[Subscription]] = defaultdict(list)
    subscriptions = (
        Subscription.objects.standing()
        .filter(environment=environment, topic_id__in={one.topic_id for one in event_types})
        .with_names()
        .order_by("name")
    )
    for subscription in subscriptions:
        by_topic[subscription.topic_id].append(subscription)
    return {
        one.pk: [
            s for s in by_topic[one.topic_id] if not s.event_types or one.name in s.event_types
        ]
        for one in event_types
    }


def publishers(event_type: EventType, *, environment: str, now: datetime) -> list[Publisher]:
    """Return who sent this type in the last 24 hours, the busiest first."""
    rows = dict(
        Rollup.objects.filter(
            grain=Grain.HOUR,
            environment=environment,
            at__gt=now - timedelta(hours=HOURS),
            event_type_id=event_type.pk,
            subscription_id__isnull=True,
            application_id__isnull=False,
        )
        .values_list("application_id")
        .annotate(count=Sum("published"))
    )
    allowed = Application.objects.filter(
        grants__topic=event_type.topic_id,
        grants__verb="publish",
        grants__state="in_force",
        grants__environment=environment,
    )
    found = (Application.objects.filter(pk__in=rows) | allowed).distinct().select_related("team")
    people = [Publisher(application=one, sent=rows.get(one.pk, 0)) for one in found]
    return sorted(people, key=lambda one: (-one.sent, one.application.name))
