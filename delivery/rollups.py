"""Counts by minute, hour and day, kept from what is recorded; dashboards read only these.

Each run reads what happened since the last one: events and attempts by the time in their keys, and
deliveries that ended otherwise by their end. It stays `SETTLE_SECONDS` behind the present, so that
a transaction which commits late is not passed over.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta

import orjson
from django.db import connection, transaction

from catalog.ids import first_of, instant_of
from delivery.models import Event, Rollup, RollupMark
from delivery.models.counts import Grain

# Upper bounds of the classes of `Rollup.latency_counts`; one class more has no bound.
LATENCY_BOUNDS_MS = (
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
    60_000, 300_000, 1_800_000, 7_200_000, 86_400_000,
)  # fmt: skip
SETTLE_SECONDS = 5
# One run reads at most so long a time, so that it stays short; a backlog takes several.
LONGEST_SPAN = timedelta(hours=1)
MARK = "rollups"
KEPT = {
    Grain.MINUTE: timedelta(days=1),
    Grain.QUARTER: timedelta(days=4),
    Grain.HOUR: timedelta(days=62),
}

_READ = """
WITH happened AS (
    SELECT date_trunc('minute', e.received_at) AS at, e.environment, t.topic_id,
        e.type_id AS event_type_id, NULL::uuid AS subscription_id, e.application_id,
        count(*) AS published, 0 AS delivered, 0 AS first_try, 0 AS failed_attempts, 0 AS dead,
        0 AS skipped, 0 AS discarded, 0 AS retries, NULL::int AS latency_class,
        NULL AS error_class
    FROM delivery_event e JOIN catalog_eventtype t ON t.id = e.type_id
    WHERE e.id >= %(first_id)s AND e.id < %(end_id)s
    GROUP BY 1, 2, 3, 4, 6
    UNION ALL
    -- A delivery's key begins with the milliseconds at which its event was recorded.
    SELECT date_trunc('minute', a.started_at), s.environment, s.topic_id, NULL, s.id,
        s.application_id, 0,
        count(*) FILTER (WHERE a.outcome = 'delivered'),
        count(*) FILTER (WHERE a.outcome = 'delivered' AND a.number = 1),
        count(*) FILTER (WHERE a.outcome = 'failed'), 0, 0, 0,
        count(*) FILTER (WHERE a.number > 1),
        CASE WHEN a.outcome = 'delivered' THEN width_bucket(
            extract(epoch FROM a.started_at) * 1000 + a.duration_ms - 1
            - ('x' || left(replace(a.delivery_id::text, '-', ''), 12))::bit(48)::bigint,
            %(bounds)s::numeric[]) END,
        nullif(a.error_class, '')
    FROM delivery_attempt a JOIN delivery_subscription s ON s.id = a.subscription_id
    WHERE a.id >= %(first_id)s AND a.id < %(end_id)s
    GROUP BY 1, 2, 3, 5, 6, 15, 16
    UNION ALL
    SELECT date_trunc('minute', d.ended_at), s.environment, s.topic_id, NULL, s.id,
        s.application_id, 0, 0, 0, 0,
        count(*) FILTER (WHERE d.status = 'dead'),
        count(*) FILTER (WHERE d.status = 'skipped'),
        count(*) FILTER (WHERE d.status = 'discarded'), 0, NULL, NULL
    FROM delivery_delivery d JOIN delivery_subscription s ON s.id = d.subscription_id
    WHERE d.status IN ('dead', 'skipped', 'discarded')
        AND d.ended_at >= %(since)s AND d.ended_at < %(until)s
    GROUP BY 1, 2, 3, 5, 6
)
SELECT at, environment, topic_id, event_type_id, subscription_id, application_id, published,
    delivered, first_try, failed_attempts, dead, skipped, discarded, retries, latency_class,
    error_class
FROM happened
"""

_ADD = """
INSERT INTO delivery_rollup AS r (
    grain, at, environment, topic_id, event_type_id, subscription_id, application_id, published,
    delivered, first_try, failed_attempts, dead, skipped, discarded, retries, latency_counts,
    errors, backlog, oldest_seconds
)
SELECT n.grain, n.at, n.environment, n.topic_id, n.event_type_id, n.subscription_id,
    n.application_id, n.published, n.delivered, n.first_try, n.failed_attempts, n.dead, n.skipped,
    n.discarded, n.retries, n.latency_counts, n.errors, 0, 0
FROM json_to_recordset(%s) AS n(
    grain text, at timestamptz, environment text, topic_id uuid, event_type_id uuid,
    subscription_id uuid, application_id uuid, published bigint, delivered bigint,
    first_try bigint, failed_attempts bigint, dead bigint, skipped bigint, discarded bigint,
    retries bigint, latency_counts bigint[], errors jsonb
)
ON CONFLICT (
    grain, at, environment, topic_id, event_type_id, subscription_id, application_id
) DO UPDATE SET
    published = r.published + excluded.published,
    delivered = r.delivered + excluded.delivered,
    first_try = r.first_try + excluded.first_try,
    failed_attempts = r.failed_attempts + excluded.failed_attempts,
    dead = r.dead + excluded.dead,
    skipped = r.skipped + excluded.skipped,
    discarded = r.discarded + excluded.discarded,
    retries = r.retries + excluded.retries,
    latency_counts = (
        SELECT array_agg(coalesce(old, 0) + coalesce(new, 0) ORDER BY place)
        FROM unnest(r.latency_counts, excluded.latency_counts)
            WITH ORDINALITY AS u(old, new, place)
    ),
    errors = (
        SELECT coalesce(jsonb_object_agg(key, total), '{}'::jsonb) FROM (
            SELECT key, sum(value::bigint) AS total FROM (
                SELECT * FROM jsonb_each_text(r.errors)
                UNION ALL SELECT * FROM jsonb_each_text(excluded.errors)
            ) both_errors GROUP BY key
        ) totals
    )
"""

_KEY = (
    "at",
    "environment",
    "topic_id",
    "event_type_id",
    "subscription_id",
    "application_id",
)
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
Row = dict[str, object]


def roll_up(*, now: datetime) -> int:
    """Count what happened since the last run; return how many roll-ups of a minute changed.

    One run at a time: another one that meets it returns 0.
    """
    RollupMark.objects.get_or_create(name=MARK)
    until = now - timedelta(seconds=SETTLE_SECONDS)
    with transaction.atomic():
        mark = RollupMark.objects.select_for_update(skip_locked=True).filter(name=MARK).first()
        if mark is None:
            return 0
        since = mark.at or _beginning(until)
        until = min(until, since + LONGEST_SPAN)
        if since >= until:
            return 0
        minutes = _read(since, until)
        if minutes:
            _add(minutes)
        mark.at = until
        mark.save(update_fields=["at"])
    return len(minutes)


def count_again(*, since: datetime, now: datetime) -> None:
    """Count everything from the day of `since` on once more, where rows were laid behind the mark.

    Samples of what waited in that time are lost: the rows that they were made of are gone.
    """
    begin = start_of(since, Grain.DAY)
    RollupMark.objects.get_or_create(name=MARK)
    with transaction.atomic():
        RollupMark.objects.select_for_update().filter(name=MARK).update(at=begin)
        Rollup.objects.filter(at__gte=begin).delete()
    catch_up(now=now)


def catch_up(*, now: datetime) -> None:
    """Count all that happened since the last run, however long ago that was."""
    while is_behind(now=now):
        roll_up(now=now)
    roll_up(now=now)


def is_behind(*, now: datetime) -> bool:
    """Tell whether a run is due that does not wait for new events: a backlog takes several."""
    mark = RollupMark.objects.filter(name=MARK).first()
    return mark is None or mark.at is None or now - mark.at > LONGEST_SPAN


def forget(*, now: datetime) -> None:
    """Delete shorter roll-ups that no page shows any more; days stay."""
    for grain, kept in KEPT.items():
        Rollup.objects.filter(grain=grain, at__lt=now - kept).delete()


def latency_class(milliseconds: float) -> int:
    """Return the index in `latency_counts` under which a latency is counted."""
    return bisect_left(LATENCY_BOUNDS_MS, milliseconds)


def _beginning(until: datetime) -> datetime:
    oldest = Event.objects.order_by("pk").values_list("pk", flat=True).first()
    return min(instant_of(oldest), until) if oldest else until


def _read(since: datetime, until: datetime) -> list[Row]:
    """Return one row for each minute and key, with its counts put together."""
    with connection.cursor() as cursor:
        cursor.execute(
            _READ,
            {
                "first_id": first_of(since),
                "end_id": first_of(until),
                "since": since,
                "until": until,
                "bounds": list(LATENCY_BOUNDS_MS),
            },
        )
        found: dict[tuple[object, ...], Row] = {}
        for values in cursor.fetchall():
            _count(found, values)
    return list(found.values())


def _count(found: dict[tuple[object, ...], Row], values: tuple[object, ...]) -> None:
    key, counts, (latency, error) = values[:6], values[6:14], values[14:]
    row = found.get(key)
    if row is None:
        row = found[key] = dict(zip(_KEY, key, strict=True))
        row.update(dict.fromkeys(_COUNTS, 0))
        row.update(latency_counts=[0] * (len(LATENCY_BOUNDS_MS) + 1), errors={})
    for name, count in zip(_COUNTS, counts, strict=True):
        row[name] = _int(row[name]) + _int(count)
    if latency is not None:
        classes = row["latency_counts"]
        if isinstance(classes, list):
            classes[_int(latency)] += _int(counts[1])
    errors = row["errors"]
    if isinstance(error, str) and isinstance(errors, dict):
        errors[error] = errors.get(error, 0) + _int(counts[3])


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _add(minutes: list[Row]) -> None:
    """Add the rows of minutes to the roll-ups of every grain."""
    rows = []
    for grain in Grain:
        merged: dict[tuple[object, ...], Row] = {}
        for minute in minutes:
            at = start_of(minute["at"], grain)
            key = (at, *(minute[name] for name in _KEY[1:]))
            into = merged.get(key)
            if into is None:
                merged[key] = {
                    **minute,
                    "grain": grain.value,
                    "at": at,
                    "latency_counts": list(_list(minute["latency_counts"])),
                    "errors": dict(_dict(minute["errors"])),
                }
            else:
                _merge(into, minute)
        # In one order everywhere, so that two writers cannot deadlock.
        rows += [merged[key] for key in sorted(merged, key=str)]
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [orjson.dumps(rows).decode()])


def _merge(into: Row, minute: Row) -> None:
    for name in _COUNTS:
        into[name] = _int(into[name]) + _int(minute[name])
    pairs = zip(_list(into["latency_counts"]), _list(minute["latency_counts"]), strict=True)
    into["latency_counts"] = [one + other for one, other in pairs]
    errors = _dict(into["errors"])
    for name, count in _dict(minute["errors"]).items():
        errors[name] = errors.get(name, 0) + count


def _list(value: object) -> list[int]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, int]:
    return value if isinstance(value, dict) else {}


def start_of(at: object, grain: Grain) -> datetime:
    """Return the beginning of the span of that grain in which an instant lies."""
    if not isinstance(at, datetime):
        raise TypeError(at)
    at = at.replace(second=0, microsecond=0)
    if grain is Grain.MINUTE:
        return at
    if grain is Grain.QUARTER:
        return at.replace(minute=at.minute // 15 * 15)
    return at.replace(minute=0) if grain is Grain.HOUR else at.replace(hour=0, minute=0)
