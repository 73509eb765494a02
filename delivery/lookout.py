"""What the sweep asks: is there work for which nobody was woken?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from catalog.ids import first_of
from delivery.models.deliveries import COLLECTING
from delivery.states import DisableReason, ReplayState, SubscriptionState

# Who made a batch full woke a worker; the sweep asks for so long whether that got lost.
LATELY = timedelta(seconds=10)
_GOING = [ReplayState.QUEUED.value, ReplayState.RUNNING.value]


class Found(NamedTuple):
    """What waits: deliveries to be sent, replays to go on with, events of the portal to publish."""

    deliveries: bool
    replays: bool
    portal_events: bool


# Asked each second for ever: one statement, and mostly a look at each of four indexes. What is due
# and waits for a person or for an open circuit wakes nobody: its own time comes, or its news. What
# may no longer be sent at all is to be ended.
_LOOK = """
SELECT EXISTS (SELECT FROM delivery_queue WHERE due_at <= now()) AND (
            EXISTS (SELECT FROM delivery_queue WHERE is_replay AND due_at <= now())
            OR EXISTS (
                SELECT FROM delivery_subscription s
                LEFT JOIN delivery_circuit c ON c.subscription_id = s.id
                CROSS JOIN LATERAL (
                    SELECT FROM delivery_queue q
                    WHERE q.subscription_id = s.id AND q.due_at <= now() LIMIT 1
                ) due
                WHERE s.state_reason = %s OR s.state = %s AND (
                    c.next_probe_at IS NULL OR c.next_probe_at <= now()
                    OR s.fallback_endpoint_id IS NOT NULL OR s.fallback_subscription_id IS NOT NULL
                )
            )
        )
        OR coalesce((SELECT delivery_id FROM delivery_queue WHERE batch_id = %s
            ORDER BY delivery_id DESC LIMIT 1) >= %s, false),
    EXISTS (SELECT FROM delivery_replay WHERE state = ANY(%s)),
    EXISTS (SELECT FROM delivery_portalevent WHERE ended_at IS NULL)
"""


def look(*, now: datetime) -> Found:
    """Return what is to be done, due by the database's clock.

    A batch that became full longer ago than `LATELY` before `now` is left to the next drain.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _LOOK,
            [
                DisableReason.NO_GRANT,
                SubscriptionState.ACTIVE,
                COLLECTING,
                first_of(now - LATELY),
                _GOING,
            ],
        )
        return Found(*cursor.fetchone())
