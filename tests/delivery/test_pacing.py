"""How many at once, in which order and how fast the drain sends."""

from __future__ import annotations

import threading
import time

import pytest

from delivery import stopping
from delivery.dispatch import Engine
from delivery.models import Attempt, Circuit, QueueRow
from delivery.states import DeliveryStatus
from tests.delivery.engines import running_engine
from tests.delivery.looking import statuses
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Got, Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_key_is_delivered_in_order_with_one_in_flight(engine: Engine, receiver: Receiver) -> None:
    failed: set[str] = set()

    def answer(got: Got, _before: int) -> Reply:
        if got.headers["ce-id"] == "order-0" and got.id not in failed:
            failed.add(got.id)
            return Reply(status=500)
        return Reply(after_seconds=0.01)

    receiver.reply = answer
    subscription, version = make_world(
        receiver.url(), is_ordered=True, retry_waits_seconds=[1, 1, 1]
    )
    owe(subscription, make_events(version, 12), keys=["a", "b", "c"])
    engine.drain(seconds=1)
    assert {got.headers["ce-id"] for got in receiver.got}.isdisjoint({"order-3", "order-6"})
    until = time.monotonic() + 10
    while QueueRow.objects.exists() and time.monotonic() < until:
        engine.drain(seconds=2)
        time.sleep(0.1)
    arrived = [int(got.headers["ce-id"].removeprefix("order-")) for got in receiver.got]
    for key in range(3):
        mine = [number for number in arrived if number % 3 == key]
        assert list(dict.fromkeys(mine)) == sorted(set(mine))
    assert statuses() == {DeliveryStatus.DELIVERED: 12}


def test_a_rate_holds(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(receiver.url(), rate_per_second=20)
    owe(subscription, make_events(version, 60))
    started = time.monotonic()
    while QueueRow.objects.exists() and time.monotonic() - started < 10:
        engine.drain(seconds=2)
    assert 2.4 < time.monotonic() - started < 6
    assert statuses() == {DeliveryStatus.DELIVERED: 60}


def test_a_slow_receiver_takes_nothing_from_the_others(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda got, _before: Reply(after_seconds=3 if got.path == "/slow" else 0)
    slow, version = make_world(receiver.url("/slow"))
    owe(slow, make_events(version, 40))
    quick, version = make_world(receiver.url("/quick"))
    owe(quick, make_events(version, 100))
    engine.drain(seconds=1.5)
    assert len(receiver.ids("/quick")) == 100


def test_a_stop_breaks_off_what_takes_too_long_and_uses_no_retry(
    engine: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.dispatch.STOP_SECONDS", 0.5)
    receiver.reply = lambda _got, _before: Reply(after_seconds=10)
    subscription, version = make_world(receiver.url(), concurrency=2)
    owe(subscription, make_events(version, 5))
    threading.Timer(0.7, stopping.request_stop).start()
    started = time.monotonic()
    assert engine.drain(seconds=10) is True
    assert time.monotonic() - started < 3
    assert QueueRow.objects.filter(lease__isnull=True, attempts=0).count() == 5
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"interrupted"}
    assert Circuit.objects.get(pk=subscription.pk).last_failure_at is None


def test_few_at_once_is_counted_over_all_workers(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(after_seconds=0.05)
    subscription, version = make_world(receiver.url(), concurrency=2)
    owe(subscription, make_events(version, 30))
    with running_engine() as other:
        second = threading.Thread(target=other.drain, kwargs={"seconds": 8})
        second.start()
        engine.drain(seconds=8)
        second.join()
    assert statuses() == {DeliveryStatus.DELIVERED: 30}
    assert receiver.most_at_once == 2
