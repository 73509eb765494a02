"""What an operator sees of an environment at once: what waits, why tries fail, what stands open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, Sum

from catalog.ids import first_of, instant_of
from catalog.models import User
from delivery.models import Circuit, FailureGroup, QueueRow, Rollup, Subscription
from delivery.models.counts import Grain
from delivery.scopes import Scope
from delivery.standing import standing
from delivery.states import CircuitState
from governance import access
from governance.actions import Action

# Upper bounds of the ages by which what waits is counted; one class more has none.
AGES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
MOST_CIRCUITS = 25
HOURS = 24

_CAUSES = """
SELECT error.key, sum(error.value::bigint), count(DISTINCT rollup.subscription_id)
FROM delivery_rollup rollup, jsonb_each_text(rollup.errors) error
WHERE rollup.grain = %(grain)s AND rollup.at >= %(since)s AND rollup.subscription_id IS NOT NULL
    AND {bounds}
GROUP BY error.key HAVING sum(error.value::bigint) > 0 ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """What is owed now; `by_age` counts it by the classes of `AGES`, the youngest first."""

    count: int
    by_age: tuple[int, ...]
    oldest_at: datetime | None = None
    oldest_for: Subscription | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Failed tries of one kind, and at how many subscriptions."""

    error_class: str
    tries: int
    subscriptions: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Dead:
    """Dead letters that still wait for somebody, and how many causes they have."""

    letters: int
    groups: int


def waiting(scope: Scope, *, now: datetime) -> Waiting:
    """Count what is owed by its age; at most three queries."""
    rows = QueueRow.objects.filter(subscription_id__in=scope.subscriptions().values("pk"))
    bounds = [first_of(now - age) for age in AGES]
    counts: dict[str, Count] = {}
    for number, (younger, older) in enumerate(zip([None, *bounds], [*bounds, None], strict=True)):
        band = Q()
        if older is not None:
            band &= Q(pk__gte=older)
        if younger is not None:
            band &= Q(pk__lt=younger)
        counts[f"age_{number}"] = Count("pk", filter=band) if band else Count("pk")
    found = rows.aggregate(**counts)
    by_age = tuple(found[f"age_{number}"] for number in range(len(AGES) + 1))
    oldest = rows.order_by("pk").values_list("pk", "subscription_id").first()
    if oldest is None:
        return Waiting(count=0, by_age=by_age)
    return Waiting(
        count=sum(by_age),
        by_age=by_age,
        oldest_at=instant_of(oldest[0]),
        oldest_for=Subscription.objects.filter(pk=oldest[1]).first(),
    )


def causes(scope: Scope, *, since: datetime) -> list[Cause]:
    """Return why tries failed since then, the most frequent first; one query."""
    # Whole hours: their rows are kept for weeks and are few.
    parameters: dict[str, str | datetime | UUID] = {
        **scope.columns,
        "grain": Grain.HOUR.value,
        "since": since.replace(minute=0, second=0, microsecond=0),
    }
    bounds = " AND ".join(f"rollup.{name} = %({name})s" for name in scope.columns)
    with connection.cursor() as cursor:
        cursor.execute(_CAUSES.format(bounds=bounds), parameters)
        return [
            Cause(error_class=name, tries=int(tries), subscriptions=subscriptions)
            for name, tries, subscriptions in cursor.fetchall()
        ]


def circuits(scope: Scope, *, viewer: User) -> Sequence[Circuit]:
    """Return circuits that are not closed, those open longest first."""
    seen = access.restrict(
        scope.subscriptions().exclude(circuit__state=CircuitState.CLOSED),
        viewer,
        Action.SUBSCRIPTION_VIEW,
    )
    return list(
        Circuit.objects.filter(subscription__in=seen)
        .select_related("subscription", "subscription__application")
        .order_by("opened_at")[:MOST_CIRCUITS]
    )


def dead(scope: Scope, *, viewer: User) -> Dead:
    """Count the dead letters that the viewer may see and that nobody has settled."""
    groups = access.restrict(FailureGroup.objects.unsettled(), viewer, Action.FAILURE_VIEW)
    groups = groups.filter(environment=scope.environment, open_count__gt=0)
    if len(scope.columns) > 1:
        groups = groups.filter(subscription__in=scope.subscriptions())
    found = groups.aggregate(letters=Sum("open_count"), groups=Count("pk"))
    return Dead(letters=found["letters"] or 0, groups=found["groups"])


def strips(
    subscriptions: Collection[UUID], *, environment: str, now: datetime
) -> Mapping[UUID, Sequence[str]]:
    """Return how each subscription's tries went, hour by hour for a day; one query.

    `ok`: all arrived, `some`: some failed, `no`: all failed, `nil`: nothing was tried.
    """
    hours = _hours(subscriptions, environment=environment, now=now)
    return {pk: [_outcome(good, bad) for good, bad in counts] for pk, counts in hours.items()}


def failed_per_hour(subscription: Subscription, *, now: datetime) -> Sequence[int]:
    """Return how many tries failed in each hour of the last day, the oldest first; one query."""
    hours = _hours([subscription.pk], environment=subscription.environment, now=now)
    return [bad for _good, bad in hours[subscription.pk]]


def _hours(
    subscriptions: Collection[UUID], *, environment: str, now: datetime
) -> Mapping[UUID, list[tuple[int, int]]]:
    """Return (arrived, failed) for each hour of the last day."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    hours: dict[UUID, list[tuple[int, int]]] = {pk: [(0, 0)] * HOURS for pk in subscriptions}
    rows = Rollup.objects.filter(
        grain=Grain.HOUR, environment=environment, at__gte=start, subscription_id__in=subscriptions
    ).values_list("subscription_id", "at", "delivered", "failed_attempts")
    for pk, at, good, bad in rows:
        index = int((at - start).total_seconds() // 3600)
        if pk is not None and 0 <= index < HOURS:
            before = hours[pk][index]
            hours[pk][index] = (before[0] + good, before[1] + bad)
    return hours


def _outcome(good: int, bad: int) -> str:
    if not bad:
        return "ok" if good else "nil"
    return "some" if good else "no"


def delivering(scope: Scope) -> tuple[int, int]:
    """Return how many subscriptions deliver without trouble, and how many there are."""
    all_ = list(scope.subscriptions().select_related("circuit"))
    return sum(standing(one) == "active" for one in all_), len(all_)
