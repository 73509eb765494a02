"""What is dropped with age, what is not, and who is told when that does not work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from catalog.ids import first_of
from catalog.models import SchemaVersion
from delivery import partitions, retention
from delivery.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Event,
    EventIdentity,
    Payload,
    QueueRow,
    Replay,
    ReplayItem,
    Subscription,
)
from delivery.states import ReplayState
from governance.governed import governed
from tests import factories
from tests.delivery.owing import make_events, make_world

pytestmark = pytest.mark.django_db(transaction=True)

# Long past, and nobody else's days.
OLD = datetime(2019, 5, 1, 12, tzinfo=UTC)
DAYS = 3


@pytest.fixture(autouse=True)
def _old_days() -> Iterator[None]:
    partitions.ensure(OLD, days_ahead=DAYS - 1)
    yield
    with connection.cursor() as cursor:
        for table in partitions.TABLES:
            for day in range(DAYS):
                name = f"{table}_{OLD + timedelta(days=day):%Y%m%d}"
                cursor.execute(f"DROP TABLE IF EXISTS {name}")


@pytest.fixture
def world() -> tuple[Subscription, SchemaVersion]:
    return make_world("http://127.0.0.1:9/")


def old_ids(count: int, *, day: int = 0) -> Iterator[UUID]:
    """Yield keys of an old day."""
    for number in range(count):
        yield first_of(OLD + timedelta(days=day, milliseconds=number + 1))


def make_old(
    subscription: Subscription, version: SchemaVersion, count: int, *, day: int = 0
) -> list[Event]:
    """Return events of an old day, each delivered to the subscription at the first try."""
    events = make_events(version, count)
    made = []
    for event, key in zip(events, old_ids(count, day=day), strict=True):
        Payload.objects.filter(pk=event.pk).update(event_id=key)
        Event.objects.filter(pk=event.pk).update(id=key)
        made.append(Event.objects.get(pk=key))
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            id=event.pk,
            event=event,
            subscription=subscription,
            environment="production",
            status="delivered",
            ended_at=OLD,
        )
        for event in made
    )
    Attempt.objects.bulk_create(
        Attempt(
            id=one.pk,
            delivery=one,
            subscription_id=subscription.pk,
            number=1,
            started_at=OLD,
            duration_ms=1,
            outcome="delivered",
        )
        for one in deliveries
    )
    return made


def make_letter(subscription: Subscription, event: Event) -> DeadLetter:
    group = factories.make_failure_group(subscription)
    return DeadLetter.objects.create(
        delivery_id=event.pk,
        event_id=event.pk,
        subscription=subscription,
        failure_group=group,
        environment="production",
        event_type=event.type.name,
        version="1.0.0",
        limit="attempts",
        error_class="http_status",
        message="?",
        attempts=1,
        first_attempt_at=OLD,
        last_attempt_at=OLD,
        died_at=OLD,
        payload='{"name": "Ada"}',
    )


def kept() -> list[set[UUID]]:
    """Return the keys of what is there, in the order of the partitioned tables."""
    return [
        set(model.objects.values_list("pk", flat=True))
        for model in (Event, Payload, Delivery, Attempt)
    ]


def keys(events: Sequence[Event]) -> set[UUID]:
    return {event.pk for event in events}


def old_partitions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '^delivery_.*_2019[0-9]{4}$'")
        return {name for (name,) in cursor.fetchall()}


def test_days_past_their_retention_are_dropped_whole(
    world: tuple[Subscription, SchemaVersion],
) -> None:
    make_old(*world, 3)
    young = make_events(world[1], 2)
    assert len(old_partitions()) == len(partitions.TABLES) * DAYS
    done = retention.keep(now=timezone.now())
    assert len(done.dropped) == len(partitions.TABLES) * DAYS
    assert old_partitions() == set()
    assert [one & keys(young) for one in kept()[:2]] == [keys(young)] * 2
    assert kept()[2:] == [set(), set()]
    assert retention.keep(now=timezone.now()).dropped == ()


def test_a_topic_that_promises_more_keeps_everything_so_long(
    world: tuple[Subscription, SchemaVersion],
) -> None:
    events = make_old(*world, 1)
    topic = world[0].topic
    with governed(by=None, now=timezone.now()):
        topic.retention_days = (timezone.now() - OLD).days + 2
        topic.save()
    assert retention.keep(now=timezone.now()).dropped == ()
    assert kept() == [keys(events)] * 4


@pytest.mark.parametrize("by", ["queue", "letter", "replay"])
def test_what_is_still_owed_outlives_its_day(
    world: tuple[Subscription, SchemaVersion], by: str
) -> None:
    subscription, _version = world
    held, *_gone = make_old(*world, 5)
    if by == "queue":
        row = QueueRow(delivery_id=held.pk, subscription_id=subscription.pk, event_id=held.pk)
        row.due_at = timezone.now()
        row.save()
    elif by == "letter":
        make_letter(subscription, held)
    else:
        with governed(by=None, now=timezone.now()):
            replay = Replay.objects.create(
                environment="production",
                reason="Again.",
                state=ReplayState.PAUSED,
                requested_by=factories.make_person(),
                requested_at=timezone.now(),
            )
        ReplayItem.objects.create(replay=replay, event_id=held.pk, subscription=subscription)
    retention.keep(now=timezone.now())
    assert old_partitions() == set()
    assert kept() == [{held.pk}] * 4
    # It stands apart from its day now, and goes when nothing holds it any more.
    assert retention.warnings(now=timezone.now()) == []
    QueueRow.objects.all().delete()
    DeadLetter.objects.update(resolved_at=timezone.now())
    ReplayItem.objects.update(ended_at=timezone.now(), result="delivered")
    retention.keep(now=timezone.now())
    assert kept() == [set()] * 4


def test_a_day_of_which_much_is_owed_stays_whole(
    world: tuple[Subscription, SchemaVersion],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(partitions, "MOST_MOVED", 7)
    events = make_old(*world, 5)
    make_old(*world, 2, day=1)
    for event in events[:2]:
        make_letter(world[0], event)
    done = retention.keep(now=timezone.now())
    assert {name.rsplit("_", 1)[-1] for name in done.dropped} == {"20190502", "20190503"}
    assert keys(events) <= kept()[0]
    assert "20190501 stays" in caplog.text


def test_settled_letters_keep_no_copy_of_data_past_its_retention(
    world: tuple[Subscription, SchemaVersion],
) -> None:
    subscription, _version = world
    open_one, settled = (make_letter(subscription, one) for one in make_old(*world, 2))
    DeadLetter.objects.filter(pk=settled.pk).update(resolved_at=timezone.now())
    retention.keep(now=timezone.now())
    payloads = dict(DeadLetter.objects.values_list("pk", "payload"))
    assert payloads == {open_one.pk: open_one.payload, settled.pk: ""}


def test_identities_have_a_window_of_their_own(settings: Settings) -> None:
    settings.DELIVERY_IDENTITIES_KEPT_DAYS = 10
    now = timezone.now()
    for days in (9, 11, 400):
        key = first_of(now - timedelta(days=days))
        EventIdentity.objects.create(digest=key.bytes, event_id=key, content_digest=key.bytes)
    assert retention.keep(now=now).identities == 2
    assert EventIdentity.objects.count() == 1


def test_rows_for_which_no_day_was_made_are_told(client: Client) -> None:
    far = timezone.now() + timedelta(days=3_000)
    assert client.get("/readyz").json().get("warnings") is None
    assert retention.warnings(now=far) == [
        "No partitions are made for tomorrow: see whether beat and a worker run."
    ]
    _subscription, version = make_world("http://127.0.0.1:9/")
    [event] = make_events(version)
    Event.objects.filter(pk=event.pk).update(id=first_of(far))
    [warning] = client.get("/readyz").json()["warnings"]
    assert warning == "delivery_event_default has 1 rows for want of daily partitions."


def test_dropping_waits_for_nobody(
    world: tuple[Subscription, SchemaVersion], caplog: pytest.LogCaptureFixture
) -> None:
    import psycopg  # noqa: PLC0415 - this test's own reader

    from delivery import knowledge  # noqa: PLC0415 - as above

    make_old(*world, 1)
    with psycopg.connect(**knowledge.own_connection()) as reader:
        reader.execute("SELECT count(*) FROM delivery_event")
        assert retention.keep(now=timezone.now()).dropped == ()
        make_events(world[1])
    assert "dropped later" in caplog.text
    assert len(retention.keep(now=timezone.now()).dropped) == len(partitions.TABLES) * DAYS
