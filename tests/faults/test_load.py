"""Workers with more to send than they can: everything else goes on beside it."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from delivery import waking
from delivery.models import QueueRow, RollupMark
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.workers import worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

SECONDS = 30


def test_other_tasks_have_their_turn_while_every_process_sends(
    process_environment: dict[str, str],
) -> None:
    with Receiver().running() as receiver:
        receiver.reply = lambda _got, _before: Reply(after_seconds=0.5)
        for _ in range(3):
            subscription, version = make_world(receiver.url(), concurrency=8)
            owe(subscription, make_events(version, 1_200))
        with worker(process_environment):
            until = time.monotonic() + SECONDS
            while not RollupMark.objects.exists() and time.monotonic() < until:
                waking.wake([uuid4()])  # as each publish does
                time.sleep(0.05)
            assert QueueRow.objects.count() > 100, "the load ended too early to say anything"
            assert RollupMark.objects.exists()
