"""Clocks that are wrong or jump: workers go by the database's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from catalog.ids import uuid7
from config import broker
from delivery import (
    claiming,
    database_clock,
    knowledge,
    parking,
    retrying,
    settling,
    tasks,
)
from delivery.database_clock import DatabaseClock, read
from delivery.dispatch import Engine
from delivery.models import Attempt, Delivery, ParkedKey, QueueRow
from delivery.models.deliveries import NEVER
from delivery.transports import Receipt
from tests import factories
from tests.delivery.engines import running_engine
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.publishers import make_shop
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.waiting import wait_until
from tests.delivery.wake_ups import sent
from tests.settings import RUN_DIR

pytestmark = pytest.mark.django_db(transaction=True)

JUMPS = [timedelta(hours=2), timedelta(hours=-2), timedelta(days=400)]

MARGIN = timedelta(minutes=1)  # of a machine that is very busy


@pytest.fixture
def engines(engine: Engine) -> Iterator[list[Engine]]:
    with running_engine() as another:
        yield [engine, another]


def jump(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Make this machine's clock wrong from now on."""
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + by)


@pytest.mark.parametrize("by", JUMPS)
def test_the_clock_is_the_databases_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    clock = DatabaseClock()
    before = read()
    clock.set()
    jump(monkeypatch, by)
    times: list[datetime] = [clock() for _ in range(3)]
    assert times == sorted(times)
    assert before - MARGIN <= times[0] <= read() + MARGIN


def test_who_asks_while_the_clock_is_set_goes_by_the_reading_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = DatabaseClock()
    clock.set()
    time.sleep(0.02)
    before, told = clock(), list[datetime]()

    def ask_meanwhile() -> datetime:
        told.append(clock())
        return read()

    monkeypatch.setattr(database_clock, "read", ask_meanwhile)
    clock.set()
    assert told[0] >= before


def test_a_clock_that_went_back_spoils_no_result() -> None:
    subscription, version = make_world("http://127.0.0.1:9/hook")
    [delivery] = owe(subscription, make_events(version))
    now = timezone.now()
    [owed] = claiming.claim(
        [claiming.Wanted(subscription_id=subscription.pk, room=1, lease_seconds=30)], now=now
    )
    tried = settling.Tried(
        owed=owed,
        policy=retrying.RetryPolicy(),
        url="http://127.0.0.1:9/hook",
        started_at=now,
        ended_at=now - timedelta(milliseconds=400),
        answer=Receipt(status=200, duration_ms=3, response_excerpt="ok"),
    )
    assert settling.settle([tried], now=now).lost == 0
    assert Attempt.objects.get(delivery_id=delivery).duration_ms == 0


@pytest.mark.parametrize("by", JUMPS)
def test_a_worker_whose_clock_is_wrong_takes_nothing_from_another(
    engines: list[Engine], receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    receiver.reply = lambda _got, _before: Reply(after_seconds=1)
    subscription, version = make_world(receiver.url(), concurrency=20)
    events = make_events(version, 12)
    owe(subscription, events)
    first, second = engines
    drain = threading.Thread(target=first.drain, kwargs={"seconds": 20})
    drain.start()
    receiver.wait_for(len(events))
    jump(monkeypatch, by)
    second.drain(seconds=5)
    drain.join()
    assert receiver.ids() == {f"msg_{event.pk}": 1 for event in events}
    assert not QueueRow.objects.exists()
    assert Delivery.objects.filter(status="delivered").count() == len(events)


@pytest.mark.parametrize("by", JUMPS)
def test_what_is_due_goes_out_though_the_clock_jumped(
    engines: list[Engine], receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by: timedelta
) -> None:
    answers = iter([Reply(status=500)])
    receiver.reply = lambda _got, _before: next(answers, Reply())
    subscription, version = make_world(receiver.url(), retry_waits_seconds=[1])
    [event] = make_events(version)
    [later] = make_events(version)
    owe(subscription, [event])
    owe(subscription, [later], due_at=timezone.now() + timedelta(hours=3))
    jump(monkeypatch, by)
    engines[0].drain(seconds=2)
    receiver.wait_for(1)

    def has_arrived() -> bool:
        engines[1].drain(seconds=1)
        return Delivery.objects.filter(status="delivered").exists()

    wait_until(has_arrived, seconds=10)
    assert receiver.ids() == {f"msg_{event.pk}": 2}
    assert list(Attempt.objects.values_list("number", flat=True)) == [1, 2]
    assert QueueRow.objects.get().event_id == later.pk


@pytest.mark.parametrize("by", JUMPS)
def test_a_web_host_whose_clock_is_wrong_delays_no_delivery(
    engines: list[Engine], receiver: Receiver, by: timedelta
) -> None:
    shop = make_shop()
    at_once = factories.make_subscription(topic=shop.topic, url=receiver.url())
    collecting = factories.make_subscription(
        topic=shop.topic, url=receiver.url(), batching="batches", batch_max_wait_seconds=120
    )
    knowledge.refresh()
    before = read()
    shop.publish(now=timezone.now() + by)
    due = dict(QueueRow.objects.values_list("subscription_id", "due_at"))
    assert before <= due[at_once.pk] <= read()
    wait = timedelta(seconds=120)
    assert before + wait <= due[collecting.pk] <= read() + wait
    engines[0].drain(seconds=5)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("by", [*JUMPS, timedelta(0)])
def test_a_nightly_batch_goes_within_a_day_whatever_the_web_hosts_clock_says(
    by: timedelta,
) -> None:
    shop = make_shop(kind="batched", batch_times=["02:00"], batch_time_zone="Europe/Berlin")
    factories.make_subscription(topic=shop.topic)
    knowledge.refresh()
    shop.publish(now=timezone.now() + by)
    row, rule = QueueRow.objects.get(), shop.topic.collecting_rule
    assert row.due_at <= read() + timedelta(hours=25, minutes=2)
    if not by:
        assert rule is not None
        assert row.due_at == rule.next_time(timezone.now())


def test_a_key_that_is_let_go_is_due_by_the_databases_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subscription, version = make_world("http://127.0.0.1:9/hook", is_ordered=True, poison="park")
    owe(subscription, make_events(version), keys=["k"], due_at=NEVER)
    parked = ParkedKey.objects.create(
        subscription=subscription, order_key="k", delivery_id=uuid7(), parked_at=timezone.now()
    )
    jump(monkeypatch, timedelta(hours=2))
    parking.release(parked, by=factories.make_admin(), now=timezone.now())
    assert QueueRow.objects.get().due_at <= read()


def test_the_sweep_asks_by_the_databases_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker.empty(RUN_DIR / "broker")
    subscription, version = make_world("http://127.0.0.1:9/hook")
    owe(subscription, make_events(version), due_at=timezone.now() + timedelta(minutes=30))
    jump(monkeypatch, timedelta(hours=1))
    tasks.sweep()
    assert sent() == []
