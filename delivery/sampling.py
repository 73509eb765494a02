"""How much waits and for how long, written down once a minute: dashboards draw it over time."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from delivery import rollups
from delivery.models import RollupMark
from delivery.models.counts import Grain

MARK = "backlog"

# A level that was reached in the span; the row may be there already for what flowed in it.
_SAMPLE = """
INSERT INTO delivery_rollup AS r (
    grain, at, environment, topic_id, subscription_id, application_id, published, delivered,
    first_try, failed_attempts, dead, skipped, discarded, retries, latency_counts, errors, backlog,
    oldest_seconds
)
SELECT span.grain, span.at, s.environment, s.topic_id, s.id, s.application_id, 0, 0, 0, 0, 0, 0, 0,
    0, '{}', '{}', waiting.count, waiting.seconds
FROM (
    -- A delivery's key begins with the milliseconds at which its event was recorded.
    SELECT subscription_id, count(*) AS count, greatest(0, (extract(epoch FROM %(now)s) - (
        'x' || left(replace(min(delivery_id::text), '-', ''), 12))::bit(48)::bigint / 1000
    )::int) AS seconds
    FROM delivery_queue GROUP BY subscription_id
) waiting
JOIN delivery_subscription s ON s.id = waiting.subscription_id
CROSS JOIN (VALUES
    ('minute', %(minute)s::timestamptz), ('quarter', %(quarter)s::timestamptz),
    ('hour', %(hour)s::timestamptz), ('day', %(day)s::timestamptz)
) AS span(grain, at)
ORDER BY s.id, span.grain
ON CONFLICT (
    grain, at, environment, topic_id, event_type_id, subscription_id, application_id
) DO UPDATE SET
    backlog = greatest(r.backlog, excluded.backlog),
    oldest_seconds = greatest(r.oldest_seconds, excluded.oldest_seconds)
"""


def sample(*, now: datetime) -> bool:
    """Write down how much waits for each subscription, once a minute; tell whether it was due.

    Counting a queue costs as much as it is long, so it is done here and not by pages.
    """
    minute = now.replace(second=0, microsecond=0)
    RollupMark.objects.get_or_create(name=MARK)
    with transaction.atomic():
        due = Q(at__lt=minute) | Q(at=None)
        marks = RollupMark.objects.select_for_update(skip_locked=True).filter(name=MARK)
        mark = marks.filter(due).first()
        if mark is None:
            return False
        starts = {grain.value: rollups.start_of(minute, grain) for grain in Grain}
        with connection.cursor() as cursor:
            cursor.execute(_SAMPLE, {"now": now, **starts})
        mark.at = minute
        mark.save(update_fields=["at"])
    return True
