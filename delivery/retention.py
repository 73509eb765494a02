"""How long payloads, records and identities are kept.

Payloads go by their topic's retention. Events, deliveries and attempts go by days, as partitions,
after `configuration.kept_days()`, or after the longest retention of a topic where that is longer:
what a topic promises is kept. Identities have a window of their own. Nothing that is still owed is
dropped: see `holding`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Max

from catalog.ids import first_of
from catalog.models import Topic
from delivery import configuration, holding, partitions, rollups, values
from delivery.models import ContractBreach, FilteredCount

BATCH = 5_000
COUNTS_KEPT = timedelta(days=90)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What one clean-up did: partitions by name, the rest as counts."""

    made: tuple[str, ...]
    dropped: tuple[str, ...]
    payloads: int
    identities: int


def keep(*, now: datetime) -> Kept:
    """Make the coming partitions and delete what is past its retention."""
    made = partitions.ensure(now)
    rollups.forget(now=now)
    FilteredCount.objects.filter(minute__lt=now - COUNTS_KEPT).delete()
    ContractBreach.objects.filter(day__lt=(now - COUNTS_KEPT).date()).delete()
    payloads = 0
    for topic_id, days in Topic.objects.values_list("pk", "retention_days"):
        payloads += _delete_payloads(topic_id, now - timedelta(days=days))
        values.forget(topic_id=topic_id, before=now - timedelta(days=days))
    end = events_until(now)
    dropped = partitions.drop_before(end.astimezone(UTC).date())
    partitions.sweep_default(end)
    identities = _forget_identities(now - timedelta(days=configuration.identities_kept_days()))
    for warning in warnings(now=now):
        logger.warning(warning)
    return Kept(made=tuple(made), dropped=tuple(dropped), payloads=payloads, identities=identities)


def warnings(*, now: datetime) -> list[str]:
    """Say what is wrong with the tables that are kept by days; none when all is well."""
    return partitions.warnings(now, kept_since=events_until(now))


def events_until(now: datetime) -> datetime:
    """Return the instant before which events are no longer kept; at the earliest the year 1970."""
    promised = Topic.objects.aggregate(longest=Max("retention_days"))["longest"] or 0
    days = max(configuration.kept_days(), promised)
    oldest = datetime(1970, 1, 1, tzinfo=UTC)
    return now - timedelta(days=days) if days < (now - oldest).days else oldest


def _delete_payloads(topic_id: UUID, before: datetime) -> int:
    """Delete a topic's payloads from before an instant, a batch at a time.

    What is held keeps its payload: it could not be sent without. Letters that are settled keep the
    case, and no copy of the data.
    """
    bound = first_of(before)
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH held AS MATERIALIZED ({holding.EVENTS}) "  # noqa: S608 - our own words
                "DELETE FROM delivery_payload p WHERE p.event_id = ANY(ARRAY("
                "SELECT event_id FROM delivery_payload o "
                "WHERE o.topic_id = %(topic)s AND o.event_id < %(before)s "
                "AND o.event_id NOT IN (SELECT event_id FROM held) "
                "ORDER BY o.event_id LIMIT %(batch)s))",
                {
                    "topic": topic_id,
                    "before": bound,
                    "batch": BATCH,
                    "over": list(holding.OVER),
                },
            )
            deleted = int(cursor.rowcount)
        total += deleted
        if deleted < BATCH:
            break
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_deadletter l SET payload = '' FROM delivery_subscription s "
            "WHERE s.id = l.subscription_id AND s.topic_id = %s AND l.event_id < %s "
            "AND l.resolved_at IS NOT NULL AND l.payload <> ''",
            [topic_id, bound],
        )
    return total


def _forget_identities(before: datetime) -> int:
    """Forget that events from before an instant were seen, a batch at a time; return how many."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM delivery_eventidentity WHERE ctid = ANY(ARRAY("
                "SELECT ctid FROM delivery_eventidentity WHERE event_id < %s LIMIT %s))",
                [first_of(before), BATCH],
            )
            deleted = int(cursor.rowcount)
        total += deleted
        if deleted < BATCH:
            return total
