"""What the drain does when a receiver fails for good: circuits, fallbacks and giving up."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from delivery import signing
from delivery.dispatch import Engine
from delivery.models import (
    Attempt,
    Circuit,
    DeadLetter,
    Notification,
    QueueRow,
)
from delivery.states import DeliveryStatus
from tests import factories
from tests.delivery.looking import statuses
from tests.delivery.owing import add_fallback, add_secret, make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def test_410_disables_the_subscription_and_keeps_what_is_owed(
    engine: Engine, receiver: Receiver
) -> None:
    receiver.reply = lambda _got, _before: Reply(status=410)
    subscription, version = make_world(receiver.url(), concurrency=1)
    owe(subscription, make_events(version, 2))
    engine.drain(seconds=5)
    subscription.refresh_from_db()
    assert (subscription.state, subscription.state_reason) == ("disabled", "gone")
    assert statuses() == {DeliveryStatus.PENDING: 2}
    assert QueueRow.objects.filter(lease__isnull=True).count() == 2


@pytest.mark.parametrize(("tried_before", "told"), [(2, 0), (3, 1), (4, 0)])
def test_owners_are_told_when_an_event_fails_for_the_fourth_time(
    engine: Engine, receiver: Receiver, tried_before: int, told: int
) -> None:
    receiver.reply = lambda _got, _before: Reply(status=500)
    subscription, version = make_world(receiver.url())
    owner = factories.make_person(team=subscription.application.team)
    owe(
        subscription,
        make_events(version),
        attempts=tried_before,
        first_attempt_at=timezone.now() - timedelta(hours=1),
    )
    engine.drain(seconds=5)
    assert QueueRow.objects.get().attempts == tried_before + 1
    assert Notification.objects.filter(user=owner, kind="failing").count() == told


def test_a_circuit_opens_and_what_waits_uses_no_retry(engine: Engine, receiver: Receiver) -> None:
    receiver.reply = lambda _got, _before: Reply(status=500)
    subscription, version = make_world(
        receiver.url(), concurrency=1, retry_waits_seconds=[3600, 3600]
    )
    owe(subscription, make_events(version, 60))
    engine.drain(seconds=5)
    circuit = Circuit.objects.get(pk=subscription.pk)
    assert circuit.state == "open"
    assert circuit.next_probe_at is not None
    untouched = QueueRow.objects.filter(attempts=0).count()
    assert untouched >= 20
    assert len(receiver.got) == 60 - untouched


def test_a_probe_that_succeeds_lets_everything_go(
    engine: Engine, receiver: Receiver, settings: LazySettings
) -> None:
    settings.DELIVERY_PROBE_SECONDS = 1
    receiver.reply = lambda _got, _before: Reply(status=500)
    subscription, version = make_world(
        receiver.url(), concurrency=1, retry_waits_seconds=[1, 1, 1, 1]
    )
    owe(subscription, make_events(version, 40))
    engine.drain(seconds=3)
    assert Circuit.objects.get(pk=subscription.pk).state == "open"
    receiver.reply = lambda _got, _before: Reply()
    until = time.monotonic() + 20
    while QueueRow.objects.exists() and time.monotonic() < until:
        engine.drain(seconds=2)
        time.sleep(0.2)
    assert statuses() == {DeliveryStatus.DELIVERED: 40}
    assert Circuit.objects.get(pk=subscription.pk).state == "closed"


def test_a_fallback_takes_what_comes_while_the_circuit_is_open(
    engine: Engine, receiver: Receiver
) -> None:
    receiver.reply = lambda got, _before: Reply(status=500 if got.path == "/hook" else 200)
    subscription, version = make_world(
        receiver.url(), concurrency=1, retry_waits_seconds=[3600, 3600]
    )
    add_fallback(subscription, receiver.url("/fallback"))
    secret = add_secret(subscription)
    owe(subscription, make_events(version, 60))
    engine.drain(seconds=5)
    assert len(receiver.ids("/fallback")) >= 20
    assert QueueRow.objects.filter(attempts=0).count() == 0
    got = next(one for one in receiver.got if one.path == "/fallback")
    signing.verify(
        [secret],
        message_id=got.id,
        timestamp=got.headers["webhook-timestamp"],
        signature=got.headers["webhook-signature"],
        body=got.body,
        now=time.time(),
    )


@pytest.mark.parametrize(("second", "ends"), [(200, "delivered"), (500, "dead")])
def test_what_the_first_address_gave_up_goes_to_the_second_once(
    engine: Engine, receiver: Receiver, second: int, ends: str
) -> None:
    receiver.reply = lambda got, _before: Reply(status=422 if got.path == "/hook" else second)
    subscription, version = make_world(receiver.url())
    add_fallback(subscription, receiver.url("/fallback"))
    owe(subscription, make_events(version, 2))
    until = time.monotonic() + 10
    while QueueRow.objects.exists() and time.monotonic() < until:
        engine.drain(seconds=2)
        time.sleep(0.1)
    assert sorted(got.path for got in receiver.got) == ["/fallback"] * 2 + ["/hook"] * 2
    assert statuses() == {ends: 2}
    assert DeadLetter.objects.count() == (2 if ends == "dead" else 0)
    assert set(Attempt.objects.values_list("number", "status_code")) == {(1, 422), (2, second)}


def test_what_the_receiver_asks_to_give_up_goes_nowhere_else(
    engine: Engine, receiver: Receiver
) -> None:
    receiver.reply = lambda _got, _before: Reply(
        status=500, headers={"webhook-delivery": "abort-message"}
    )
    subscription, version = make_world(receiver.url())
    add_fallback(subscription, receiver.url("/fallback"))
    owe(subscription, make_events(version))
    engine.drain(seconds=5)
    assert [got.path for got in receiver.got] == ["/hook"]
    assert statuses() == {DeliveryStatus.DEAD: 1}
