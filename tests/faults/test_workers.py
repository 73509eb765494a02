"""Workers, brokers and connections lost in the middle: nothing is lost with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from config import broker
from delivery.models import Delivery, QueueRow
from delivery.models.deliveries import COLLECTING
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.waiting import wait_until
from tests.delivery.workers import worker
from tests.settings import RUN_DIR

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

COUNT = 200
KEYS = list("abcdefgh")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        running.reply = lambda _got, _before: Reply(after_seconds=0.1)
        yield running


@pytest.fixture
def broker_folder() -> Path:
    return RUN_DIR / "broker"


def all_are_delivered() -> bool:
    return (
        not QueueRow.objects.exists() and not Delivery.objects.exclude(status="delivered").exists()
    )


def test_a_worker_killed_in_the_middle_loses_nothing(
    receiver: Receiver, process_environment: dict[str, str]
) -> None:
    subscription, version = make_world(receiver.url(), timeout_seconds=1, concurrency=8)
    events = make_events(version, COUNT)
    owe(subscription, events)
    environment = {**process_environment, "DELIVERY_LEASE_SECONDS": "3"}
    with worker(environment) as first:
        receiver.wait_for(COUNT // 4, seconds=20)
        first.kill()
    held = {
        f"msg_{event_id}"
        for event_id in QueueRow.objects.filter(lease__isnull=False).values_list(
            "event_id", flat=True
        )
    }
    assert held
    with worker(environment):
        wait_until(all_are_delivered, seconds=40)
    came = receiver.ids()
    assert set(came) == {f"msg_{event.pk}" for event in events}
    # Sent twice is only what was out, or not yet written down, when the worker died.
    twice = {pk for pk, count in came.items() if count > 1}
    assert twice <= held
    assert max(came.values()) <= 2


def test_a_killed_worker_never_turns_the_order_of_a_key(
    receiver: Receiver, process_environment: dict[str, str]
) -> None:
    subscription, version = make_world(
        receiver.url(), timeout_seconds=1, concurrency=16, is_ordered=True
    )
    owe(subscription, make_events(version, COUNT), keys=KEYS)
    environment = {**process_environment, "DELIVERY_LEASE_SECONDS": "3"}
    for _ in range(2):
        with worker(environment) as running:
            receiver.wait_for(len(receiver.ids()) + COUNT // 4, seconds=20)
            running.kill()
    with worker(environment):
        wait_until(all_are_delivered, seconds=60)
    came = [int(got.headers["ce-id"].removeprefix("order-")) for got in receiver.got]
    for place in range(len(KEYS)):
        mine = [number for number in came if number % len(KEYS) == place]
        # What a killed worker had out comes again, before anything behind it.
        assert list(dict.fromkeys(mine)) == sorted(set(mine))
        assert mine == sorted(mine)
    assert receiver.most_at_once <= len(KEYS)


def test_a_batch_of_a_killed_worker_comes_again_as_it_was(
    receiver: Receiver, process_environment: dict[str, str]
) -> None:
    subscription, version = make_world(
        receiver.url(), timeout_seconds=1, batching="batches", batch_max_events=5, concurrency=4
    )
    later = timezone.now() + timedelta(hours=6)
    owe(subscription, make_events(version, COUNT), batch_id=COLLECTING, due_at=later)
    environment = {**process_environment, "DELIVERY_LEASE_SECONDS": "3"}
    with worker(environment) as running:
        receiver.wait_for(COUNT // 20, seconds=20)
        running.kill()
    with worker(environment):
        wait_until(all_are_delivered, seconds=60)
    bodies: dict[str, set[bytes]] = {}
    for got in receiver.got:
        bodies.setdefault(got.id, set()).add(got.body)
    assert len(bodies) == COUNT // 5
    assert {len(one) for one in bodies.values()} == {1}


def test_a_broker_that_forgets_everything_only_delays(
    receiver: Receiver, process_environment: dict[str, str], broker_folder: Path
) -> None:
    subscription, version = make_world(receiver.url(), concurrency=8)
    owe(subscription, make_events(version, COUNT))
    with worker(process_environment):
        receiver.wait_for(COUNT // 10, seconds=20)
        broker.empty(broker_folder)
        queue = broker_folder / "queues" / "signalbox"
        queue.mkdir(parents=True, exist_ok=True)
        (queue / "00000000000000000001-empty.json").touch()
        (queue / "00000000000000000002-half.json").write_text('{"body": "')
        wait_until(all_are_delivered, seconds=40)
        # Work that comes after it is found as well.
        owe(subscription, make_events(version, 20))
        wait_until(all_are_delivered, seconds=20)
    assert set(receiver.ids().values()) == {1}


def test_lost_database_connections_lose_nothing(
    receiver: Receiver, process_environment: dict[str, str]
) -> None:
    subscription, version = make_world(receiver.url(), timeout_seconds=1, concurrency=8)
    owe(subscription, make_events(version, COUNT))
    environment = {**process_environment, "DELIVERY_LEASE_SECONDS": "3"}
    with worker(environment):
        for share in (8, 4, 2):
            receiver.wait_for(COUNT // share, seconds=20)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        wait_until(all_are_delivered, seconds=40)
    # Results are kept until the database answers again, so nothing is sent a second time.
    assert set(receiver.ids().values()) == {1}


def test_a_worker_told_to_stop_gives_back_what_it_holds(
    receiver: Receiver, process_environment: dict[str, str]
) -> None:
    receiver.reply = lambda _got, _before: Reply(after_seconds=14)
    subscription, version = make_world(receiver.url(), concurrency=4)
    owe(subscription, make_events(version, 30))
    with worker(process_environment) as running:
        receiver.wait_for(4, seconds=20)
        running.process.terminate()
        # Given back within 10 s; the parent then takes its time to end.
        wait_until(lambda: not QueueRow.objects.filter(lease__isnull=False).exists(), seconds=10)
        assert running.process.wait(20) == 0
    assert QueueRow.objects.filter(lease__isnull=True, attempts=0).count() == 30
    assert set(
        Delivery.objects.filter(attempts__isnull=False).values_list("attempts__outcome", flat=True)
    ) == {"interrupted"}
