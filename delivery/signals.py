"""News of delivery, one signal per fact.

Facts of subscriptions are sent inside the transaction with `sender=Subscription, thing, by, now`.
`work_waits` is sent after the commit with `subscription_ids`: a wake-up, which may be lost.
"""

from __future__ import annotations

from django.dispatch import Signal

subscription_created = Signal()
subscription_changed = Signal()
subscription_paused = Signal()
subscription_resumed = Signal()
subscription_disabled = Signal()
subscription_ended = Signal()
secret_rotated = Signal()
work_waits = Signal()

# Sent inside the transaction by workers, with `thing`, `by=None`, `now`.
failure_opened = Signal()
failure_reopened = Signal()
failure_resolved = Signal()
failure_assigned = Signal()  # by a person, with `thing` as it is now, `by` and `now`
circuit_opened = Signal()
circuit_closed = Signal()
endpoint_failing = Signal()  # with `percent` of the time after which the subscription is disabled
delivery_failing = (
    Signal()
)  # with `attempts`: one event has failed so often that someone should look
replay_awaits_approval = Signal()
replay_held = Signal()  # its first delivery did not arrive
replay_ended = Signal()  # with `arrived`
