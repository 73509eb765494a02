"""How accepted events become rows: the one statement, its parameters, and what its answer means.

Pure but for the SQL: the sync door runs it on Django's connection, the group commit on its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from catalog.collecting import Rule
from catalog.ids import uuid7
from delivery import envelopes
from delivery.cloudevents import dedup_key
from delivery.edge import MAX_HOPS, Accepted, Kind, Refused
from delivery.models.deliveries import COLLECTING, NEVER
from delivery.routing import Owed, Route
from delivery.states import DeliveryStatus, SkipReason

# The clocks of hosts that are well kept differ by less.
CLOCKS_APART_SECONDS = 60
# Answers the identifiers of the events that were *not* stored: mostly none.
# Sorted by digest on the way in: overlapping batches in another order would deadlock (measured).
# What is due after so many seconds is due by the database's clock, which workers go by too: that of
# a web host may be wrong. Only times of day are worked out by the publisher's process.
INSERT = """
WITH event AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(events)s) AS event(
        digest text, content text, id uuid, environment text, source text, event_id text,
        type_id uuid, version_id uuid, application_id uuid, subject text, "time" text,
        dataschema text, received_at timestamptz, correlation_id text, causation_id text,
        trace_parent text, hops smallint, partition_key text, extensions jsonb, regions jsonb,
        size_bytes integer, origin_id uuid, topic_id uuid, data text)
), identity AS (
    INSERT INTO delivery_eventidentity (digest, event_id, content_digest)
    SELECT decode(digest, 'hex'), id, decode(content, 'hex') FROM event
    ON CONFLICT (digest) DO NOTHING
    RETURNING event_id
), stored AS (
    INSERT INTO delivery_event (
        id, environment, source, event_id, type_id, version_id, application_id, subject, "time",
        dataschema, received_at, correlation_id, causation_id, trace_parent, hops, partition_key,
        extensions, regions, size_bytes, origin_id)
    SELECT
        event.id, environment, source, event.event_id, type_id, version_id, application_id, subject,
        "time", dataschema, received_at, correlation_id, causation_id, trace_parent, hops,
        partition_key, extensions, regions, size_bytes, origin_id
    FROM event JOIN identity ON identity.event_id = event.id
), payload AS (
    INSERT INTO delivery_payload (event_id, topic_id, data)
    SELECT event.id, topic_id, data FROM event JOIN identity ON identity.event_id = event.id
), owed AS MATERIALIZED (
    SELECT owed.* FROM json_to_recordset(%(owed)s) AS owed(
        id uuid, event_id uuid, subscription_id uuid, environment text, status text, reason text,
        ended_at timestamptz, waits int, due_at timestamptz, order_key text, batch_id uuid)
    JOIN identity ON identity.event_id = owed.event_id
), delivery AS (
    INSERT INTO delivery_delivery (
        id, event_id, subscription_id, environment, status, reason, ended_at)
    SELECT id, event_id, subscription_id, environment, status, reason, ended_at FROM owed
), queued AS (
    INSERT INTO delivery_queue (
        delivery_id, subscription_id, event_id, due_at, attempts, waited_seconds, order_key,
        is_replay, batch_id)
    SELECT id, subscription_id, event_id, least(due_at, now() + make_interval(secs => waits)),
        0, 0, order_key, false, batch_id
    FROM owed WHERE ended_at IS NULL
)
SELECT id FROM event WHERE NOT EXISTS (SELECT FROM identity WHERE identity.event_id = event.id)
"""
# Run only where a rule had a say in it; without rules publishing is the one statement above.
DECISIONS = """
INSERT INTO delivery_routingdecision (
    id, event_id, subscription_id, rule_id, rule_version, effect)
SELECT id, event_id, subscription_id, rule_id, rule_version, effect
FROM json_to_recordset(%(decisions)s) AS decision(
    id uuid, event_id uuid, subscription_id uuid, rule_id uuid, rule_version integer, effect text)
"""
# Read only where an identity stood already: who was first, and what became of that event.
SEEN = """
SELECT digest, event_id, content_digest, (
    SELECT count(*) FROM delivery_delivery delivery
    WHERE delivery.event_id = identity.event_id AND delivery.replay_id IS NULL
    AND delivery.status <> 'skipped')
FROM delivery_eventidentity identity WHERE digest = ANY(%(digests)s)
"""
# An event that a flow made of another stands one hop behind it. A cause is what the publisher's
# team published or was to be sent: else anybody could take a cause's id, far down a chain that
# never was, and have what is made of the true one stopped.
CAUSES = """
SELECT named.application_id, named.environment, named.cause, max(e.hops)
FROM json_to_recordset(%(named)s) AS named(
    application_id uuid, environment text, cause text, key uuid)
JOIN catalog_application publisher ON publisher.id = named.application_id
JOIN delivery_event e
    ON (e.event_id = named.cause OR e.id = named.key) AND e.environment = named.environment
WHERE EXISTS (
    SELECT FROM catalog_application a
    WHERE a.id = e.application_id AND a.team_id = publisher.team_id)
OR EXISTS (
    SELECT FROM delivery_delivery d
    JOIN delivery_subscription s ON s.id = d.subscription_id
    JOIN catalog_application a ON a.id = s.application_id
    WHERE d.event_id = e.id AND a.team_id = publisher.team_id)
GROUP BY 1, 2, 3
"""

Parameters = dict[str, str]
# Who names it, where, and how: by the id that its source gave it, or by ours.
Cause = tuple[UUID, str, str]
Causes = Mapping[Cause, int]
SeenRow = tuple[bytes, UUID, bytes, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """An accepted event with its identifier and its route: all that storing it needs."""

    id: UUID
    digest: bytes
    accepted: Accepted
    route: Route
    received_at: datetime
    origin_id: UUID | None = None

    @classmethod
    def of(
        cls, accepted: Accepted, route: Route, now: datetime, *, origin_id: UUID | None = None
    ) -> Prepared:
        """Give the event its identifier and its identity."""
        envelope = accepted.envelope
        environment = accepted.publisher.environment
        return cls(
            id=uuid7(),
            digest=dedup_key(
                environment, accepted.publisher.application_id, envelope.source, envelope.id
            ),
            accepted=accepted,
            route=route,
            received_at=now,
            origin_id=origin_id,
        )

    @property
    def size_bytes(self) -> int:
        """Return how long the text of its data is."""
        return len(self.accepted.envelope.data_raw or b"")

    @property
    def cause(self) -> Cause:
        """Return the event that this one says it was made of; its id is empty for none."""
        publisher = self.accepted.publisher
        named = self.accepted.text(envelopes.CAUSATION)
        return publisher.application_id, publisher.environment, named

    def hops(self, causes: Causes) -> int:
        """Return how far down a chain of flows it stands."""
        sent, before = self.accepted.hops, causes.get(self.cause) if causes else None
        # One more than the limit says enough; a sender's huge number must not overflow a column.
        return min(max(sent, 0 if before is None else before + 1), MAX_HOPS + 1)

    def owed(self, causes: Causes) -> Iterable[Owed]:
        """Return its deliveries; all skipped where the chain is too long."""
        if (not causes and self.accepted.hops <= MAX_HOPS) or self.hops(causes) <= MAX_HOPS:
            return self.route.owed
        limit = SkipReason.HOP_LIMIT.value
        return tuple(Owed(subscription=one.subscription, skipped=limit) for one in self.route.owed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What became of an event: new, or a duplicate of one that stood already."""

    id: str
    source: str
    is_duplicate: bool
    deliveries: int


Outcome = Recorded | Refused


def parameters(events: Sequence[Prepared], causes: Causes) -> Parameters:
    """Return what `INSERT` takes, in an order that no other batch can deadlock with."""
    ordered = sorted(events, key=lambda event: event.digest)
    return {
        "events": orjson.dumps([_event_row(event, causes) for event in ordered]).decode(),
        # Deliveries in the order in which the events came: their ids are the order of a key.
        "owed": orjson.dumps(
            [row for event in events for row in _owed_rows(event, causes)]
        ).decode(),
    }


def _event_row(event: Prepared, causes: Causes) -> dict[str, object]:
    accepted = event.accepted
    envelope = accepted.envelope
    data = envelope.data_raw.decode() if envelope.data_raw is not None else ""
    return {
        "digest": event.digest.hex(),
        "content": accepted.content.hex(),
        "id": event.id,
        "environment": accepted.publisher.environment,
        "source": envelope.source,
        "event_id": envelope.id,
        "type_id": accepted.event_type.id,
        "version_id": accepted.version.id,
        "application_id": accepted.publisher.application_id,
        "subject": envelope.subject,
        "time": envelope.time_text,
        "dataschema": envelope.dataschema,
        "received_at": event.received_at,
        "correlation_id": accepted.text(envelopes.CORRELATION),
        "causation_id": event.cause[-1],
        "trace_parent": accepted.text(envelopes.TRACE),
        "hops": event.hops(causes),
        "partition_key": accepted.partition_key,
        "extensions": envelopes.further(accepted.extensions),
        "regions": accepted.regions,
        "size_bytes": event.size_bytes,
        "origin_id": event.origin_id,
        "topic_id": accepted.topic.id,
        "data": data,
    }


def _owed_rows(event: Prepared, causes: Causes) -> Iterable[dict[str, object]]:
    for owed in event.owed(causes):
        subscription = owed.subscription
        is_ordered = subscription.is_ordered and not subscription.is_pull
        row: dict[str, object] = {
            "id": uuid7(),
            "event_id": event.id,
            "subscription_id": subscription.id,
            "environment": event.accepted.publisher.environment,
            "status": (DeliveryStatus.SKIPPED if owed.skipped else DeliveryStatus.PENDING).value,
            "reason": owed.skipped,
            "ended_at": event.received_at if owed.skipped else None,
            "order_key": (event.accepted.partition_key or None) if is_ordered else None,
        }
        if subscription.is_pull:
            row["due_at"] = NEVER
        elif subscription.collects is not None:
            row["batch_id"] = COLLECTING
            row["waits"], row["due_at"] = _waits(subscription.collects, event.received_at)
        else:
            row["waits"] = 0
        yield row


def _waits(rule: Rule, at: datetime) -> tuple[int | None, datetime | None]:
    """Return how long a batch may wait for more, and until when; whichever ends first counts.

    A time of day is as far away as this process thinks, and a minute: if its clock is ahead by
    days, its night is not the one that is meant.
    """
    next_at, wait = rule.next_time(at), rule.wait_seconds
    if next_at is None:
        return wait, None
    until = int((next_at - at).total_seconds()) + CLOCKS_APART_SECONDS
    return until if wait is None else min(wait, until), next_at


def causes_to_ask(events: Iterable[Prepared]) -> Parameters | None:
    """Return what `CAUSES` takes; None when no event names a cause."""
    named = {event.cause for event in events if event.cause[-1]}
    if not named:
        return None
    rows = [
        {"application_id": who, "environment": where, "cause": cause, "key": _our_id(cause)}
        for who, where, cause in sorted(named)
    ]
    return {"named": orjson.dumps(rows).decode()}


def causes_of(rows: Iterable[tuple[UUID, str, str, int]]) -> Causes:
    """Return the hops of causes from the rows that `CAUSES` answered."""
    return {(who, where, cause): hops for who, where, cause, hops in rows}


def _our_id(cause: str) -> UUID | None:
    """Return the cause as an id of ours, as flows know it from `webhook-id`; None if it is none."""
    try:
        return UUID(cause.removeprefix("msg_"))
    except ValueError:
        return None


def decisions(events: Iterable[Prepared], refused: Collection[UUID]) -> Parameters | None:
    """Return what `DECISIONS` takes, of the events that were stored; None where no rule decided."""
    rows = [
        {
            "id": uuid7(),
            "event_id": event.id,
            "subscription_id": ruling.subscription_id,
            "rule_id": ruling.rule.id,
            "rule_version": ruling.rule.version,
            "effect": ruling.effect.value,
        }
        for event in events
        if event.route.rulings and event.id not in refused
        for ruling in event.route.rulings
    ]
    return {"decisions": orjson.dumps(rows).decode()} if rows else None


def outcomes(
    events: Sequence[Prepared],
    *,
    refused: Collection[UUID],
    seen: Mapping[bytes, SeenRow],
    causes: Causes,
) -> list[Outcome]:
    """Say what became of each event, in order; `refused` stood already, as `seen` says."""
    return [
        _repeated(event, seen) if refused and event.id in refused else _new(event, causes)
        for event in events
    ]


def _new(event: Prepared, causes: Causes) -> Recorded:
    envelope = event.accepted.envelope
    count = sum(1 for owed in event.owed(causes) if not owed.skipped)
    return Recorded(id=envelope.id, source=envelope.source, is_duplicate=False, deliveries=count)


def _repeated(event: Prepared, seen: Mapping[bytes, SeenRow]) -> Outcome:
    envelope = event.accepted.envelope
    _digest, first_id, content, deliveries = seen[event.digest]
    if bytes(content) != event.accepted.content:
        message = (
            f"An event with id {envelope.id} of {envelope.source} was stored before, "
            "with other content."
        )
        return Refused(Kind.OTHER_CONTENT, message, errors=(("/id", message),))
    return Recorded(
        id=envelope.id,
        source=envelope.source,
        # A commit whose answer got lost is tried again: then the first one was this very event.
        is_duplicate=first_id != event.id,
        deliveries=deliveries,
    )


def woken(events: Iterable[Prepared], refused: Collection[UUID], causes: Causes) -> set[UUID]:
    """Return the subscriptions that have something new to send."""
    return {
        owed.subscription.id
        for event in events
        if not refused or event.id not in refused
        for owed in event.owed(causes)
        if not owed.skipped and not owed.subscription.is_pull
    }
