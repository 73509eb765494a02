"""What dashboards ask of the roll-ups: lines over time, and totals; each one query."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

from delivery.models.counts import Grain
from delivery.rollups import LATENCY_BOUNDS_MS
from delivery.scopes import Scope

# The longest time that a grain is asked for, and how far apart its points then stand.
_STEPS = (
    (timedelta(hours=3), Grain.MINUTE, timedelta(minutes=1)),
    (timedelta(hours=36), Grain.QUARTER, timedelta(minutes=15)),
    (timedelta(days=10), Grain.HOUR, timedelta(hours=2)),
    (timedelta(days=45), Grain.HOUR, timedelta(hours=12)),
)
_LONG = (Grain.DAY, timedelta(days=1))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True, slots=True)
class Totals:
    """Counts of a time; `at` is its start.

    `backlog` is the most that waited at one moment, `oldest_seconds` the age that it reached.
    """

    at: datetime
    published: int = 0
    delivered: int = 0
    first_try: int = 0
    failed_attempts: int = 0
    dead: int = 0
    skipped: int = 0
    discarded: int = 0
    retries: int = 0
    backlog: int = 0
    oldest_seconds: int = 0
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

    def add(self, other: Totals) -> None:
        """Count the totals of another time in."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.backlog = max(self.backlog, other.backlog)
        self.oldest_seconds = max(self.oldest_seconds, other.oldest_seconds)
        for index, count in enumerate(other.latency_counts):
            self.latency_counts[index] += count
        for name, count in other.errors.items():
            self.errors[name] = self.errors.get(name, 0) + count


_COUNTS = (
    "published",
    "delivered",
    "first_try",
    "failed_attempts",
    "dead",
    "skipped",
    "discarded",
    "retries",
)
_SUMS = ", ".join(f"sum({name})::bigint" for name in _COUNTS)
_LATENCIES = ", ".join(
    f"coalesce(sum(latency_counts[{place}]), 0)::bigint"
    for place in range(1, len(LATENCY_BOUNDS_MS) + 2)
)
# Summed up in the database: however many subscriptions there are, a row for each point comes back.
# What waits is a level, not a flow: added up over subscriptions, and of a time the most counts.
_SUMMARIZE = f"""
WITH span AS MATERIALIZED (
    SELECT {{key}} AS key, * FROM delivery_rollup
    WHERE grain = %(grain)s AND at >= %(since)s AND at < %(until)s AND {{bounds}}
), levels AS (
    SELECT key, max(waiting)::bigint AS backlog, max(oldest)::bigint AS oldest FROM (
        SELECT key, at, sum(backlog) AS waiting, max(oldest_seconds) AS oldest
        FROM span WHERE backlog > 0 GROUP BY key, at
    ) moments GROUP BY key
), causes AS (
    SELECT key, jsonb_object_agg(class, tries) AS errors FROM (
        SELECT span.key, error.key AS class, sum(error.value::bigint) AS tries
        FROM span, jsonb_each_text(errors) AS error GROUP BY 1, 2
    ) classes GROUP BY key
)
SELECT counts.*, levels.backlog, levels.oldest, causes.errors
FROM (SELECT key, {_SUMS}, {_LATENCIES} FROM span GROUP BY key) counts
LEFT JOIN levels USING (key) LEFT JOIN causes USING (key)
"""  # noqa: S608 - built of our own names only
_BY_TIME = "floor(extract(epoch FROM at - %(start)s) / %(step)s)::int"


def series(scope: Scope, *, since: datetime, until: datetime) -> list[Totals]:
    """Return a point for each step of the time, oldest first, zeros included: at most about 180.

    Without a subscription `published` counts events once and the rest counts every subscription.
    One query.
    """
    grain, step = _grain(until - since)
    start = _floor(since, step)
    points = [Totals(at=start + number * step) for number in range(-(-(until - start) // step))]
    for place, found in _summarize(
        _BY_TIME, scope.columns, grain=grain, start=start, until=until, step=step
    ):
        points[_int(place)].add(found)
    return points


def summary(scope: Scope, *, since: datetime, until: datetime) -> Totals:
    """Return the totals of the same points; one query."""
    grain, step = _grain(until - since)
    start = _floor(since, step)
    total = Totals(at=start)
    for _key, found in _summarize("0", scope.columns, grain=grain, start=start, until=until):
        total.add(found)
    return total


def by_subscription(
    subscriptions: Sequence[UUID], *, environment: str, since: datetime, until: datetime
) -> Mapping[UUID, Totals]:
    """Return the totals of each of these subscriptions, for a list; one query."""
    grain, step = _grain(until - since)
    start = _floor(since, step)
    found = {pk: Totals(at=start) for pk in subscriptions}
    for key, totals in _summarize(
        "subscription_id",
        {"environment": environment},
        grain=grain,
        start=start,
        until=until,
        among=list(subscriptions),
    ):
        if isinstance(key, UUID):
            found[key].add(totals)
    return found


def _summarize(
    key: str,
    columns: Mapping[str, str | UUID],
    *,
    grain: Grain,
    start: datetime,
    until: datetime,
    step: timedelta = timedelta(seconds=1),
    among: list[UUID] | None = None,
) -> list[tuple[object, Totals]]:
    """Return the totals for each value of `key`, an expression over roll-ups."""
    bounds = [f"{name} = %({name})s" for name in columns]
    if among is not None:
        bounds.append("subscription_id = ANY(%(among)s)")
    parameters: dict[str, str | float | datetime | UUID | list[UUID] | None] = {
        **columns,
        "grain": grain.value,
        "since": start,
        "until": until,
        "start": start,
        "step": step.total_seconds(),
        "among": among,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARIZE.format(key=key, bounds=" AND ".join(bounds)), parameters)
        return [(row[0], _totals(row[1:], start)) for row in cursor.fetchall()]


def _totals(row: Sequence[object], at: datetime) -> Totals:
    counts = dict(zip(_COUNTS, map(_int, row), strict=False))
    backlog, oldest, errors = row[-3:]
    return Totals(
        at=at,
        **counts,
        latency_counts=[_int(count) for count in row[len(_COUNTS) : -3]],
        backlog=_int(backlog),
        oldest_seconds=_int(oldest),
        errors=json.loads(errors) if isinstance(errors, str) else {},
    )


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


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
