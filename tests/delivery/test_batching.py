"""Batches, against a real receiver and a real database."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.ids import uuid7
from catalog.models import SchemaVersion
from delivery import batching, breaker, claiming, lookout, signing, stopping, subscriptions
from delivery.dispatch import Engine
from delivery.models import Attempt, Circuit, DeadLetter, QueueRow, Subscription
from delivery.models.deliveries import COLLECTING
from delivery.states import Batching, DeliveryStatus
from governance import topics
from tests import factories
from tests.delivery.engines import drain_until, running_engine
from tests.delivery.looking import statuses
from tests.delivery.owing import add_fallback, add_secret, make_events, make_world, owe
from tests.delivery.publishers import make_shop
from tests.delivery.receiver import Got, Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)

LATER = timedelta(hours=6)


def make_batches(receiver: Receiver, **fields: object) -> tuple[Subscription, SchemaVersion]:
    given: dict[str, object] = {"batching": Batching.BATCHES, "batch_max_events": 3, **fields}
    return make_world(receiver.url(), **given)


def collect(
    subscription: Subscription, version: SchemaVersion, count: int, **more: object
) -> list[UUID]:
    """Owe so many events, collected and not due."""
    given = {"batch_id": COLLECTING, "due_at": timezone.now() + LATER, **more}
    return owe(subscription, make_events(version, count), **given)  # type: ignore[arg-type]


def numbers(got: Got) -> list[int]:
    return [event["data"]["amount"] for event in json.loads(got.body)]


def test_a_full_batch_goes_before_its_time_and_the_rest_waits(
    engine: Engine, receiver: Receiver
) -> None:
    subscription, version = make_batches(receiver)
    collect(subscription, version, 7)
    engine.drain(seconds=5)
    assert sorted(map(numbers, receiver.got)) == [[0, 1, 2], [3, 4, 5]]
    assert statuses() == {DeliveryStatus.DELIVERED: 6, DeliveryStatus.PENDING: 1}
    assert QueueRow.objects.get().batch_id == COLLECTING


def test_what_is_due_goes_though_it_is_less_than_a_batch(
    engine: Engine, receiver: Receiver
) -> None:
    subscription, version = make_batches(receiver, batch_max_events=100)
    collect(subscription, version, 2, due_at=timezone.now())
    collect(subscription, version, 2)
    engine.drain(seconds=5)
    assert [numbers(got) for got in receiver.got] == [[0, 1, 0, 1]]


def test_so_much_data_makes_a_batch_too(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_batches(receiver, batch_max_events=100, batch_max_bytes=250)
    collect(subscription, version, 5)  # of 100 bytes each
    engine.drain(seconds=5)
    assert sorted(map(numbers, receiver.got)) == [[0, 1], [2, 3]]


def test_a_batch_is_one_signed_request_of_whole_events(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_batches(receiver)
    secret = add_secret(subscription)
    collect(subscription, version, 3)
    engine.drain(seconds=5)
    (got,) = receiver.got
    assert got.headers["content-type"] == "application/cloudevents-batch+json"
    assert [event["id"] for event in json.loads(got.body)] == ["order-0", "order-1", "order-2"]
    assert not [name for name in got.headers if name.startswith("ce-")]
    signing.verify(
        [secret],
        message_id=got.headers["webhook-id"],
        timestamp=got.headers["webhook-timestamp"],
        signature=got.headers["webhook-signature"],
        body=got.body,
        now=time.time(),
    )
    assert {f"msg_{one}" for one in Attempt.objects.values_list("batch_id", flat=True)} == {got.id}
    assert Attempt.objects.count() == 3


def test_a_batch_that_failed_goes_again_as_it_was(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, before: Reply(status=200 if before else 500)
    subscription, version = make_batches(receiver, retry_waits_seconds=[1, 1])
    collect(subscription, version, 3)
    engine.drain(seconds=2)
    collect(subscription, version, 2)  # they may not slip into it
    until = time.monotonic() + 10
    while len(receiver.got) < 2 and time.monotonic() < until:
        engine.drain(seconds=1)
        time.sleep(0.1)
    first, second = receiver.got
    assert first.id == second.id
    assert first.body == second.body
    assert set(Attempt.objects.values_list("number", "outcome")) == {
        (1, "failed"),
        (2, "delivered"),
    }
    assert statuses() == {DeliveryStatus.DELIVERED: 3, DeliveryStatus.PENDING: 2}


def test_a_failed_batch_counts_once_for_its_endpoint(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(status=500)
    subscription, version = make_batches(
        receiver, batch_max_events=50, retry_waits_seconds=[3600, 3600]
    )
    collect(subscription, version, 50)
    engine.drain(seconds=3)
    state = breaker.from_json(Circuit.objects.get(pk=subscription.pk).breaker)
    assert state.position is breaker.Position.CLOSED
    assert (
        QueueRow.objects.filter(attempts=1, lease=None).exclude(batch_id=COLLECTING).count() == 50
    )
    assert QueueRow.objects.values("due_at").distinct().count() == 1


def test_refused_events_alone_are_tried_again(engine: Engine, receiver: Receiver) -> None:
    def answer(got: Got, before: int) -> Reply:
        if before:
            return Reply()
        refused = [
            {"index": 1, "reason": "not yet"},
            {"id": "order-2", "reason": "no such order", "retry": False},
        ]
        return Reply(body=json.dumps({"refused": refused}))

    receiver.reply = answer
    subscription, version = make_batches(receiver, batch_max_events=4, retry_waits_seconds=[1, 1])
    collect(subscription, version, 4)
    until = time.monotonic() + 10
    while len(receiver.got) < 2 and time.monotonic() < until:
        engine.drain(seconds=1)
        time.sleep(0.1)
    first, second = receiver.got
    assert numbers(second) == [1]
    assert first.id != second.id
    assert statuses() == {DeliveryStatus.DELIVERED: 3, DeliveryStatus.DEAD: 1}
    letter = DeadLetter.objects.get()
    assert (letter.error_class, letter.limit, letter.attempts) == ("partial", "permanent", 1)
    assert "no such order" in letter.message
    assert Circuit.objects.get(pk=subscription.pk).last_failure_at is None


def test_an_answer_that_nobody_can_read_fails_the_whole_batch(
    engine: Engine, receiver: Receiver
) -> None:
    receiver.reply = lambda _got, before: Reply(
        body="" if before else '{"refused": [{"index": 9}]}'
    )
    subscription, version = make_batches(receiver, retry_waits_seconds=[1, 1])
    collect(subscription, version, 3)
    until = time.monotonic() + 10
    while len(receiver.got) < 2 and time.monotonic() < until:
        engine.drain(seconds=1)
        time.sleep(0.1)
    assert receiver.got[0].id == receiver.got[1].id
    assert set(Attempt.objects.filter(number=1).values_list("error_class", flat=True)) == {
        "batch_answer"
    }


def test_what_a_rule_forbids_is_left_out_of_its_batch(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_batches(receiver)
    events = [*make_events(version), *make_events(version, regions=["us"]), *make_events(version)]
    owe(subscription, events, batch_id=COLLECTING, due_at=timezone.now() + LATER)
    engine.drain(seconds=5)
    assert [len(numbers(got)) for got in receiver.got] == [2]
    assert statuses() == {DeliveryStatus.DELIVERED: 2, DeliveryStatus.SKIPPED: 1}


def test_batches_at_once_are_counted_over_all_workers(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(after_seconds=0.05)
    subscription, version = make_batches(receiver, concurrency=6)
    collect(subscription, version, 60)
    with running_engine() as other:
        second = threading.Thread(target=other.drain, kwargs={"seconds": 8})
        second.start()
        engine.drain(seconds=8)
        second.join()
    assert len(receiver.got) == 20
    assert len(receiver.ids()) == 20
    assert statuses() == {DeliveryStatus.DELIVERED: 60}
    assert receiver.most_at_once <= 6


def test_an_ordered_subscription_has_one_batch_out(engine: Engine, receiver: Receiver) -> None:
    failed: set[str] = set()

    def answer(got: Got, _before: int) -> Reply:
        if 0 in numbers(got) and not failed:
            failed.add(got.id)
            return Reply(status=500)
        return Reply(after_seconds=0.02)

    receiver.reply = answer
    subscription, version = make_batches(receiver, is_ordered=True, retry_waits_seconds=[1, 1])
    collect(subscription, version, 9)
    until = time.monotonic() + 15
    while QueueRow.objects.exists() and time.monotonic() < until:
        engine.drain(seconds=1)
        time.sleep(0.05)
    assert [numbers(got) for got in receiver.got] == [[0, 1, 2], [0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert receiver.most_at_once == 1


def test_while_a_circuit_is_open_nothing_is_frozen(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(status=500)
    subscription, version = make_batches(
        receiver, batch_max_events=1, concurrency=1, retry_waits_seconds=[3600, 3600]
    )
    collect(subscription, version, 40)
    engine.drain(seconds=4)
    assert Circuit.objects.get(pk=subscription.pk).state == "open"
    assert QueueRow.objects.filter(batch_id=COLLECTING, attempts=0).count() == 40 - len(
        receiver.got
    )


def test_a_stop_gives_a_whole_batch_back(
    engine: Engine, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.dispatch.STOP_SECONDS", 0.5)
    receiver.reply = lambda _got, _before: Reply(after_seconds=10)
    subscription, version = make_batches(receiver)
    collect(subscription, version, 3)
    threading.Timer(0.7, stopping.request_stop).start()
    assert engine.drain(seconds=10) is True
    assert QueueRow.objects.filter(lease__isnull=True, attempts=0).count() == 3
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"interrupted"}
    stopping.clear()
    receiver.reply = lambda _got, _before: Reply()
    engine.drain(seconds=5)
    assert len(receiver.ids()) == 1  # the same batch again
    assert statuses() == {DeliveryStatus.DELIVERED: 3}


def test_replays_come_together_at_once(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_batches(receiver, batch_max_events=100)
    collect(subscription, version, 2)
    ids = collect(subscription, version, 2, due_at=timezone.now())
    QueueRow.objects.filter(pk__in=ids).update(is_replay=True)
    engine.drain(seconds=5)
    assert [numbers(got) for got in receiver.got] == [[0, 1]]
    assert statuses() == {DeliveryStatus.DELIVERED: 2, DeliveryStatus.PENDING: 2}


def test_what_waited_before_goes_in_batches_too(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_batches(receiver)
    owe(subscription, make_events(version, 4))
    engine.drain(seconds=5)
    assert sorted(map(numbers, receiver.got)) == [[0, 1, 2], [3]]


def test_the_sweep_finds_a_batch_whose_wake_up_was_lost() -> None:
    subscription, version = make_world("http://127.0.0.1:9/", batching=Batching.BATCHES)
    assert not lookout.look(now=timezone.now()).deliveries
    collect(subscription, version, 1)
    assert lookout.look(now=timezone.now()).deliveries
    assert not lookout.look(now=timezone.now() + timedelta(minutes=1)).deliveries


def test_a_published_event_waits_for_the_hour_of_its_topic() -> None:
    shop = make_shop(kind="batched", batch_times=["02:00"], batch_time_zone="Europe/Berlin")
    factories.make_subscription(topic=shop.topic)
    single = factories.make_subscription(topic=shop.topic, batching=Batching.EACH)
    shop.publish()
    rows = {row.subscription_id: row for row in QueueRow.objects.all()}
    alone = rows.pop(single.pk)
    (together,) = rows.values()
    assert alone.batch_id is None
    assert alone.due_at <= timezone.now()
    assert together.batch_id == COLLECTING
    rule = shop.topic.collecting_rule
    assert rule is not None
    assert together.due_at == rule.next_time(timezone.now())


def test_a_streaming_topic_collects_for_whoever_asks() -> None:
    shop = make_shop()
    asking = factories.make_subscription(
        topic=shop.topic, batching=Batching.BATCHES, batch_max_wait_seconds=30
    )
    factories.make_subscription(topic=shop.topic)
    shop.publish()
    rows = {row.subscription_id: row for row in QueueRow.objects.all()}
    mine = rows.pop(asking.pk)
    assert mine.batch_id == COLLECTING
    assert timedelta(seconds=20) < mine.due_at - timezone.now() <= timedelta(seconds=30)
    assert [row.batch_id for row in rows.values()] == [None]


def dues(subscription: Subscription) -> set[tuple[bool, datetime]]:
    rows = QueueRow.objects.filter(subscription_id=subscription.pk)
    return {(row.batch_id == COLLECTING, row.due_at) for row in rows}


def test_a_topic_that_changes_takes_what_is_collected_with_it() -> None:
    admin, now = factories.make_admin(), timezone.now()
    topic = factories.make_topic(kind="batched")
    version = factories.make_version(event_type=factories.make_event_type(topic=topic))
    subscription = factories.make_subscription(topic=topic)
    collect(subscription, version, 2)
    topic = topics.change(topic, by=admin, now=now, batch_times=["04:00"])
    rule = topic.collecting_rule
    assert rule is not None
    assert dues(subscription) == {(True, rule.goes_at(now))}
    topics.change(topic, by=admin, now=now, kind="streaming")
    assert dues(subscription) == {(False, now)}


def test_a_subscription_that_wants_them_one_by_one_gets_them_now(
    engine: Engine, receiver: Receiver, settings: LazySettings
) -> None:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    subscription, version = make_batches(receiver, batch_max_events=100)
    collect(subscription, version, 3)
    person = factories.make_person(team=subscription.application.team)
    subscriptions.change(subscription, by=person, now=timezone.now(), batching=Batching.EACH)
    engine.drain(seconds=5)
    assert len(receiver.got) == 3
    assert receiver.got[0].headers["ce-id"] == "order-0"


def test_a_full_batch_is_seen_by_count_and_by_size() -> None:
    subscription, version = make_world(
        "http://127.0.0.1:9/", batching=Batching.BATCHES, batch_max_events=3, batch_max_bytes=10_000
    )
    rule = subscription.collecting_rule
    assert rule is not None
    collect(subscription, version, 2)
    assert batching.full({subscription.pk: rule}, since=claiming.LONG_AGO) == []
    collect(subscription, version, 1)
    assert batching.full({subscription.pk: rule}, since=claiming.LONG_AGO) == [subscription.pk]
    assert batching.full({subscription.pk: rule}, since=timezone.now() + timedelta(minutes=1)) == []


def test_batches_that_wait_cost_no_count_until_something_comes(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    subscription, version = make_world("http://127.0.0.1:9/", batching=Batching.BATCHES)
    collect(subscription, version, 5)
    rule = subscription.collecting_rule
    assert rule is not None
    rules = {uuid7(): rule for _ in range(100)} | {subscription.pk: rule}
    with django_assert_max_num_queries(1):
        assert batching.full(rules, since=timezone.now() + timedelta(seconds=1)) == []
    QueueRow.objects.bulk_create(  # what is sent at once is not looked through
        QueueRow(
            delivery_id=uuid7(), subscription_id=uuid7(), event_id=uuid7(), due_at=timezone.now()
        )
        for _ in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE delivery_queue")
        cursor.execute("EXPLAIN " + batching.COLLECTING_NOW, [COLLECTING, UUID(int=0)])
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "queue_collected" in plan


@pytest.mark.parametrize(("second", "ends"), [(200, "delivered"), (500, "dead")])
def test_a_batch_that_the_first_address_gave_up_goes_to_the_second_once(
    engine: Engine, receiver: Receiver, second: int, ends: str
) -> None:
    receiver.reply = lambda got, _before: Reply(status=422 if got.path == "/hook" else second)
    subscription, version = make_batches(receiver)
    add_fallback(subscription, receiver.url("/second"))
    collect(subscription, version, 3)
    drain_until(engine, lambda: not QueueRow.objects.exists())
    assert [got.path for got in receiver.got] == ["/hook", "/second"]
    assert len(receiver.ids()) == 1  # it is the same batch
    assert statuses() == {ends: 3}
    assert set(Attempt.objects.values_list("number", "status_code")) == {(1, 422), (2, second)}


def test_only_the_events_that_a_receiver_refused_go_to_the_second_address(
    engine: Engine, receiver: Receiver
) -> None:
    def answer(got: Got, _before: int) -> Reply:
        if got.path != "/hook":
            return Reply()
        return Reply(body=json.dumps({"refused": [{"index": 1, "reason": "no", "retry": False}]}))

    receiver.reply = answer
    subscription, version = make_batches(receiver, retry_waits_seconds=[])
    add_fallback(subscription, receiver.url("/second"))
    collect(subscription, version, 3)
    drain_until(engine, lambda: not QueueRow.objects.exists())
    assert [(got.path, numbers(got)) for got in receiver.got] == [
        ("/hook", [0, 1, 2]),
        ("/second", [1]),
    ]
    assert statuses() == {DeliveryStatus.DELIVERED: 3}
