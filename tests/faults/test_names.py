"""A name that leads elsewhere once it was checked: no request follows it there."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from delivery.models import Attempt, Delivery
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.waiting import PATIENCE, wait_until
from tests.delivery.workers import worker
from tests.faults.rebinding_app import NAME

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

INSIDE = "127.0.0.2"  # no worker of this test may go there


def test_a_name_that_changes_to_a_forbidden_address_gets_nothing_there(
    tmp_path: Path, process_environment: dict[str, str]
) -> None:
    answer = tmp_path / "answer"
    answer.write_text("127.0.0.1")
    with Receiver().running() as receiver, socket.socket() as inside:
        receiver.reply = lambda _got, _before: Reply(headers={"Connection": "close"})
        inside.bind((INSIDE, receiver.port))
        inside.listen()
        inside.setblocking(False)
        subscription, version = make_world(f"http://{NAME}:{receiver.port}/hook")
        owe(subscription, make_events(version))
        with worker(
            process_environment,
            app="tests.faults.rebinding_app",
            REBINDING_FILE=str(answer),
            DELIVERY_ALLOWED_NETWORKS="127.0.0.1/32",
        ):
            wait_until(lambda: Delivery.objects.filter(status="delivered").exists(), seconds=20)
            answer.write_text(INSIDE)
            blocked = Attempt.objects.filter(error_class="blocked_address")
            until = time.monotonic() + PATIENCE * 30
            while not blocked.exists():  # the first answer is kept for some seconds
                assert time.monotonic() < until
                owe(subscription, make_events(version))
                time.sleep(1)
            letter = Delivery.objects.filter(status="dead").first()
            assert letter is not None
            assert letter.reason == "permanent"
        with pytest.raises(BlockingIOError):
            inside.accept()
        arrived = Delivery.objects.filter(status="delivered").count()
        assert sum(receiver.ids().values()) == arrived
