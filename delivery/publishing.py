"""Publishing: the edge, the route and the record of events, for doors that are not in a hurry.

The HTTP door asks `prepare` too and hands the result to the group commit (`delivery.recorder`); so
every door has the same rules and writes by the same statement.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from delivery import edge, knowledge, recording, routing, run_log, signals, tracing
from delivery.cloudevents import Envelope
from delivery.edge import Refused
from delivery.known import Knowledge, Publisher
from delivery.recording import Outcome, Prepared, Recorded
from delivery.tally import UPSERT, Tally


def prepare(
    known: Knowledge,
    publisher: Publisher,
    envelope: Envelope,
    now: datetime,
    *,
    origin_id: UUID | None = None,
    spared: Collection[UUID] = (),
) -> Prepared:
    """Let one event through every rule and pick who gets it; raises `edge.Refused`.

    `spared` names subscriptions that would get it and are not meant this time.
    """
    accepted = edge.accept(known, publisher, envelope, now)
    route = routing.route(accepted, now)
    if spared:
        route = routing.without(route, spared)
    return Prepared.of(accepted, route, now, origin_id=origin_id)


def publish(
    envelope: Envelope, *, publisher: Publisher, now: datetime, origin_id: UUID | None = None
) -> Recorded:
    """Store one event and its deliveries, or nothing.

    `origin_id` names the event that this one corrects or copies. Raises `edge.Refused`, and
    `knowledge.Stale` when nobody can tell what governance allows.
    """
    prepared = prepare(knowledge.current(), publisher, envelope, now, origin_id=origin_id)
    (outcome,) = record([prepared])
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def record(events: Sequence[Prepared]) -> list[Outcome]:
    """Store each event that is new, in one transaction; say what became of each, in order."""
    started_ns, tally = time.time_ns(), Tally()
    with transaction.atomic(), connection.cursor() as cursor:
        causes: recording.Causes = {}
        if named := recording.causes_to_ask(events):
            cursor.execute(recording.CAUSES, named)
            causes = recording.causes_of(cursor.fetchall())
        cursor.execute(recording.INSERT, recording.parameters(events, causes))
        refused = {row[0] for row in cursor.fetchall()}
        decided = recording.decisions(events, refused)
        if decided is not None:
            cursor.execute(recording.DECISIONS, decided)
        digests = [event.digest for event in events if event.id in refused]
        seen = {}
        if digests:
            cursor.execute(recording.SEEN, {"digests": digests})
            seen = {bytes(row[0]): row for row in cursor.fetchall()}
        for event in events:
            if event.id not in refused:
                tally.add(event.route.filtered, event.received_at)
        if tally:
            cursor.execute(UPSERT, tally.take())
        woken = recording.woken(events, refused, causes)
        if woken:
            transaction.on_commit(
                lambda: signals.work_waits.send(None, subscription_ids=woken), robust=True
            )
    outcomes = recording.outcomes(events, refused=refused, seen=seen, causes=causes)
    transaction.on_commit(lambda: note(events, outcomes, started_ns=started_ns), robust=True)
    return outcomes


def note(events: Sequence[Prepared], outcomes: Sequence[Outcome], *, started_ns: int) -> None:
    """Trace and log what was stored new; `started_ns` is when storing began, in Unix time."""
    if not (tracing.is_on() or run_log.is_on()):
        return
    new = [
        event
        for event, one in zip(events, outcomes, strict=True)
        if isinstance(one, Recorded) and not one.is_duplicate
    ]
    tracing.published(new, started_ns=started_ns)
    run_log.published(new)
