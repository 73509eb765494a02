"""The drain, against a real receiver and a real database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.utils import timezone

from delivery import signing, stopping, subscriptions
from delivery.dispatch import Engine
from delivery.models import Attempt, Circuit, DeadLetter, Delivery, FailureGroup, QueueRow
from delivery.states import BodyMode, DeliveryStatus
from delivery.transports.webhook import WebhookTransport
from governance import grants
from governance.models import Grant
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Got, Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(transport=WebhookTransport(allowed_networks=LOOPBACK))
    yield engine
    engine.close()
    stopping.clear()


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Delivery.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def test_everything_owed_is_delivered_once(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(receiver.url())
    events = make_events(version, 300)
    owe(subscription, events)
    assert engine.drain(seconds=10) is False
    assert receiver.ids() == {f"msg_{event.pk}": 1 for event in events}
    assert statuses() == {DeliveryStatus.DELIVERED: 300}
    assert not QueueRow.objects.exists()
    assert Attempt.objects.filter(number=1, status_code=200, outcome="delivered").count() == 300
    assert Circuit.objects.get(pk=subscription.pk).last_success_at is not None


def test_a_failed_attempt_is_due_again_after_its_wait(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(status=500, body="no")
    subscription, version = make_world(receiver.url(), retry_waits_seconds=[100])
    owe(subscription, make_events(version))
    assert engine.drain(seconds=5) is False
    row = QueueRow.objects.get()
    assert timedelta(seconds=75) < row.due_at - timezone.now() < timedelta(seconds=125)
    assert (row.attempts, row.lease) == (1, None)
    assert row.first_attempt_at is not None
    attempt = Attempt.objects.get()
    assert (attempt.status_code, attempt.error_class) == (500, "http_status")
    assert attempt.response_excerpt == "no"


def test_a_delivery_out_of_retries_is_a_dead_letter_in_a_group(
    engine: Engine, receiver: Receiver
) -> None:
    receiver.reply = lambda got, _before: Reply(
        status=422, body=f'{{"error": "unknown order {got.id}"}}'
    )
    subscription, version = make_world(receiver.url())
    owe(subscription, make_events(version, 3))
    engine.drain(seconds=5)
    assert statuses() == {DeliveryStatus.DEAD: 3}
    group = FailureGroup.objects.get()
    assert (group.count, group.open_count, group.status_code) == (3, 3, 422)
    letter = DeadLetter.objects.first()
    assert letter is not None
    assert (letter.limit, letter.attempts, letter.version) == ("permanent", 1, "1.0.0")
    assert "order_id" in letter.payload
