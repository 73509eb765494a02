"""How long payloads and records are kept."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from catalog.ids import first_of
from catalog.models import Topic
from delivery import partitions, rollups
from delivery.models import FilteredCount

BATCH = 5_000
FILTERED_KEPT = timedelta(days=90)


def keep(*, now: datetime) -> int:
    """Make the coming partitions and delete what is past its retention; return payloads deleted."""
    partitions.ensure(now)
    rollups.forget(now=now)
    FilteredCount.objects.filter(minute__lt=now - FILTERED_KEPT).delete()
    return sum(
        _delete_payloads(topic_id, now - timedelta(days=days))
        for topic_id, days in Topic.objects.values_list("pk", "retention_days")
    )


def _delete_payloads(topic_id: UUID, before: datetime) -> int:
    """Delete a topic's payloads from before an instant, a batch at a time.

    What is still owed keeps its payload: it would otherwise end as expired.
    """
    total: int = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM delivery_payload p WHERE p.event_id = ANY(ARRAY("
                "SELECT event_id FROM delivery_payload o WHERE o.topic_id = %s AND o.event_id < %s "
                "AND NOT EXISTS (SELECT 1 FROM delivery_queue q WHERE q.event_id = o.event_id) "
                "ORDER BY o.event_id LIMIT %s))",
                [topic_id, first_of(before), BATCH],
            )
            deleted = int(cursor.rowcount)
        total += deleted
        if deleted < BATCH:
            return total
