"""What dashboards ask of the roll-ups: lines over time, and totals; each one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from delivery.models import Rollup
from delivery.models.counts import Grain
from delivery.rollups import LATENCY_BOUNDS_MS

# The longest time that a grain is asked for, and how far apart its points then stand.
_STEPS = (
    (timedelta(hours=3), Grain.MINUTE, timedelta(minutes=1)),
    (timedelta(hours=36), Grain.MINUTE, timedelta(minutes=15)),
    (timedelta(days=10), Grain.HOUR, timedelta(hours=2)),
    (timedelta(days=45), Grain.HOUR, timedelta(hours=12)),
)
_LONG = (Grain.DAY, timedelta(days=1))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True, slots=True)
class Totals:
    """Counts of a time; `at` is its start."""

    at: datetime
    published: int = 0
    delivered: int = 0
    first_try: int = 0
    failed_attempts: int = 0
    dead: int = 0
    skipped: int = 0
    discarded: int = 0
    latency_counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_MS) + 1))
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def p50_ms(self) -> float | None:
        """Median time from published to delivered; None when nothing was."""
        return percentile(self.latency_counts, 0.5)

    @property
    def p95_ms(self) -> float | None:
        """The time within which 95 of 100 were delivered."""
        return percentile(self.latency_counts, 0.95)

    @property
    def p99_ms(self) -> float | None:
        """The time within which 99 of 100 were delivered."""
        return percentile(self.latency_counts, 0.99)

    @property
    def success_share(self) -> float | None:
        """The share of attempts that arrived, 0 to 1; None without attempts."""
        attempts = self.delivered + self.failed_attempts
        return self.delivered / attempts if attempts else None

    @property
    def first_try_share(self) -> float | None:
        """The share of what arrived that arrived at the first try; None when nothing did."""
        return self.first_try / self.delivered if self.delivered else None

    def add(self, row: Rollup | Totals) -> None:
        """Count one roll-up, or the totals of another time, in."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(row, name))
        for index, count in enumerate(row.latency_counts[: len(self.latency_counts)]):
            self.latency_counts[index] += count
        for name, count in row.errors.items():
            self.errors[name] = self.errors.get(name, 0) + count


_COUNTS = (
    "published",
    "delivered",
    "first_try",
    "failed_attempts",
    "dead",
    "skipped",
    "discarded",
)


def series(
    *,
    environment: str,
    since: datetime,
    until: datetime,
    topic: UUID | None = None,
    event_type: UUID | None = None,
    subscription: UUID | None = None,
    application: UUID | None = None,
) -> list[Totals]:
    """Return a point for each step of the time, oldest first, zeros included: at most about 180.

    Without a subscription `published` counts events once and the rest counts every subscription.
    """
    grain, step = _grain(until - since)
    start = _floor(since, step)
    points = [Totals(at=start + number * step) for number in range(-(-(until - start) // step))]
    found = _between(grain, environment, start, until)
    for row in _about(found, topic, event_type, subscription, application):
        points[(row.at - start) // step].add(row)
    return points


def summary(
    *,
    environment: str,
    since: datetime,
    until: datetime,
    topic: UUID | None = None,
    event_type: UUID | None = None,
    subscription: UUID | None = None,
    application: UUID | None = None,
) -> Totals:
    """Return the totals of the same points."""
    grain, step = _grain(until - since)
    start = _floor(since, step)
    total = Totals(at=start)
    found = _between(grain, environment, start, until)
    for row in _about(found, topic, event_type, subscription, application):
        total.add(row)
    return total


def by_subscription(
    subscriptions: Sequence[UUID], *, environment: str, since: datetime, until: datetime
) -> Mapping[UUID, Totals]:
    """Return the totals of each of these subscriptions, for a list; one query."""
    grain, step = _grain(until - since)
    start = _floor(since, step)
    found = {pk: Totals(at=start) for pk in subscriptions}
    rows = _between(grain, environment, start, until)
    for row in rows.filter(subscription_id__in=subscriptions):
        if row.subscription_id is not None:
            found[row.subscription_id].add(row)
    return found


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Return the latency in ms below which `share` of the counted lie; None when none are.

    Within its class it is read off a straight line; the last, open class counts as its bound.
    """
    wanted = share * sum(counts)
    if not wanted:
        return None
    before = 0
    for index, count in enumerate(counts):
        if count and before + count >= wanted:
            low = LATENCY_BOUNDS_MS[index - 1] if index else 0
            high = LATENCY_BOUNDS_MS[min(index, len(LATENCY_BOUNDS_MS) - 1)]
            return low + (high - low) * (wanted - before) / count
        before += count
    return float(LATENCY_BOUNDS_MS[-1])


def _grain(span: timedelta) -> tuple[Grain, timedelta]:
    for longest, grain, step in _STEPS:
        if span <= longest:
            return grain, step
    return _LONG


def _floor(at: datetime, step: timedelta) -> datetime:
    return _EPOCH + (at - _EPOCH) // step * step


def _between(grain: Grain, environment: str, since: datetime, until: datetime) -> QuerySet[Rollup]:
    return Rollup.objects.filter(grain=grain, environment=environment, at__gte=since, at__lt=until)


def _about(
    rows: QuerySet[Rollup],
    topic: UUID | None,
    event_type: UUID | None,
    subscription: UUID | None,
    application: UUID | None,
) -> QuerySet[Rollup]:
    wanted = {
        "topic_id": topic,
        "event_type_id": event_type,
        "subscription_id": subscription,
        "application_id": application,
    }
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})
