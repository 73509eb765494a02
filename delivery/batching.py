"""Sending together: what waits is collected under one mark, and frozen into a batch when it goes.

    collected (`batch_id` is COLLECTING, due when it must go at the latest)
        ──► a batch of its own id, leased ──► delivered, or due again as the same batch
                                          └─► refused one by one: back among what is collected

Workers take turns at the subscription's circuit row, so its batches are counted over all of them.
Queue rows of other subscriptions have no `batch_id`: the index here holds none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction

from catalog.collecting import Rule
from catalog.ids import first_of, uuid7
from delivery.claiming import HOLD, LONG_AGO, Batch, Owed, Wanted, Which
from delivery.models import QueueRow, Subscription
from delivery.models.deliveries import COLLECTING
from delivery.states import Batching, DeliveryMode


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How a subscription wants its batches: `most` at once, over all workers."""

    rule: Rule
    most: int
    is_ordered: bool = False


class _Waiting(NamedTuple):
    """A collected delivery, as far as making a batch needs it."""

    delivery_id: UUID
    size_bytes: int
    due_at: datetime
    attempts: int
    is_replay: bool
    goes_second: bool


class _Frozen(NamedTuple):
    """A batch that was made before and has not ended."""

    id: UUID
    due_at: datetime
    is_out: bool
    is_replay: bool
    events: int


# Only what came lately can have filled a batch; `queue_collected` holds nothing else.
COLLECTING_NOW = """
SELECT DISTINCT subscription_id FROM (
    SELECT subscription_id FROM delivery_queue WHERE batch_id = %s AND delivery_id >= %s
    ORDER BY delivery_id OFFSET 0 -- in the order of the index, so that no other is taken
) lately
"""

_FULL = """
SELECT w.id FROM json_to_recordset(%s) AS w(id uuid, events int, bytes bigint)
CROSS JOIN LATERAL (
    SELECT count(*) AS events, sum(size_bytes) AS bytes FROM (
        SELECT e.size_bytes FROM delivery_queue q LEFT JOIN delivery_event e ON e.id = q.event_id
        WHERE q.subscription_id = w.id AND q.batch_id = %s AND q.attempts = 0 AND NOT q.is_replay
            AND q.due_at < '9999-01-01Z'
        ORDER BY q.delivery_id LIMIT w.events
    ) waiting
) collected
WHERE collected.events >= w.events OR collected.bytes >= w.bytes
"""

_TURN = "SELECT 1 FROM delivery_circuit WHERE subscription_id = %s FOR NO KEY UPDATE"

# What came before the subscription took batches, or while a process did not know yet.
_ADOPT = """
UPDATE delivery_queue SET batch_id = %s
WHERE subscription_id = %s AND batch_id IS NULL AND due_at <= %s
"""

_STANDING = """
SELECT batch_id, min(due_at), bool_or(lease IS NOT NULL AND due_at > %s), bool_or(is_replay),
    count(*)
FROM delivery_queue WHERE subscription_id = %s AND batch_id > %s
GROUP BY batch_id ORDER BY min(due_at), batch_id
"""

# A try that failed, and a replay, wait for their time; what is new may go before it.
_COLLECTED = """
SELECT q.delivery_id, coalesce(e.size_bytes, 0), q.due_at, q.attempts, q.is_replay,
    coalesce(q.goes_second, false)
FROM delivery_queue q LEFT JOIN delivery_event e ON e.id = q.event_id
WHERE q.subscription_id = %s AND q.batch_id = %s AND {condition}
    AND (q.due_at <= %s OR (q.attempts = 0 AND NOT q.is_replay)) AND q.due_at < '9999-01-01Z'
ORDER BY q.delivery_id LIMIT %s FOR UPDATE OF q SKIP LOCKED
"""

_TAKE = """
UPDATE delivery_queue q SET batch_id = r.batch_id, lease = %s, due_at = %s
FROM json_to_recordset(%s) AS r(delivery_id uuid, batch_id uuid)
WHERE q.delivery_id = r.delivery_id
RETURNING q.batch_id, q.delivery_id, q.subscription_id, q.event_id, q.attempts,
    q.first_attempt_at, q.waited_seconds, q.is_replay, q.order_key,
    q.goes_second
"""

_MEMBERS = """
SELECT delivery_id, batch_id FROM delivery_queue
WHERE subscription_id = %s AND batch_id = ANY(%s::uuid[]) FOR UPDATE SKIP LOCKED
"""

# Here and below: due by the database's clock, should the one of who changes the rule be ahead.
_ONE_BY_ONE = """
UPDATE delivery_queue SET batch_id = NULL,
    due_at = CASE WHEN attempts = 0 THEN least(due_at, %s, now()) ELSE due_at END
WHERE subscription_id = ANY(%s) AND batch_id IS NOT NULL AND lease IS NULL
"""

_BY_THE_RULE = """
UPDATE delivery_queue SET batch_id = %(mark)s,
    due_at = CASE WHEN attempts = 0 AND NOT is_replay
        THEN least(%(due)s, now() + make_interval(secs => %(waits)s)) ELSE due_at END
WHERE subscription_id = ANY(%(ids)s) AND (batch_id IS NULL OR batch_id = %(mark)s)
    AND lease IS NULL AND (batch_id IS NULL OR due_at > %(now)s) AND due_at < '9999-01-01Z'
"""


def full(rules: Mapping[UUID, Rule], *, since: datetime) -> list[UUID]:
    """Return which subscriptions have collected a whole batch before its time.

    Only those are asked for which something came since then.
    """
    if not rules:
        return []
    with connection.cursor() as cursor:
        cursor.execute(COLLECTING_NOW, [COLLECTING, first_of(since)])
        rows = [
            {"id": pk, "events": rules[pk].max_events, "bytes": rules[pk].max_bytes}
            for (pk,) in cursor.fetchall()
            if pk in rules
        ]
        if not rows:
            return []
        cursor.execute(_FULL, [orjson.dumps(rows).decode(), COLLECTING])
        return [pk for (pk,) in cursor.fetchall()]


def claim(wanted: Wanted, terms: Terms, *, now: datetime) -> list[Owed]:
    """Take up to `room` batches that may go now, those that were tried before first.

    Each is its first delivery, with the others behind it (`Owed.batch`). Of an ordered
    subscription only one is out, or waits for its next try, at any time.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TURN, [wanted.subscription_id])
        # Once in a while is often enough for what is rare (see `Window.low`).
        if terms.is_ordered:
            cursor.execute(HOLD, {"subscription": wanted.subscription_id, "now": now})
        if wanted.low == LONG_AGO:
            cursor.execute(_ADOPT, [COLLECTING, wanted.subscription_id, now])
        cursor.execute(_STANDING, [now, wanted.subscription_id, COLLECTING])
        standing = [_Frozen(*row) for row in cursor.fetchall()]
        most = 1 if terms.is_ordered else terms.most
        room = min(wanted.room, most - sum(one.is_out for one in standing))
        if room <= 0:
            return []
        again = _due_again(standing, wanted, terms, now)[:room]
        batches = _members(wanted.subscription_id, again)
        if len(again) < room and not (terms.is_ordered and standing):
            batches += _frozen_now(wanted, terms, room=room - len(again), now=now)
        return _take(batches, wanted, now) if batches else []


def _due_again(
    standing: Sequence[_Frozen], wanted: Wanted, terms: Terms, now: datetime
) -> list[_Frozen]:
    first = sorted(standing, key=lambda one: one.id)[:1]
    return [
        one
        for one in (first if terms.is_ordered else standing)
        if not one.is_out
        and one.due_at <= now
        and (wanted.which is not Which.REPLAYS or one.is_replay)
    ]


def _members(subscription_id: UUID, batches: Sequence[_Frozen]) -> list[tuple[UUID, UUID]]:
    """Return the deliveries of frozen batches, as (delivery, batch).

    A batch of which someone else holds a row waits: it goes whole, or its id would tell a receiver
    that it had the rest already.
    """
    if not batches:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [subscription_id, [one.id for one in batches]])
        found = [(delivery_id, batch_id) for delivery_id, batch_id in cursor.fetchall()]
    held = Counter(batch_id for _delivery_id, batch_id in found)
    whole = {one.id for one in batches if held[one.id] == one.events}
    return [(delivery_id, batch_id) for delivery_id, batch_id in found if batch_id in whole]


def _frozen_now(
    wanted: Wanted, terms: Terms, *, room: int, now: datetime
) -> list[tuple[UUID, UUID]]:
    """Return the new batches that may be made of what is collected, as (delivery, batch)."""
    if terms.is_ordered and _waits_for_a_try(wanted.subscription_id, now):
        return []
    condition = Which.REPLAYS if wanted.which is Which.REPLAYS else Which.ANY
    with connection.cursor() as cursor:
        cursor.execute(
            _COLLECTED.format(condition=condition.value),
            [wanted.subscription_id, COLLECTING, now, room * terms.rule.max_events],
        )
        waiting = [_Waiting(*row) for row in cursor.fetchall()]
    batches = _cut(waiting, terms, now)[:room]
    return [(one.delivery_id, pk) for batch in batches for pk in (uuid7(),) for one in batch]


def _waits_for_a_try(subscription_id: UUID, now: datetime) -> bool:
    return QueueRow.objects.filter(
        subscription_id=subscription_id, batch_id=COLLECTING, attempts__gt=0, due_at__gt=now
    ).exists()


def _cut(waiting: Sequence[_Waiting], terms: Terms, now: datetime) -> list[list[_Waiting]]:
    """Return what goes together: what is new by the rule, tries and replays among their like."""
    kinds = sorted(waiting, key=lambda one: (-one.attempts, one.is_replay, one.goes_second))
    batches = [
        batch
        for _kind, some in groupby(
            kinds, key=lambda one: (one.attempts, one.is_replay, one.goes_second)
        )
        for batch in terms.rule.cut(some, now=now)
    ]
    return batches[:1] if terms.is_ordered else batches


def _take(batches: Sequence[tuple[UUID, UUID]], wanted: Wanted, now: datetime) -> list[Owed]:
    lease, until = uuid7(), now + timedelta(seconds=wanted.lease_seconds)
    rows = [{"delivery_id": pk, "batch_id": batch} for pk, batch in batches]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [lease, until, orjson.dumps(rows).decode()])
        taken = sorted(cursor.fetchall())
    return [
        _batch(batch_id, [_owed(row[1:], now, lease, until) for row in some])
        for batch_id, some in groupby(taken, key=lambda row: row[0])
    ]


def _owed(row: Sequence[object], now: datetime, lease: UUID, until: datetime) -> Owed:
    delivery_id, subscription_id, event_id, *rest = row
    return Owed._make((delivery_id, subscription_id, event_id, now, *rest, lease, until, None))


def _batch(batch_id: UUID, members: Sequence[Owed]) -> Owed:
    first, *others = members
    return first._replace(batch=Batch(id=batch_id, others=tuple(others)))


def take_out(delivery_ids: Collection[UUID]) -> None:
    """Put deliveries that a receiver refused back among what is collected: they go in another."""
    QueueRow.objects.filter(pk__in=delivery_ids).update(batch_id=COLLECTING)


def follow_topic(topic_id: UUID, *, now: datetime) -> None:
    """Let what waits go by the topic's new rule, where subscriptions follow it."""
    rows = Subscription.objects.standing().filter(topic_id=topic_id, batching=Batching.TOPIC)
    for one in rows.select_related("topic"):
        follow(one, now=now)


def follow(subscription: Subscription, *, now: datetime) -> None:
    """Let what waits go by the subscription's new rule; what is under way is left to its worker.

    A batch that was tried keeps together, unless events now come one by one.
    """
    if subscription.mode == DeliveryMode.PULL:
        return
    rule = subscription.collecting_rule
    with connection.cursor() as cursor:
        if rule is None:
            cursor.execute(_ONE_BY_ONE, [now, [subscription.pk]])
        else:
            cursor.execute(
                _BY_THE_RULE,
                {
                    "mark": COLLECTING,
                    "due": rule.next_time(now),
                    "waits": rule.wait_seconds,
                    "now": now,
                    "ids": [subscription.pk],
                },
            )


def collected(subscription_ids: Iterable[UUID]) -> Mapping[UUID, int]:
    """Return how many events each subscription has collected for its next batch."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT subscription_id, count(*) FROM delivery_queue "
            "WHERE subscription_id = ANY(%s) AND batch_id = %s AND attempts = 0 "
            "AND NOT is_replay GROUP BY subscription_id",
            [list(subscription_ids), COLLECTING],
        )
        return dict(cursor.fetchall())
