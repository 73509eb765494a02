"""The drain, against a real receiver and a real database."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import OperationalError
from django.utils import timezone

from delivery import health, shelf, supply
from delivery.circuits import Answers, News
from delivery.dispatch import Engine
from delivery.models import Attempt, Circuit, DeadLetter, FailureGroup, Payload, QueueRow
from delivery.outgoing import Message
from delivery.shelf import Shelf
from delivery.states import BodyMode, DeliveryStatus
from delivery.transports import ErrorClass, Outgoing, Receipt, TransportError
from delivery.transports.webhook import WebhookTransport
from tests import factories
from tests.delivery.engines import LOOPBACK
from tests.delivery.looking import statuses
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_large_events_are_read_a_few_at_a_time_and_all_arrive(
    engine: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription, version = make_world(receiver.url(), concurrency=8)
    other = factories.make_subscription(topic=subscription.topic, url=receiver.url("/other"))
    events = make_events(version, 60)
    size_bytes = len(Payload.objects.get(event_id=events[0].pk).data)
    monkeypatch.setattr(shelf, "MOST_BYTES", 5 * size_bytes)
    monkeypatch.setattr(supply, "READ_EVENTS", 2)
    most_held = 0

    def hold(self: Shelf, messages: Mapping[UUID, Message]) -> None:
        nonlocal most_held
        put(self, messages)
        most_held = max(most_held, len(self.ids))

    put = Shelf.put
    monkeypatch.setattr(Shelf, "put", hold)
    for one in (subscription, other):
        owe(one, events)
    assert engine.drain(seconds=30) is False
    assert receiver.ids() == {f"msg_{event.pk}": 2 for event in events}
    assert 0 < most_held <= 8
    assert not QueueRow.objects.exists()


class Unstorable:
    """Sends, and brings back answers that no column can hold."""

    def __init__(self, inner: WebhookTransport) -> None:
        self.inner = inner
        self.status = 100_000

    async def send(self, outgoing: Outgoing) -> Receipt:
        receipt = await self.inner.send(outgoing)
        if receipt.response_excerpt == "fails":
            raise TransportError("?", error_class=ErrorClass.HTTP_STATUS, status=self.status)
        if receipt.response_excerpt == "arrives":
            return replace(receipt, status=self.status)
        return receipt

    async def close(self) -> None:
        await self.inner.close()


def test_an_answer_that_cannot_be_stored_is_set_aside_where_somebody_sees_it(
    receiver: Receiver,
) -> None:
    answers = {b"0": "fails", b"1": "arrives"}
    receiver.reply = lambda got, _before: Reply(body=answers.get(got.body[-2:-1], "ok"))
    engine = Engine(transport=Unstorable(WebhookTransport(allowed_networks=LOOPBACK)))
    subscription, version = make_world(receiver.url(), body=BodyMode.DATA)
    events = make_events(version, 6)
    owe(subscription, events)
    with contextlib.closing(engine):
        assert engine.drain(seconds=10) is False
    assert not QueueRow.objects.exists()
    assert statuses() == {DeliveryStatus.DELIVERED: 5, DeliveryStatus.DEAD: 1}
    assert set(receiver.ids().values()) == {1}
    letter = DeadLetter.objects.get()
    assert letter.event_id == events[0].pk
    assert "cannot be stored" in letter.message
    arrived = Attempt.objects.get(delivery__event=events[1])
    assert (arrived.outcome, arrived.status_code) == ("delivered", 200)


def test_what_waits_survives_a_change_of_what_is_known(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(after_seconds=0.2)
    subscription, version = make_world(receiver.url(), concurrency=5)
    events = make_events(version, 60)
    owe(subscription, events)
    drain = threading.Thread(target=engine.drain, kwargs={"seconds": 30})
    drain.start()
    for number in range(1, 4):
        receiver.wait_for(number * 10, seconds=20)
        factories.make_application()
    drain.join()
    assert statuses() == {DeliveryStatus.DELIVERED: 60}
    assert receiver.ids() == {f"msg_{event.pk}": 1 for event in events}


def test_results_written_twice_are_one_attempt(
    engine: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, calls = health.report, []

    def breaks_once(answers: Mapping[UUID, Answers], *, now: datetime) -> Sequence[News]:
        calls.append(now)
        if len(calls) == 1:
            raise OperationalError
        return report(answers, now=now)

    monkeypatch.setattr(health, "report", breaks_once)
    subscription, version = make_world(receiver.url())
    owe(subscription, make_events(version))
    engine.drain(seconds=5)
    assert len(calls) > 1
    assert len(receiver.got) == Attempt.objects.count() == 1


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
