"""Ordered subscriptions whose event fails for good: skipped, tried for ever, or its key parked."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import claiming, lookout, parking
from delivery.claiming import Wanted, Which
from delivery.dispatch import Engine
from delivery.models import DeadLetter, Delivery, ParkedKey, QueueRow, Subscription
from delivery.models.deliveries import COLLECTING, NEVER
from delivery.states import Batching, DeliveryStatus, Poison
from governance import roles
from governance.models import LedgerEntry
from tests import factories
from tests.delivery.engines import drain_until, running_engine
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Got, Receiver, Reply
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)


def refuse_the_first(got: Got, _before: int) -> Reply:
    """Refuse order-0 for good; take all others."""
    return Reply(status=422 if got.headers["ce-id"] == "order-0" else 200)


def arrived(receiver: Receiver) -> list[str]:
    return [got.headers["ce-id"] for got in receiver.got]


def make_ordered(
    receiver: Receiver, poison: Poison, **fields: object
) -> tuple[Subscription, list[UUID]]:
    """Return a subscription that is owed six events of two keys; the first of them is poison."""
    receiver.reply = refuse_the_first
    subscription, version = make_world(
        receiver.url(), is_ordered=True, poison=poison, retry_waits_seconds=[1], **fields
    )
    return subscription, owe(subscription, make_events(version, 6), keys=["a", "b"])


def owner_of(subscription: Subscription) -> User:
    return factories.make_person(team=subscription.application.team)


def test_skip_gives_it_up_and_goes_on(engine: Engine, receiver: Receiver) -> None:
    make_ordered(receiver, Poison.SKIP)
    drain_until(engine, lambda: not QueueRow.objects.exists())
    assert sorted(arrived(receiver)) == [f"order-{number}" for number in range(6)]
    assert DeadLetter.objects.count() == 1
    assert not ParkedKey.objects.exists()


def test_block_tries_on_and_lets_nothing_of_the_key_pass(
    engine: Engine, receiver: Receiver
) -> None:
    make_ordered(receiver, Poison.BLOCK)
    drain_until(engine, lambda: arrived(receiver).count("order-0") >= 3)
    assert {"order-2", "order-4"}.isdisjoint(arrived(receiver))
    assert {"order-1", "order-3", "order-5"} <= set(arrived(receiver))
    assert not DeadLetter.objects.exists()
    receiver.reply = lambda _got, _before: Reply()
    drain_until(engine, lambda: not QueueRow.objects.exists())
    assert arrived(receiver)[-2:] == ["order-2", "order-4"]


def test_block_gives_up_what_the_receiver_asks_to_give_up(
    engine: Engine, receiver: Receiver
) -> None:
    make_ordered(receiver, Poison.BLOCK)
    receiver.reply = lambda _got, _before: Reply(
        status=500, headers={"webhook-delivery": "abort-message"}
    )
    drain_until(engine, lambda: not QueueRow.objects.exists())
    assert DeadLetter.objects.count() == 6


def test_park_lets_the_key_wait_and_the_others_go(engine: Engine, receiver: Receiver) -> None:
    subscription, ids = make_ordered(receiver, Poison.PARK)
    drain_until(engine, lambda: QueueRow.objects.filter(due_at=NEVER).count() == 2)
    assert sorted(arrived(receiver)) == ["order-0", "order-1", "order-3", "order-5"]
    parked = ParkedKey.objects.get()
    assert (parked.order_key, parked.delivery_id) == ("a", ids[0])
    # What waits so costs nothing: no sweep finds it due.
    assert not lookout.look(now=timezone.now()).deliveries
    count = parking.release(parked, by=owner_of(subscription), now=timezone.now())
    assert count == 2
    drain_until(engine, lambda: not QueueRow.objects.exists())
    assert arrived(receiver)[-2:] == ["order-2", "order-4"]
    actions = set(LedgerEntry.objects.values_list("action", flat=True))
    assert {"key:park", "key:release"} <= actions


def test_a_replay_of_what_died_goes_past_its_parked_key(engine: Engine, receiver: Receiver) -> None:
    subscription, ids = make_ordered(receiver, Poison.PARK)
    drain_until(engine, lambda: QueueRow.objects.filter(due_at=NEVER).count() == 2)
    receiver.reply = lambda _got, _before: Reply()
    dead = Delivery.objects.get(pk=ids[0])
    (again,) = owe(subscription, [dead.event], keys=["a"])
    QueueRow.objects.filter(pk=again).update(is_replay=True)
    drain_until(engine, lambda: not QueueRow.objects.filter(pk=again).exists())
    assert arrived(receiver)[-1] == "order-0"
    assert QueueRow.objects.filter(due_at=NEVER).count() == 2


def test_what_comes_for_a_parked_key_waits_too(engine: Engine, receiver: Receiver) -> None:
    subscription, _ids = make_ordered(receiver, Poison.PARK)
    drain_until(engine, lambda: QueueRow.objects.filter(due_at=NEVER).count() == 2)
    events = make_events(subscription.topic.event_types.get().versions.get(), 2)
    owe(subscription, events, keys=["a", "b"])
    drain_until(engine, lambda: QueueRow.objects.filter(due_at=NEVER).count() == 3)
    assert QueueRow.objects.count() == 3


def test_what_waits_of_a_key_is_discarded_with_a_reason(engine: Engine, receiver: Receiver) -> None:
    _subscription, _ids = make_ordered(receiver, Poison.PARK)
    drain_until(engine, lambda: QueueRow.objects.filter(due_at=NEVER).count() == 2)
    parked, support = ParkedKey.objects.get(), factories.make_person("sue", role=roles.SUPPORT)
    with pytest.raises(ValidationError):
        parking.discard(parked, reason=" ", by=support, now=timezone.now())
    assert parking.discard(parked, reason="Test data.", by=support, now=timezone.now()) == 2
    assert not ParkedKey.objects.exists()
    assert not QueueRow.objects.exists()
    assert Delivery.objects.filter(status=DeliveryStatus.DISCARDED).count() == 2
    assert DeadLetter.objects.filter(resolved_at=None).count() == 1
    with pytest.raises(IllegalMove):
        parking.release(parked, by=support, now=timezone.now())


def make_parked(**fields: object) -> tuple[Subscription, ParkedKey, list[UUID]]:
    """Return a key of a subscription to nowhere, with two deliveries that wait behind a third."""
    subscription, version = make_world(
        "http://127.0.0.1:9/", is_ordered=True, poison=Poison.PARK, **fields
    )
    ids = owe(subscription, make_events(version, 3), keys=["a"])
    QueueRow.objects.filter(pk=ids[0]).delete()
    QueueRow.objects.filter(pk__in=ids[1:]).update(due_at=NEVER)
    parked = ParkedKey.objects.create(
        subscription=subscription, order_key="a", delivery_id=ids[0], parked_at=timezone.now()
    )
    return subscription, parked, ids


def test_only_those_who_may_resume_decide_about_a_key() -> None:
    subscription, parked, _ids = make_parked()
    stranger = factories.make_person("charlie")
    for verb in (parking.release, parking.discard):
        with pytest.raises(PermissionDenied):
            verb(parked, by=stranger, now=timezone.now(), reason="Mine.")
    page = reverse("delivery:parked-key-act", args=[subscription.number, parked.pk])
    assert signed_in(stranger).post(page, {"verb": "release"}).status_code == 404
    assert ParkedKey.objects.exists()


def test_pages_say_what_waits_behind_what_and_let_it_go() -> None:
    subscription, parked, ids = make_parked()
    client = signed_in(owner_of(subscription))
    mine = reverse("delivery:subscription-detail", args=[subscription.number])
    shown = text_of(client.get(mine))
    assert "Parked keys" in shown
    assert "Send what waits" in shown
    waiting = text_of(client.get(reverse("delivery:delivery-detail", args=[ids[1]])))
    assert "Its key is parked" in waiting
    assert "It waits behind" in waiting
    act = reverse("delivery:parked-key-act", args=[subscription.number, parked.pk])
    client.post(act, {"verb": "release", "reason": "Mended."})
    assert "Parked keys" not in text_of(client.get(mine))
    assert not QueueRow.objects.filter(due_at=NEVER).exists()
    behind = text_of(client.get(reverse("delivery:delivery-detail", args=[ids[2]])))
    assert "It waits for its turn" in behind


def test_keys_are_let_go_by_the_api() -> None:
    subscription, parked, ids = make_parked()
    client = signed_in(owner_of(subscription))
    where = f"/api/v1/subscriptions/{subscription.pk}/keys"
    (told,) = client.get(where).json()["results"]
    assert (told["key"], told["delivery"], told["waiting"]) == ("a", str(ids[0]), 2)
    answer = client.post(f"{where}/{parked.pk}/release", {}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"deliveries": 2})
    again = client.post(f"{where}/{parked.pk}/release", {}, content_type="application/json")
    assert again.status_code == 404


def test_a_batch_leaves_out_what_is_parked(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(
        receiver.url(),
        is_ordered=True,
        poison=Poison.PARK,
        batching=Batching.BATCHES,
        batch_max_events=2,
    )
    ParkedKey.objects.create(
        subscription=subscription, order_key="a", delivery_id=UUID(int=1), parked_at=timezone.now()
    )
    later = timezone.now() + timedelta(hours=6)
    events = make_events(version, 6)
    owe(subscription, events, keys=["a", "b"], batch_id=COLLECTING, due_at=later)
    drain_until(engine, lambda: bool(receiver.got))
    engine.drain(seconds=1)
    assert len(receiver.got) == 1
    assert QueueRow.objects.filter(due_at=NEVER, order_key="a").count() == 3


def test_a_key_is_never_out_twice_though_an_earlier_event_is_stored_later() -> None:
    subscription, version = make_world("http://127.0.0.1:9/", is_ordered=True)
    first, second = owe(subscription, make_events(version, 2), keys=["a"])
    early = QueueRow.objects.get(pk=first)
    QueueRow.objects.filter(pk=first).delete()
    wanted = Wanted(
        subscription_id=subscription.pk, room=10, lease_seconds=60, which=Which.FIRST_OF_KEY
    )
    now = timezone.now()
    taken = claiming.claim_within(wanted, most=None, now=now)
    assert [one.delivery_id for one in taken] == [second]
    early.save(force_insert=True)
    assert claiming.claim_within(wanted, most=None, now=now) == []
    claiming.release(taken)
    assert [one.delivery_id for one in claiming.claim_within(wanted, most=None, now=now)] == [first]


def test_two_workers_never_have_one_key_out_twice(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(after_seconds=0.005)
    subscription, version = make_world(receiver.url(), is_ordered=True, concurrency=16)
    owe(subscription, make_events(version, 100), keys=list("abcde"))
    with running_engine() as other:
        second = threading.Thread(target=other.drain, kwargs={"seconds": 15})
        second.start()
        engine.drain(seconds=15)
        second.join()
    numbers = [int(one.removeprefix("order-")) for one in arrived(receiver)]
    assert len(numbers) == 100
    for key in range(5):
        mine = [number for number in numbers if number % 5 == key]
        assert mine == sorted(mine)
    assert receiver.most_at_once <= 5
