"""Many deliveries owed to one subscription, put into the tables by COPY."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from catalog.ids import uuid7
from catalog.models import SchemaVersion
from delivery.models import Subscription

DATA = json.dumps({"order_id": "A-100123", "amount": 119.8, "note": "x" * 500})
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def owe(
    subscriptions: list[Subscription], version: SchemaVersion, count: int, *, now: datetime
) -> list[UUID]:
    """Owe `count` new events to each of the subscriptions; return the deliveries' ids."""
    topic_id, application_id = version.event_type.topic_id, subscriptions[0].application_id
    events = [uuid7() for _ in range(count)]
    owed = [(uuid7(), one.pk, event) for event in events for one in subscriptions]
    _copy(
        "delivery_event (id, environment, source, event_id, type_id, version_id, application_id, "
        "received_at, correlation_id, causation_id, trace_parent, hops, partition_key, extensions, "
        "regions, size_bytes)",
        (
            (
                pk, "production", "/bench/shop", str(pk), version.event_type_id, version.pk,
                application_id, now, "c", "", TRACE, 0, "", "{}", "[]", 600,
            )
            for pk in events
        ),
    )  # fmt: skip
    _copy("delivery_payload (event_id, topic_id, data)", ((pk, topic_id, DATA) for pk in events))
    _copy(
        "delivery_delivery (id, event_id, subscription_id, environment, status, reason)",
        ((pk, event, who, "production", "pending", "") for pk, who, event in owed),
    )
    _copy(
        "delivery_queue (delivery_id, subscription_id, event_id, due_at, attempts, "
        "waited_seconds, is_replay)",
        ((pk, who, event, now, 0, 0, False) for pk, who, event in owed),
    )
    return [pk for pk, _who, _event in owed]


_PAST = (
    """INSERT INTO delivery_event (id, environment, source, event_id, type_id, version_id,
        application_id, subject, received_at, correlation_id, causation_id, trace_parent, hops,
        partition_key, extensions, regions, size_bytes)
    SELECT uuidv7(), 'production', '/bench/past', 'past-' || n, %(type)s, %(version)s,
        %(application)s, 'A-' || n %% 1000, now(), md5('c' || n), '',
        '00-' || md5('t' || n) || '-b7ad6b7169203331-01', 0, '', '{}', '[]', 600
    FROM generate_series(1, %(count)s) n""",
    """INSERT INTO delivery_payload (event_id, topic_id, data)
    SELECT id, %(topic)s, %(data)s FROM delivery_event WHERE source = '/bench/past'""",
    """INSERT INTO delivery_eventidentity (digest, event_id, content_digest)
    SELECT uuid_send(id), id, uuid_send(id) FROM delivery_event WHERE source = '/bench/past'""",
    """INSERT INTO delivery_delivery (id, event_id, subscription_id, environment, status, reason,
        ended_at)
    SELECT uuidv7(), id, %(subscription)s, 'production', 'delivered', '', now()
    FROM delivery_event WHERE source = '/bench/past'""",
    """INSERT INTO delivery_attempt (id, delivery_id, subscription_id, number, started_at,
        duration_ms, outcome, status_code, error_class, message, response_excerpt, url)
    SELECT uuidv7(), id, subscription_id, 1, now(), 20, 'delivered', 200, '', '', 'ok', ''
    FROM delivery_delivery WHERE status = 'delivered'""",
    "ANALYZE",
)


def lay_past(subscription: Subscription, version: SchemaVersion, count: int) -> None:
    """Lay `count` delivered events of today, as the engine leaves them (PostgreSQL 18)."""
    values: dict[str, UUID | str | int] = {
        "type": version.event_type_id,
        "version": version.pk,
        "application": subscription.application_id,
        "topic": version.event_type.topic_id,
        "subscription": subscription.pk,
        "data": DATA,
        "count": count,
    }
    with connection.cursor() as cursor:
        for statement in _PAST:
            cursor.execute(statement, values)


def empty() -> None:
    """Throw away every event and delivery."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE delivery_event, delivery_payload, delivery_delivery, delivery_attempt, "
            "delivery_queue"
        )


def _copy(into: str, rows: Any) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
