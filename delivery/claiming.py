"""Taking what is owed from the queue, for a while: a lease, never a lock that outlives a worker.

A claim moves `due_at` to the end of the lease and writes the lease's token. Whoever settles must
hold the token still; a worker that dies simply lets the row become due again.

No statement here is ever prepared on the server: a plan made while the queue was empty would read
the whole table later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction

from catalog.ids import uuid7
from delivery import envelopes
from delivery.cloudevents import ExtensionValue
from delivery.outgoing import Message
from delivery.states import DeliveryStatus
from delivery.targets import Knowledge

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
# Rows that the first look at the queue reads; more than these, and each subscription is asked.
LOOK_ROWS = 500
# Between the clocks of those who write due times, and between writing one and committing it.
MARGIN = timedelta(seconds=2)


class Owed(NamedTuple):
    """A delivery that this process holds, under a lease, until `leased_until`."""

    delivery_id: UUID
    subscription_id: UUID
    event_id: UUID
    due_at: datetime
    attempts: int
    first_attempt_at: datetime | None
    waited_seconds: int
    is_replay: bool
    order_key: str | None
    goes_second: bool | None
    lease: UUID
    leased_until: datetime
    # It is the first of a batch, and goes out with the others.
    batch: Batch | None = None

    def lasts(self, seconds: float, now: datetime) -> bool:
        """Tell whether the lease is longer than that from `now` on."""
        return self.leased_until - now > timedelta(seconds=seconds)

    @property
    def members(self) -> tuple[Owed, ...]:
        """Return it and what goes out with it, in the order of the deliveries."""
        return (self,) if self.batch is None else (self, *self.batch.others)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What goes out in one request behind its first delivery; the id is the request's."""

    id: UUID
    others: tuple[Owed, ...] = ()


_LOOK = """
SELECT subscription_id, count(*), max(due_at) FROM (
    SELECT subscription_id, due_at FROM delivery_queue
    WHERE due_at >= %s AND due_at <= %s ORDER BY due_at LIMIT %s
) look GROUP BY subscription_id
"""

_ASK_EACH = """
SELECT wanted.id FROM unnest(%s::uuid[]) AS wanted(id) WHERE EXISTS (
    SELECT 1 FROM delivery_queue q
    WHERE q.subscription_id = wanted.id AND q.due_at >= %s AND q.due_at <= %s
)
"""

_CLAIM = """
WITH wanted AS (
    SELECT * FROM json_to_recordset(%(wanted)s) AS w(
        subscription_id uuid, room int, low timestamptz, until timestamptz
    )
), picked AS MATERIALIZED (
    SELECT q.delivery_id, q.due_at, w.until FROM wanted w CROSS JOIN LATERAL (
        SELECT delivery_id, due_at FROM delivery_queue q
        WHERE q.subscription_id = w.subscription_id AND q.due_at >= w.low AND q.due_at <= %(now)s
            AND {condition}
        ORDER BY q.due_at LIMIT w.room FOR UPDATE SKIP LOCKED
    ) q
)
UPDATE delivery_queue q SET lease = %(lease)s, due_at = picked.until
FROM picked WHERE q.delivery_id = picked.delivery_id
RETURNING q.delivery_id, q.subscription_id, q.event_id, picked.due_at, q.attempts,
    q.first_attempt_at, q.waited_seconds, q.is_replay, q.order_key,
    q.goes_second
"""


class Which(StrEnum):
    """Which rows of a subscription may be taken."""

    ANY = "TRUE"
    # A person ordered them: they go even while the circuit is open.
    REPLAYS = "q.is_replay"
    # Only the first of each key: it blocks the others while it is out or waits for its next try.
    # Of a parked key only what a person replays. Never while another one of the key is out: one
    # that was published earlier may be stored later.
    FIRST_OF_KEY = """(q.order_key IS NULL OR (
        CASE WHEN EXISTS (
            SELECT 1 FROM delivery_parkedkey parked
            WHERE parked.subscription_id = q.subscription_id AND parked.order_key = q.order_key
        ) THEN q.is_replay ELSE NOT EXISTS (
            SELECT 1 FROM delivery_queue earlier
            WHERE earlier.subscription_id = q.subscription_id
                AND earlier.order_key = q.order_key AND earlier.delivery_id < q.delivery_id
        ) END
        AND NOT EXISTS (
            SELECT 1 FROM delivery_queue other
            WHERE other.subscription_id = q.subscription_id AND other.order_key = q.order_key
                AND other.lease IS NOT NULL AND other.due_at > %(now)s
        )
    ))"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How much to take for one subscription: `room` rows that became due since `low`."""

    subscription_id: UUID
    room: int
    lease_seconds: float
    low: datetime = LONG_AGO
    which: Which = Which.ANY


# What came for a parked key is not due until someone lets it go, so that nobody looks at it again.
HOLD = """
UPDATE delivery_queue q SET due_at = '9999-01-01Z', lease = NULL
FROM delivery_parkedkey parked
WHERE parked.subscription_id = %(subscription)s AND q.subscription_id = parked.subscription_id
    AND q.order_key = parked.order_key AND NOT q.is_replay AND q.due_at < '9999-01-01Z'
    AND (q.lease IS NULL OR q.due_at <= %(now)s)
"""

_EVENTS = """
SELECT e.id, e.environment, e.type_id, e.version_id, e.event_id, e.source, e.subject, e.time,
    e.dataschema, e.correlation_id, e.causation_id, e.trace_parent, e.hops, e.partition_key,
    e.regions, e.extensions, p.data
FROM delivery_event e
LEFT JOIN delivery_payload p ON p.event_id = e.id AND p.event_id = ANY(%s::uuid[])
WHERE e.id = ANY(%s::uuid[])
"""

_RELEASE = """
UPDATE delivery_queue q SET lease = NULL, due_at = r.due_at
FROM json_to_recordset(%s) AS r(delivery_id uuid, lease uuid, due_at timestamptz)
WHERE q.delivery_id = r.delivery_id AND q.lease = r.lease
"""

_END_BACKLOG = """
WITH gone AS (
    DELETE FROM delivery_queue WHERE delivery_id IN (
        SELECT delivery_id FROM delivery_queue
        WHERE subscription_id = ANY(%s::uuid[]) AND (lease IS NULL OR due_at <= %s)
        LIMIT %s FOR UPDATE SKIP LOCKED
    ) RETURNING delivery_id
)
UPDATE delivery_delivery d SET status = %s, reason = %s, ended_at = %s
FROM gone WHERE d.id = gone.delivery_id
"""


def due_subscriptions(
    known: Collection[UUID], *, since: datetime, now: datetime
) -> Collection[UUID]:
    """Return which subscriptions have rows that became due since `since`.

    A short look at the queue's front answers while little is due; else each of `known` is asked,
    so that a large backlog in front hides nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [since, now, LOOK_ROWS])
        rows = cursor.fetchall()
        if sum(count for _, count, _ in rows) < LOOK_ROWS:
            return [subscription_id for subscription_id, _, _ in rows]
        cursor.execute(_ASK_EACH, [_array(known), since, now])
        return [subscription_id for (subscription_id,) in cursor.fetchall()]


def claim(wanted: Iterable[Wanted], *, now: datetime) -> list[Owed]:
    """Take up to `room` due deliveries for each subscription, the oldest due first."""
    by_kind: dict[Which, list[Wanted]] = {}
    for one in wanted:
        by_kind.setdefault(one.which, []).append(one)
    taken = [owed for which, some in by_kind.items() for owed in _claim(some, which, now)]
    taken.sort(key=lambda owed: (owed.due_at, owed.delivery_id))
    return taken


def _claim(wanted: Sequence[Wanted], which: Which, now: datetime) -> list[Owed]:
    ends = {one.subscription_id: now + timedelta(seconds=one.lease_seconds) for one in wanted}
    rows = [
        {
            "subscription_id": one.subscription_id,
            "room": one.room,
            "low": one.low,
            "until": ends[one.subscription_id],
        }
        for one in wanted
    ]
    lease = uuid7()
    statement = _CLAIM.format(condition=which.value)
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"wanted": orjson.dumps(rows).decode(), "now": now, "lease": lease}
        )
        return [Owed._make((*row, lease, ends[row[1]], None)) for row in cursor.fetchall()]


def claim_within(wanted: Wanted, *, most: int | None, now: datetime) -> list[Owed]:
    """Take as `claim` does, so that all workers together hold at most `most` of the subscription.

    Workers take turns at its circuit's row; what one holds is counted until it is settled, or its
    lease has run out. With no `most` they only take turns: each sees what the other took, so no
    key is ever out twice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM delivery_circuit WHERE subscription_id = %s FOR NO KEY UPDATE",
            [wanted.subscription_id],
        )
        if wanted.which is Which.FIRST_OF_KEY:
            cursor.execute(HOLD, {"subscription": wanted.subscription_id, "now": now})
        if most is None:
            return claim([wanted], now=now)
        cursor.execute(
            "SELECT count(*) FROM delivery_queue "
            "WHERE subscription_id = %s AND due_at > %s AND lease IS NOT NULL",
            [wanted.subscription_id, now],
        )
        room = min(wanted.room, most - cursor.fetchone()[0])
        return claim([replace(wanted, room=room)], now=now) if room > 0 else []


def release(owed: Iterable[Owed]) -> None:
    """Give back deliveries that were not tried: they are due as they were before."""
    rows = [
        {"delivery_id": one.delivery_id, "lease": one.lease, "due_at": one.due_at}
        for first in owed
        for one in first.members
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE, [orjson.dumps(rows).decode()])


def skip_backlog(
    subscriptions: Collection[UUID], *, reason: str, now: datetime, limit: int = 1_000
) -> int:
    """End up to `limit` owed deliveries as skipped for `reason`; return how many.

    What is under way at this moment is left to its worker, which asks again before each request.
    """
    if not subscriptions:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _END_BACKLOG,
            [_array(subscriptions), now, limit, DeliveryStatus.SKIPPED, reason, now],
        )
        return int(cursor.rowcount)


def messages(event_ids: Iterable[UUID], known: Knowledge) -> Mapping[UUID, Message]:
    """Return the events, ready to go out; one whose payload is gone says so."""
    wanted = _array(event_ids)
    if wanted == _array(()):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [wanted, wanted])
        rows = [_Stored(*row) for row in cursor.fetchall()]
    return {row.id: _message(row, known) for row in rows}


class _Stored(NamedTuple):
    """The columns of an event that travel, and its payload; rows of the ORM cost twice as much."""

    id: UUID
    environment: str
    type_id: UUID
    version_id: UUID
    event_id: str
    source: str
    subject: str | None
    time: str | None
    dataschema: str | None
    correlation_id: str
    causation_id: str
    trace_parent: str
    hops: int
    partition_key: str
    regions_json: str
    extensions_json: str
    data: str | None

    @property
    def regions(self) -> Sequence[str]:
        """The regions that it is bound to."""
        regions: list[str] = [] if self.regions_json == "[]" else orjson.loads(self.regions_json)
        return regions

    @property
    def extensions(self) -> Mapping[str, ExtensionValue]:
        """The attributes without a column of their own."""
        found: dict[str, ExtensionValue] = (
            {} if self.extensions_json == "{}" else orjson.loads(self.extensions_json)
        )
        return found


def _message(row: _Stored, known: Knowledge) -> Message:
    name = known.type_names.get(row.type_id, "")
    envelope = envelopes.envelope_of(row, row.data, type_name=name)
    deprecation = known.deprecations.get((row.version_id, row.environment))
    return Message(
        event_id=row.id,
        envelope=envelope.extended(deprecation) if deprecation else envelope,
        regions=tuple(row.regions),
        is_gone=row.data is None,
        translations=known.translations.get((row.version_id, row.environment), {}),
    )


def _array(ids: Iterable[UUID]) -> str:
    """Return PostgreSQL's text of an array: one parameter costs less than a list of them."""
    return f"{{{','.join(map(str, ids))}}}"
