"""The tasks: few lines each, and safe to run at any time."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from config import broker
from delivery import draining, lookout, subscriptions, tasks, values, waking
from delivery.models import Attempt, Circuit, EventValue, QueueRow
from delivery.states import DisableReason
from governance.governed import governed
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver
from tests.delivery.waiting import wait_until
from tests.delivery.wake_ups import sent
from tests.settings import RUN_DIR

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty_broker() -> None:
    broker.empty(RUN_DIR / "broker")


def test_the_sweep_wakes_nobody_while_nothing_is_due() -> None:
    tasks.sweep()
    assert sent() == []


def test_the_sweep_finds_what_is_due() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    owe(subscription, make_events(version), due_at=timezone.now())
    tasks.sweep()
    assert sent() == ["delivery.drain"]


@pytest.mark.parametrize(
    "task",
    [
        tasks.run_replays,
        tasks.roll_up,
        tasks.fill_values,
        tasks.keep_partitions,
        tasks.publish_portal_events,
        tasks.send_mail,
        tasks.sweep,
    ],
)
def test_each_runs_on_an_empty_portal_and_runs_again(task: object) -> None:
    assert callable(task)
    task()
    task()


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (tasks.drain, "delivery.drain"),
        (tasks.sweep, "delivery.sweep"),
        (tasks.run_replays, "delivery.run_replays"),
        (tasks.roll_up, "delivery.roll_up"),
        (tasks.fill_values, "delivery.fill_values"),
        (tasks.keep_partitions, "delivery.keep_partitions"),
        (tasks.publish_portal_events, "delivery.publish_portal_events"),
        (tasks.send_mail, "delivery.send_mail"),
    ],
)
def test_tasks_are_known_by_name_keep_no_result_and_expire(task: object, name: str) -> None:
    assert getattr(task, "name") == name  # noqa: B009 - a task is untyped
    assert getattr(task, "ignore_result")  # noqa: B009 - see above
    assert getattr(task, "acks_late")  # noqa: B009 - see above
    assert getattr(task, "expires")  # noqa: B009 - see above


def test_a_wake_up_from_before_the_last_drain_starts_none() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    try:
        tasks.drain()  # it knows of the subscription from here on
        owe(subscription, make_events(version), due_at=timezone.now())
        tasks.drain(sent_at=time.time() - 5)
        assert not Attempt.objects.exists()
        tasks.drain(sent_at=time.time())
        assert Attempt.objects.exists()
    finally:
        draining.close()


def test_values_are_read_in_slices_and_each_asks_for_the_next() -> None:
    batches = 12
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"order_id": {"type": "string", "x-searchable": True}},
    }
    make_events(factories.make_version(document=schema), batches * values.BATCH)
    time.sleep(values.SETTLE.total_seconds())
    runs = 0
    tasks.fill_values()
    while sent():
        assert sent() == ["delivery.fill_values"]
        broker.empty(RUN_DIR / "broker")
        runs += 1
        tasks.fill_values()
    assert 1 <= runs <= batches
    assert EventValue.objects.count() == batches * values.BATCH
    tasks.fill_values(runs=1)
    assert sent() == []


def is_something_to_do() -> bool:
    return lookout.look(now=timezone.now()).deliveries


def test_what_waits_for_a_person_wakes_nobody() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    owe(subscription, make_events(version))
    assert is_something_to_do()
    subscriptions.pause(subscription, by=factories.make_admin(), now=timezone.now())
    assert not is_something_to_do()
    disabled = subscriptions.disable(
        subscription, because=DisableReason.NO_GRANT, now=timezone.now()
    )
    assert is_something_to_do()  # it ends as skipped
    subscriptions.resume(disabled, by=factories.make_admin(), now=timezone.now())
    subscriptions.disable(subscription, because=DisableReason.FAILING, now=timezone.now())
    assert not is_something_to_do()
    QueueRow.objects.update(is_replay=True)
    assert is_something_to_do()


def test_what_waits_for_an_open_circuit_wakes_nobody_until_its_probe() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    owe(subscription, make_events(version))
    circuit = Circuit.objects.filter(subscription=subscription)
    circuit.update(state="open", next_probe_at=timezone.now() + timedelta(minutes=5))
    assert not is_something_to_do()
    other, version = make_world("http://127.0.0.1:9/")
    [delivery] = owe(other, make_events(version))
    assert is_something_to_do()
    QueueRow.objects.filter(pk=delivery).delete()
    circuit.update(next_probe_at=timezone.now())
    assert is_something_to_do()
    circuit.update(next_probe_at=timezone.now() + timedelta(minutes=5))
    with governed(by=None, now=timezone.now()):
        subscription.fallback_subscription = other
        subscription.save()
    assert is_something_to_do()


def test_a_process_that_got_ready_sends_at_once(receiver: Receiver, settings: LazySettings) -> None:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    subscription, version = make_world(receiver.url())
    owe(subscription, make_events(version))
    try:
        draining.get_ready()
        draining.get_ready()
        tasks.drain()
        assert len(receiver.got) == 1
    finally:
        draining.close()


def test_a_server_that_starts_sends_its_first_wake_up() -> None:
    waking.get_ready()
    wait_until(lambda: sent() == ["delivery.drain"], seconds=10)
