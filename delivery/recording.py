"""How accepted events become rows: the one statement, its parameters, and what its answer means.

Pure but for the SQL: the sync door runs it on Django's connection, the group commit on its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from catalog.ids import uuid7
from delivery import envelopes
from delivery.cloudevents import dedup_key
from delivery.edge import MAX_HOPS, Accepted, Kind, Refused
from delivery.models.deliveries import NEVER
from delivery.routing import Owed, Route
from delivery.states import DeliveryStatus, SkipReason

# Answers the identifiers of the events that were *not* stored: mostly none.
# Sorted by digest on the way in: overlapping batches in another order would deadlock (measured).
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
        ended_at timestamptz, due_at timestamptz, order_key text)
    JOIN identity ON identity.event_id = owed.event_id
), delivery AS (
    INSERT INTO delivery_delivery (
        id, event_id, subscription_id, environment, status, reason, ended_at)
    SELECT id, event_id, subscription_id, environment, status, reason, ended_at FROM owed
), queued AS (
    INSERT INTO delivery_queue (
        delivery_id, subscription_id, event_id, due_at, attempts, waited_seconds, order_key,
        is_replay)
    SELECT id, subscription_id, event_id, due_at, 0, 0, order_key, false
    FROM owed WHERE due_at IS NOT NULL
)
SELECT id FROM event WHERE NOT EXISTS (SELECT FROM identity WHERE identity.event_id = event.id)
"""
# Read only where an identity stood already: who was first, and what became of that event.
SEEN = """
SELECT digest, event_id, content_digest, (
    SELECT count(*) FROM delivery_delivery delivery
    WHERE delivery.event_id = identity.event_id AND delivery.replay_id IS NULL
    AND delivery.status <> 'skipped')
FROM delivery_eventidentity identity WHERE digest = ANY(%(digests)s)
"""
# An event that a flow made of another stands one hop behind it.
CAUSES = """
SELECT event_id, max(hops) FROM delivery_event
WHERE event_id = ANY(%(ids)s) AND environment = %(environment)s GROUP BY event_id
"""

Parameters = dict[str, str]
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
            digest=dedup_key(environment, envelope.source, envelope.id),
            accepted=accepted,
            route=route,
            received_at=now,
            origin_id=origin_id,
        )

    @property
    def cause(self) -> str:
        """Return the id of the event that this one was made of; empty for none."""
        return self.accepted.text(envelopes.CAUSATION)

    def hops(self, causes: Mapping[str, int]) -> int:
        """Return how far down a chain of flows it stands."""
        sent, cause = self.accepted.hops, self.cause
        if not sent and cause not in causes:
            return 0
        # One more than the limit says enough; a sender's huge number must not overflow a column.
        return min(max(sent, causes[cause] + 1 if cause in causes else 0), MAX_HOPS + 1)

    def owed(self, causes: Mapping[str, int]) -> Iterable[Owed]:
        """Return its deliveries; all skipped where the chain is too long."""
        if self.hops(causes) <= MAX_HOPS:
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


def parameters(events: Sequence[Prepared], causes: Mapping[str, int]) -> Parameters:
    """Return what `INSERT` takes, in an order that no other batch can deadlock with."""
    ordered = sorted(events, key=lambda event: event.digest)
    return {
        "events": orjson.dumps([_event_row(event, causes) for event in ordered]).decode(),
        "owed": orjson.dumps(
            [row for event in ordered for row in _owed_rows(event, causes)]
        ).decode(),
    }


def _event_row(event: Prepared, causes: Mapping[str, int]) -> dict[str, object]:
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
        "causation_id": event.cause,
        "trace_parent": accepted.text(envelopes.TRACE),
        "hops": event.hops(causes),
        "partition_key": accepted.partition_key,
        "extensions": envelopes.further(accepted.extensions),
        "regions": accepted.regions,
        "size_bytes": len(envelope.data_raw or b""),
        "origin_id": event.origin_id,
        "topic_id": accepted.topic.id,
        "data": data,
    }


def _owed_rows(event: Prepared, causes: Mapping[str, int]) -> Iterable[dict[str, object]]:
    for owed in event.owed(causes):
        subscription = owed.subscription
        is_ordered = subscription.is_ordered and not subscription.is_pull
        yield {
            "id": uuid7(),
            "event_id": event.id,
            "subscription_id": subscription.id,
            "environment": event.accepted.publisher.environment,
            "status": (DeliveryStatus.SKIPPED if owed.skipped else DeliveryStatus.PENDING).value,
            "reason": owed.skipped,
            "ended_at": event.received_at if owed.skipped else None,
            "due_at": None if owed.skipped else _due_at(event, is_pull=subscription.is_pull),
            "order_key": (event.accepted.partition_key or None) if is_ordered else None,
        }


def _due_at(event: Prepared, *, is_pull: bool) -> datetime:
    return NEVER if is_pull else event.received_at


def causes_to_ask(events: Iterable[Prepared]) -> dict[str, list[str]]:
    """Return the ids of causes by environment; empty when no event names one."""
    found: dict[str, list[str]] = {}
    for event in events:
        if event.cause:
            found.setdefault(event.accepted.publisher.environment, []).append(event.cause)
    return found


def outcomes(
    events: Sequence[Prepared],
    *,
    refused: Collection[UUID],
    seen: Mapping[bytes, SeenRow],
    causes: Mapping[str, int],
) -> list[Outcome]:
    """Say what became of each event, in order; `refused` stood already, as `seen` says."""
    return [
        _repeated(event, seen) if refused and event.id in refused else _new(event, causes)
        for event in events
    ]


def _new(event: Prepared, causes: Mapping[str, int]) -> Recorded:
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


def woken(
    events: Iterable[Prepared], refused: Collection[UUID], causes: Mapping[str, int]
) -> set[UUID]:
    """Return the subscriptions that have something new to send."""
    return {
        owed.subscription.id
        for event in events
        if not refused or event.id not in refused
        for owed in event.owed(causes)
        if not owed.skipped and not owed.subscription.is_pull
    }
