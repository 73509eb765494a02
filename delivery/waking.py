"""Wakes the workers: at most one message per 50 ms and process, sent by a thread of its own.

A wake-up is a hint, sent after the commit; losing it only delays, because the sweep finds what is
due. So nothing here waits, tries again, or fails into who called.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Collection, Iterable
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.dispatch import receiver

from delivery import signals
from delivery.models import Subscription

WINDOW_SECONDS = 0.05
EXPIRES_SECONDS = 10  # later than that, the sweep has been there
TASK = "delivery.drain"

logger = logging.getLogger(__name__)


class _Waker(threading.Thread):
    """Sends one message for all that was dirty, then lets 50 ms pass."""

    def __init__(self) -> None:
        super().__init__(name="waker", daemon=True)
        self.process_id = os.getpid()
        self._dirty = threading.Event()

    def wake(self) -> None:
        """Ask for one message, soon."""
        self._dirty.set()

    def run(self) -> None:
        while True:
            self._dirty.wait()
            self._dirty.clear()
            self._send()
            time.sleep(WINDOW_SECONDS)

    def _send(self) -> None:
        try:
            current_app.send_task(
                TASK,
                kwargs={"sent_at": time.time()},
                expires=EXPIRES_SECONDS,
                retry=False,
                ignore_result=True,
            )
        except Exception as error:  # noqa: BLE001 - every transport has its own; the sweep delivers
            logger.warning("No worker could be woken: %s", type(error).__name__)


_waker: _Waker | None = None
_lock = threading.Lock()


def wake(subscription_ids: Collection[UUID]) -> None:
    """Let a worker look at what is due; returns at once, and never fails."""
    if subscription_ids:
        _of_this_process().wake()


def get_ready() -> None:
    """Send a message for nothing: the first one has the connection to make, some 100 ms."""
    _of_this_process().wake()


def _of_this_process() -> _Waker:
    global _waker  # noqa: PLW0603 - one thread a process
    waker = _waker
    # A fork copies the object and not the thread.
    if waker is None or waker.process_id != os.getpid():
        with _lock:
            waker = _waker
            if waker is None or waker.process_id != os.getpid():
                waker = _waker = _Waker()
                waker.start()
    return waker


@receiver(signals.work_waits, dispatch_uid="delivery.wake_for_work")
def wake_for_work(subscription_ids: Iterable[UUID], **_news: object) -> None:
    """Wake a worker for what was just committed."""
    wake(list(subscription_ids))


@receiver(signals.subscription_resumed, dispatch_uid="delivery.wake_for_backlog")
def wake_for_backlog(thing: Subscription, **_news: object) -> None:
    """Wake a worker for the backlog of a subscription that goes on."""
    transaction.on_commit(lambda: wake([thing.pk]), robust=True)
