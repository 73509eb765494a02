"""News of delivery, one signal per fact.

The facts of subscriptions are sent inside the transaction with `sender=Subscription, thing, by, now`.
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
