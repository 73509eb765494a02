"""What is still owed of old events, so that no clean-up takes it: the rule, as SQL.

Held is an event that waits in the queue (to be sent, or read from a feed), that has an open dead
letter, or that a replay which is not over has yet to send. Held with it are its payload, its
deliveries and their attempts, and what routing rules decided of it.
"""

from __future__ import annotations

from delivery.states import ReplayState

OVER = (ReplayState.DONE.value, ReplayState.CANCELLED.value)
# Answers `event_id` of what is held; takes the key `before` which all asked for lie.
EVENTS = """
SELECT event_id FROM delivery_queue WHERE event_id < %(before)s
UNION SELECT event_id FROM delivery_deadletter
WHERE resolved_at IS NULL AND event_id < %(before)s
UNION SELECT item.event_id FROM delivery_replayitem item
JOIN delivery_replay replay ON replay.id = item.replay_id
WHERE replay.state <> ALL(%(over)s) AND item.refused = '' AND item.ended_at IS NULL
    AND item.event_id < %(before)s
"""
# By table, which rows `{rows}` of it stand or fall with the events of `held`.
BELONGS = {
    "delivery_event": "{rows}.id IN (SELECT event_id FROM held)",
    "delivery_payload": "{rows}.event_id IN (SELECT event_id FROM held)",
    "delivery_delivery": "{rows}.event_id IN (SELECT event_id FROM held)",
    "delivery_attempt": (
        "{rows}.delivery_id IN (SELECT d.id FROM delivery_delivery d "
        "WHERE d.event_id IN (SELECT event_id FROM held))"
    ),
    "delivery_routingdecision": "{rows}.event_id IN (SELECT event_id FROM held)",
}
