"""Storing events: the group commit and the sync door, their duplicates, faults and limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import psycopg
import pytest
from django.db import connection
from django.db.models.expressions import RawSQL
from django.utils import timezone

from catalog.words import Environment
from delivery import intake, knowledge, publishing, recorder, recording, signals
from delivery.edge import MAX_HOPS, Kind, Refused
from delivery.intake import Unavailable, Unit
from delivery.known import Publisher
from delivery.models import (
    Delivery,
    Event,
    EventIdentity,
    FilteredCount,
    Payload,
    QueueRow,
    RoutingDecision,
)
from delivery.recorder import Connection, Recorder
from delivery.recording import Prepared, Recorded
from delivery.states import SkipReason
from governance.states import Verb
from tests import factories
from tests.delivery.publishers import Shop, make_shop

T = TypeVar("T")

transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def shop(transactional_db: None) -> Shop:
    del transactional_db
    return make_shop()


async def connect() -> Connection:
    return await recorder.connect(**knowledge.own_connection())


def run(work: Callable[[Recorder], Awaitable[T]]) -> T:
    """Do `work` with a recorder, then close it."""

    async def whole() -> T:
        made = Recorder(connect)
        try:
            return await work(made)
        finally:
            await made.close()

    return asyncio.run(whole())


def prepared(shop: Shop, count: int) -> list[Prepared]:
    known = knowledge.refresh()
    return [shop.prepare(shop.envelope(), known=known) for _ in range(count)]


def test_units_that_come_together_are_all_answered_in_order(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    units = [Unit(events=prepared(shop, 1 + index % 3)) for index in range(40)]

    async def work(made: Recorder) -> list[list[Recorded | Refused]]:
        return await asyncio.gather(*(made.record(unit) for unit in units))

    answers = run(work)
    for unit, answer in zip(units, answers, strict=True):
        ids = [event.accepted.envelope.id for event in unit.events]
        assert [one.id for one in answer if isinstance(one, Recorded)] == ids
    count = sum(len(unit.events) for unit in units)
    rows = [model.objects.count() for model in (Event, Payload, EventIdentity, Delivery, QueueRow)]
    assert rows == [count] * 5


class Counted(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection that remembers what it was asked."""

    asked: ClassVar[list[str]] = []

    async def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(str(query))
        return await super().execute(query, *args, **kwargs)


def statements_of_a_commit(shop: Shop) -> list[str]:
    """Store three events in one commit; return the statements that this took."""
    Counted.asked.clear()
    units = [Unit(events=[event]) for event in prepared(shop, 3)]

    async def connect_counted() -> Connection:
        return await Counted.connect(**knowledge.own_connection(), autocommit=True)

    async def work() -> None:
        made = Recorder(connect_counted)
        await asyncio.gather(*(made.record(unit) for unit in units))
        await made.close()

    asyncio.run(work())
    return list(Counted.asked)


def test_a_commit_is_one_statement_and_one_more_where_rules_decided(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    assert statements_of_a_commit(shop) == [recording.INSERT]
    factories.make_rule(shop.topic)
    shop.publisher.passes.clear()
    assert statements_of_a_commit(shop) == [recording.INSERT, recording.DECISIONS]
    assert RoutingDecision.objects.count() == 3


def test_keys_without_constraints_are_kept_true_by_the_statement(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    unit = Unit(events=prepared(shop, 20))
    run(lambda made: made.record(unit))
    events = set(Event.objects.values_list("pk", flat=True))
    for model in (Payload, EventIdentity, Delivery, QueueRow):
        assert set(model.objects.values_list("event_id", flat=True)) == events
    deliveries = set(Delivery.objects.values_list("pk", flat=True))
    assert set(QueueRow.objects.values_list("delivery_id", flat=True)) == deliveries
    named = Event.objects.filter(
        type=shop.event_type, version=shop.version, application=shop.application
    )
    assert named.count() == 20


def test_an_event_that_cannot_be_stored_does_not_fail_its_neighbours(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    good = [Unit(events=[one]) for one in prepared(shop, 5)]
    # The CloudEvents binding refuses a NUL; one that got by it must not take others along.
    poison = Unit(events=[shop.prepare(shop.envelope(subject="a\0b"))])

    async def work(made: Recorder) -> list[object]:
        units = [*good[:2], poison, *good[2:]]
        return await asyncio.gather(*(made.record(unit) for unit in units), return_exceptions=True)

    answers = run(work)
    assert [isinstance(one, Unavailable) for one in answers] == [False] * 2 + [True] + [False] * 3
    assert Event.objects.count() == 5
    assert "could not be stored" in caplog.text


def test_a_connection_that_was_lost_is_made_again(shop: Shop) -> None:
    async def work(made: Recorder) -> list[object]:
        first = await made.record(Unit(events=prepared_now[:1]))
        kill = await connect()
        await kill.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'recorder'"
        )
        await kill.close()
        second = await asyncio.gather(
            *(made.record(Unit(events=[one])) for one in prepared_now[1:])
        )
        return [*first, *[one for answer in second for one in answer]]

    prepared_now = prepared(shop, 6)
    answers = asyncio.run(_with_named_connection(work))
    assert all(isinstance(one, Recorded) and not one.is_duplicate for one in answers)
    assert Event.objects.count() == 6


def test_the_statement_of_a_commit_is_planned_once(shop: Shop) -> None:
    events = prepared(shop, 3)
    kept: list[Connection] = []

    async def connect_once() -> Connection:
        kept.append(await connect())
        return kept[0]

    async def work() -> list[tuple[Any, ...]]:
        made = Recorder(connect_once)
        for event in events:
            await made.record(Unit(events=[event]))
        cursor = await kept[0].execute("SELECT statement FROM pg_prepared_statements")
        statements = await cursor.fetchall()
        await made.close()
        return statements

    (only,) = asyncio.run(work())
    assert "INSERT INTO delivery_event" in only[0]


async def _with_named_connection(work: Callable[[Recorder], Awaitable[T]]) -> T:
    async def named() -> Connection:
        params = {**knowledge.own_connection(), "application_name": "recorder"}
        return await recorder.connect(**params)

    made = Recorder(named)
    try:
        return await work(made)
    finally:
        await made.close()


def test_a_database_that_does_not_answer_stores_nothing_and_says_so(shop: Shop) -> None:
    async def nobody() -> Connection:
        return await psycopg.AsyncConnection.connect("host=127.0.0.1 port=1 connect_timeout=2")

    async def work() -> None:
        made = Recorder(nobody)
        with pytest.raises(Unavailable):
            await made.record(Unit(events=one))
        await made.close()

    one = prepared(shop, 1)
    asyncio.run(work())


def test_a_commit_that_is_sent_twice_is_not_called_a_duplicate(shop: Shop) -> None:
    unit = Unit(events=prepared(shop, 1))

    async def work(made: Recorder) -> list[list[Recorded | Refused]]:
        return [await made.record(unit), await made.record(unit)]

    ((first,), (second,)) = run(work)
    assert isinstance(first, Recorded)
    assert isinstance(second, Recorded)
    assert not second.is_duplicate
    assert Event.objects.count() == 1


@pytest.mark.parametrize(("limit", "events"), [("MAX_WAITING_EVENTS", 3), ("MAX_WAITING_BYTES", 3)])
def test_a_queue_that_is_full_refuses_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, limit: str, events: int
) -> None:
    size_bytes = prepared(shop, 1)[0].size_bytes
    monkeypatch.setattr(intake, limit, events * (size_bytes if "BYTES" in limit else 1))
    units = [Unit(events=prepared(shop, 1)) for _ in range(8)]

    async def work(made: Recorder) -> list[object]:
        return await asyncio.gather(*(made.record(unit) for unit in units), return_exceptions=True)

    answers = run(work)
    refused = sum(isinstance(one, Unavailable) for one in answers)
    assert refused == 5
    assert Event.objects.count() == 3


@pytest.mark.parametrize("limit", ["MAX_EVENTS_A_COMMIT", "MAX_BYTES_A_COMMIT"])
def test_what_one_commit_cannot_hold_is_stored_by_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(intake, limit, 1)
    units = [Unit(events=prepared(shop, 2)) for _ in range(5)]

    async def work(made: Recorder) -> list[list[Recorded | Refused]]:
        return await asyncio.gather(*(made.record(unit) for unit in units))

    assert [len(answer) for answer in run(work)] == [2] * 5
    transactions = set(Event.objects.values_list(RawSQL("delivery_event.xmin::text", ())))
    assert len(transactions) == 5


def test_who_gives_up_does_not_cancel_the_others(shop: Shop) -> None:
    units = [Unit(events=one) for one in (prepared(shop, 1) for _ in range(6))]

    async def work(made: Recorder) -> list[object]:
        tasks = [asyncio.create_task(made.record(unit)) for unit in units]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = run(work)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert all(isinstance(one, list) for one in answers[1:])
    assert Event.objects.count() == 6


def test_subscriptions_are_woken_after_the_commit_and_only_for_new_work(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic)
    woken: list[set[object]] = []

    def hear(subscription_ids: set[object], **_news: object) -> None:
        woken.append(set(subscription_ids))

    signals.work_waits.connect(hear)
    unit = Unit(events=prepared(shop, 2))
    try:
        sent = shop.envelope()
        shop.publish(sent)
        shop.publish(sent)
        run(lambda one: one.record(unit))
    finally:
        signals.work_waits.disconnect(hear)
    assert woken == [{made.pk}, {made.pk}]


def test_filtered_events_are_counted_soon_after(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic, filter={"exact": {"subject": "never"}})
    unit = Unit(events=prepared(shop, 7))
    run(lambda made: made.record(unit))
    assert sum(FilteredCount.objects.values_list("count", flat=True)) == 7


def test_the_sync_door_says_duplicate_and_conflict_too(shop: Shop) -> None:
    sent = shop.envelope(id="7")
    assert not shop.publish(sent).is_duplicate
    assert shop.publish(sent).is_duplicate
    with pytest.raises(Refused) as caught:
        shop.publish(shop.envelope(id="7", data={"order_id": "other", "amount": 1}))
    assert caught.value.kind is Kind.OTHER_CONTENT


def test_nobody_takes_another_applications_identity(shop: Shop) -> None:
    stranger = factories.make_application()
    factories.make_grant(stranger, topic=shop.topic, verb=Verb.PUBLISH)
    theirs = Publisher(application_id=stranger.pk, environment=Environment.PRODUCTION)
    other = shop.envelope(id="7", data={"order_id": "taken", "amount": 1})
    publishing.publish(other, publisher=theirs, now=timezone.now())
    sent = shop.envelope(id="7")
    assert not shop.publish(sent).is_duplicate
    assert shop.publish(sent).is_duplicate
    assert Event.objects.filter(source=sent.source, event_id="7").count() == 2


def test_a_batch_is_not_refused_for_content_that_was_taken_back(shop: Shop) -> None:
    shop.publish(shop.envelope(id="stored"))
    other = {"order_id": "other", "amount": 1}
    known = knowledge.refresh()
    broken, wrongly_met, rightly_met = (
        Unit(events=[shop.prepare(envelope, known=known) for envelope in envelopes])
        for envelopes in (
            (shop.envelope(id="stored", data=other), shop.envelope(id="first")),
            (shop.envelope(id="first", data=other), shop.envelope(id="second")),
            (shop.envelope(id="second", data=other), shop.envelope(id="third")),
        )
    )

    async def work(made: Recorder) -> list[list[Recorded | Refused]]:
        # What comes before the first commit has begun shares it.
        units = (broken, wrongly_met, rightly_met)
        return await asyncio.gather(*(made.record(unit) for unit in units))

    refusals = [[isinstance(one, Refused) for one in answer] for answer in run(work)]
    assert refusals == [[True, False], [False, False], [True, False]]
    stored = set(Event.objects.values_list("event_id", flat=True))
    assert {"stored", "first", "second"} <= stored
    assert "third" not in stored


def caused_by(shop: Shop, cause: str) -> Event:
    """Publish an event that names its cause; return it as stored."""
    told = shop.publish(shop.envelope(extensions={"causationid": cause}))
    return Event.objects.get(event_id=told.id)


@pytest.mark.parametrize("named", ["{0.event_id}", "{0.pk}", "msg_{0.pk}"])
def test_a_chain_of_flows_ends_at_the_hop_limit_however_its_causes_are_named(
    shop: Shop, named: str
) -> None:
    factories.make_subscription(topic=shop.topic)
    shop.publish()
    last = Event.objects.get()
    for hop in range(1, MAX_HOPS + 2):
        last = caused_by(shop, named.format(last))
        assert last.hops == hop
    assert Delivery.objects.get(event=last).reason == SkipReason.HOP_LIMIT
    assert not Delivery.objects.exclude(event=last).filter(status="skipped").exists()


def test_a_flow_stands_behind_what_its_team_was_sent(shop: Shop) -> None:
    producer = factories.make_application()
    factories.make_grant(producer, topic=shop.topic, verb=Verb.PUBLISH)
    theirs = Publisher(application_id=producer.pk, environment=Environment.PRODUCTION)
    factories.make_subscription(topic=shop.topic, application=shop.application)
    sent = shop.envelope(extensions={"hops": 3})
    publishing.publish(sent, publisher=theirs, now=timezone.now())
    assert caused_by(shop, sent.id).hops == 4


def test_a_stranger_cannot_stop_a_chain_by_taking_its_causes_name(shop: Shop) -> None:
    stranger = factories.make_application()
    factories.make_grant(stranger, topic=shop.topic, verb=Verb.PUBLISH)
    theirs = Publisher(application_id=stranger.pk, environment=Environment.PRODUCTION)
    fake = shop.envelope(id="order-1", extensions={"hops": MAX_HOPS})
    publishing.publish(fake, publisher=theirs, now=timezone.now())
    shop.publish(shop.envelope(id="order-1"))
    assert caused_by(shop, "order-1").hops == 1


def test_a_staging_copy_names_its_origin(shop: Shop) -> None:
    shop.publish()
    origin = Event.objects.get()
    staging = Publisher(application_id=shop.application.pk, environment=Environment.STAGING)
    publishing.publish(shop.envelope(), publisher=staging, now=timezone.now(), origin_id=origin.pk)
    assert Event.objects.get(environment=Environment.STAGING).origin_id == origin.pk


def test_events_land_in_the_partition_of_their_day(shop: Shop) -> None:
    shop.publish()
    event = Event.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM delivery_event")
        (name,) = cursor.fetchone()
    assert name == f"delivery_event_{event.received_at:%Y%m%d}"
