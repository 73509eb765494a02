"""Much traffic behind what is there, fast: for seeing how pages fare with a million deliveries.

The database makes the rows itself, for the standing subscriptions and the contracts that it has:
events with payloads, deliveries, attempts and dead letters, then the counts that dashboards read.
No identities are written, so nothing recognises these events when they are published again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from catalog.models import SchemaVersion
from catalog.words import Environment
from delivery import partitions, rollups
from delivery.models import FailureGroup, Subscription
from governance.governed import governed

EVENTS_A_STATEMENT = 20_000
# Shares of the deliveries, each up to this part of 1; the rest arrived, some at the second try.
DEAD, DISCARDED, SKIPPED, SECOND_TRY = 0.004, 0.005, 0.02, 0.08
MESSAGE = "The receiver answered 500."

_LAY = """
WITH made AS MATERIALIZED (
    SELECT i, at, digest, (
        lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
        || substr(digest, 1, 3) || '8' || substr(digest, 4, 15)
    )::uuid AS id
    FROM (
        SELECT i, %(since)s + (%(until)s - %(since)s) * (i::float8 / %(count)s) AS at,
            md5(%(salt)s || i) AS digest
        FROM generate_series(1, %(count)s) i
    ) instants
), event AS (
    INSERT INTO delivery_event (
        id, environment, source, event_id, type_id, version_id, application_id, subject, "time",
        received_at, correlation_id, causation_id, trace_parent, hops, partition_key, extensions,
        regions, size_bytes)
    SELECT id, %(environment)s, %(source)s, 'load-' || digest, %(type)s, %(version)s,
        %(application)s, 'L-' || i, NULL, at, 'corr-' || left(digest, 12), '',
        '00-' || digest || '-' || left(digest, 16) || '-01', 0, '', '{}', '[]', length(%(data)s)
    FROM made
), payload AS (
    INSERT INTO delivery_payload (event_id, topic_id, data) SELECT id, %(topic)s, %(data)s FROM made
), owed AS MATERIALIZED (
    SELECT (left(made.id::text, 14) || '7' || substr(md5(made.digest || s.id), 1, 3) || '-8'
        || substr(md5(made.digest || s.id), 4, 3) || '-' || substr(md5(made.digest || s.id), 7, 12)
        )::uuid AS id,
        made.id AS event_id, made.at, s.id AS subscription_id, s.failure_group, s.url,
        random() AS dice, 20 + 80 * random() AS took
    FROM made
    CROSS JOIN unnest(%(subscriptions)s::uuid[], %(groups)s::uuid[], %(urls)s::text[])
        AS s(id, failure_group, url)
), delivery AS (
    INSERT INTO delivery_delivery (
        id, event_id, subscription_id, environment, status, reason, ended_at, failure_group_id)
    SELECT id, event_id, subscription_id, %(environment)s,
        CASE WHEN dice < %(dead)s THEN 'dead' WHEN dice < %(discarded)s THEN 'discarded'
            WHEN dice < %(skipped)s THEN 'skipped' ELSE 'delivered' END,
        CASE WHEN dice < %(dead)s THEN 'attempts' WHEN dice < %(discarded)s THEN 'Not needed.'
            WHEN dice < %(skipped)s THEN 'expired' ELSE '' END,
        at + interval '1 second', CASE WHEN dice < %(dead)s THEN failure_group END
    FROM owed
), letter AS (
    INSERT INTO delivery_deadletter (
        delivery_id, event_id, subscription_id, failure_group_id, environment, event_type, version,
        "limit", error_class, status_code, message, attempts, first_attempt_at, last_attempt_at,
        died_at, payload, note, resolution)
    SELECT id, event_id, subscription_id, failure_group, %(environment)s, %(type_name)s,
        %(number)s, 'attempts', 'http_status', 500, %(message)s, 1, at, at,
        at + interval '1 second', %(data)s, '', ''
    FROM owed WHERE dice < %(dead)s
), attempt AS (
    INSERT INTO delivery_attempt (
        id, delivery_id, subscription_id, number, started_at, duration_ms, outcome, status_code,
        error_class, message, response_excerpt, url)
    SELECT gen.id, owed.id, subscription_id, tries.number, at, took::int,
        CASE WHEN gen.fails THEN 'failed' ELSE 'delivered' END,
        CASE WHEN gen.fails THEN 500 ELSE 200 END,
        CASE WHEN gen.fails THEN 'http_status' ELSE '' END,
        CASE WHEN gen.fails THEN %(message)s ELSE '' END, '', url
    FROM owed
    CROSS JOIN LATERAL generate_series(1, CASE
        WHEN dice >= %(skipped)s AND dice < %(second)s THEN 2 ELSE 1 END) AS tries(number)
    CROSS JOIN LATERAL (SELECT
        (left(owed.id::text, 14) || '7' || substr(md5(owed.id::text || tries.number), 1, 3) || '-8'
        || substr(md5(owed.id::text || tries.number), 4, 3) || '-'
        || substr(md5(owed.id::text || tries.number), 7, 12))::uuid AS id,
        dice < %(dead)s OR (tries.number = 1 AND dice < %(second)s) AS fails) AS gen
    WHERE dice < %(dead)s OR dice >= %(skipped)s
)
SELECT count(*) FROM owed
"""


class NothingToLoad(Exception):
    """There is no standing subscription to a topic with a live contract: make the demo first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """One version that an application sends, and the subscriptions of its topic."""

    version: SchemaVersion
    application_id: UUID
    subscriptions: Sequence[Subscription]
    groups: Sequence[UUID]


def load(
    deliveries: int,
    *,
    now: datetime,
    span: timedelta = timedelta(days=7),
    environment: str = Environment.PRODUCTION,
) -> int:
    """Write at least so many deliveries that ended within `span` before now; return how many.

    Raises `NothingToLoad` where nobody would receive anything.
    """
    flows = list(_flows(environment, now))
    if not flows:
        raise NothingToLoad(NothingToLoad.__doc__)
    partitions.ensure(now - span, days_ahead=span.days + 1)
    written, turn = 0, 0
    begin = now - span
    while written < deliveries:
        flow = flows[turn % len(flows)]
        left = -(-(deliveries - written) // len(flow.subscriptions))
        written += _lay(
            flow, min(left, EVENTS_A_STATEMENT), turn, environment, since=begin, until=now
        )
        turn += 1
    _count_letters(flows)
    with connection.cursor() as cursor:
        for table in ("event", "payload", "delivery", "attempt", "deadletter", "failuregroup"):
            cursor.execute(f"ANALYZE delivery_{table}")
    rollups.count_again(since=begin, now=now)
    return written


def _flows(environment: str, now: datetime) -> Iterator[Flow]:
    groups: dict[UUID, UUID] = {}
    standing = Subscription.objects.standing().filter(environment=environment)
    by_topic: dict[UUID, list[Subscription]] = {}
    for subscription in standing.select_related("endpoint"):
        by_topic.setdefault(subscription.topic_id, []).append(subscription)
        groups[subscription.pk] = _group(subscription, now)
    versions = SchemaVersion.objects.live_in(environment).select_related("event_type")
    for version in versions.filter(event_type__topic__in=by_topic).order_by("pk"):
        receivers = by_topic[version.event_type.topic_id]
        yield Flow(
            version=version,
            application_id=receivers[0].application_id,
            subscriptions=receivers,
            groups=[groups[one.pk] for one in receivers],
        )


def _group(subscription: Subscription, now: datetime) -> UUID:
    fingerprint = hashlib.sha256(f"load:{subscription.pk}".encode()).hexdigest()
    found = FailureGroup.objects.filter(fingerprint=fingerprint).first()
    if found is not None:
        return found.pk
    with governed(by=None, now=now, reason="Loaded to measure pages."):
        return FailureGroup.objects.create(
            subscription=subscription,
            environment=subscription.environment,
            error_class="http_status",
            status_code=500,
            message=MESSAGE,
            fingerprint=fingerprint,
            first_seen_at=now,
            last_seen_at=now,
        ).pk


def _lay(
    flow: Flow, count: int, turn: int, environment: str, *, since: datetime, until: datetime
) -> int:
    version = flow.version
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _LAY,
            {
                "since": since,
                "until": until,
                "count": count,
                "salt": f"{turn}:{until.timestamp()}:",
                "environment": environment,
                "source": "/load",
                "type": version.event_type_id,
                "version": version.pk,
                "application": flow.application_id,
                "topic": version.event_type.topic_id,
                "data": version.example or "{}",
                "type_name": version.event_type.name,
                "number": version.version,
                "message": MESSAGE,
                "subscriptions": [one.pk for one in flow.subscriptions],
                "groups": list(flow.groups),
                "urls": [one.endpoint.url if one.endpoint else "" for one in flow.subscriptions],
                "dead": DEAD,
                "discarded": DISCARDED,
                "skipped": SKIPPED,
                "second": SECOND_TRY,
            },
        )
        return int(cursor.fetchone()[0])


def _count_letters(flows: Sequence[Flow]) -> None:
    groups = list({group for flow in flows for group in flow.groups})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_failuregroup g SET count = l.n, open_count = l.open, "
            "first_seen_at = l.first, last_seen_at = l.last FROM ("
            "SELECT failure_group_id, count(*) AS n, "
            "count(*) FILTER (WHERE resolved_at IS NULL) AS open, min(died_at) AS first, "
            "max(died_at) AS last FROM delivery_deadletter "
            "WHERE failure_group_id = ANY(%s) GROUP BY 1) l WHERE g.id = l.failure_group_id",
            [groups],
        )
