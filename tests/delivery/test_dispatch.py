"""The drain, against a real receiver and a real database."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone

from delivery import (
    endpoints,
    health,
    shelf,
    signing,
    signing_secrets,
    stopping,
    subscriptions,
    supply,
)
from delivery.circuits import Answers, News
from delivery.dispatch import Engine
from delivery.models import (
    Attempt,
    Circuit,
    DeadLetter,
    Delivery,
    Endpoint,
    FailureGroup,
    Notification,
    Payload,
    QueueRow,
    Subscription,
)
from delivery.outgoing import Message
from delivery.shelf import Shelf
from delivery.states import BodyMode, DeliveryStatus
from delivery.transports import ErrorClass, Outgoing, Receipt, TransportError
from delivery.transports.names import AddrInfo
from delivery.transports.webhook import WebhookTransport
from governance import grants
from governance.governed import governed
from governance.models import Grant
from tests import factories
from tests.delivery.engines import LOOPBACK, running_engine
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Got, Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Delivery.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


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


def test_what_is_sent_is_the_event_signed(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(receiver.url())
    secret = add_secret(subscription)
    (event,) = make_events(version)
    owe(subscription, [event])
    engine.drain(seconds=5)
    (got,) = receiver.got
    assert got.headers["ce-type"] == version.event_type.name
    assert got.headers["ce-id"] == "order-0"
    assert got.headers["traceparent"] == event.trace_parent
    assert got.body == b'{"order_id": "A-0", "amount": 0}'
    signing.verify(
        [secret],
        message_id=got.headers["webhook-id"],
        timestamp=got.headers["webhook-timestamp"],
        signature=got.headers["webhook-signature"],
        body=got.body,
        now=time.time(),
    )


def test_a_key_pair_signs_too_and_the_one_before_it_for_a_while(
    engine: Engine, receiver: Receiver
) -> None:
    subscription, version = make_world(receiver.url())
    add_secret(subscription)
    owner = factories.make_person(team=subscription.application.team)
    first = signing_secrets.rotate_key_pair(subscription, by=owner, now=timezone.now())
    second = signing_secrets.rotate_key_pair(subscription, by=owner, now=timezone.now())
    assert signing_secrets.public_keys(subscription, now=timezone.now()) == [second, first]
    assert signing_secrets.public_keys(subscription, now=timezone.now() + timedelta(hours=25)) == [
        second
    ]
    owe(subscription, make_events(version))
    engine.drain(seconds=5)
    (got,) = receiver.got
    signatures = got.headers["webhook-signature"].split()
    assert [one.partition(",")[0] for one in signatures] == ["v1", "v1a", "v1a"]
    for public in (first, second):
        verify_with(public, got)
    signing_secrets.end_key_pairs(subscription, by=owner, now=timezone.now())
    assert signing_secrets.public_keys(subscription, now=timezone.now()) == []


def verify_with(key: str, got: Got) -> None:
    signing.verify(
        [key],
        message_id=got.id,
        timestamp=got.headers["webhook-timestamp"],
        signature=got.headers["webhook-signature"],
        body=got.body,
        now=time.time(),
    )


def test_a_mapping_makes_the_body(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(
        receiver.url(), body=BodyMode.MAPPED, mapping="{number: order_id}"
    )
    owe(subscription, make_events(version))
    engine.drain(seconds=5)
    assert receiver.got[0].body == b'{"number":"A-0"}'


def test_a_revoked_grant_stops_the_backlog_and_says_so(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(receiver.url())
    owe(subscription, make_events(version, 3))
    owe(subscription, make_events(version, 2), due_at=timezone.now() + timedelta(hours=2))
    grant = Grant.objects.get(application=subscription.application)
    grants.revoke(grant, by=factories.make_admin(), reason="No longer needed", now=timezone.now())
    engine.drain(seconds=5)
    assert receiver.got == []
    assert statuses() == {DeliveryStatus.SKIPPED: 5}
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"no_grant"}
    assert not QueueRow.objects.exists()


def test_a_revoke_holds_for_an_engine_that_runs(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(receiver.url())
    owe(subscription, make_events(version))
    engine.drain(seconds=5)
    grant = Grant.objects.get(application=subscription.application)
    grants.revoke(grant, by=factories.make_admin(), reason="No longer needed", now=timezone.now())
    time.sleep(0.6)
    owe(subscription, make_events(version))
    engine.drain(seconds=5)
    assert len(receiver.got) == 1


def test_a_revoke_holds_for_a_request_that_still_connects(receiver: Receiver) -> None:
    async def slowly(_host: str, port: int) -> Sequence[AddrInfo]:
        await asyncio.sleep(2.5)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    engine = Engine(transport=WebhookTransport(allowed_networks=LOOPBACK, resolve=slowly))
    subscription, version = make_world(f"http://slow.example.com:{receiver.port}/hook")
    owe(subscription, make_events(version))
    drain = threading.Thread(target=engine.drain, kwargs={"seconds": 5})
    try:
        drain.start()
        time.sleep(0.5)
        grant = Grant.objects.get(application=subscription.application)
        admin = factories.make_admin()
        grants.revoke(grant, by=admin, reason="No longer needed", now=timezone.now())
        drain.join()
        time.sleep(0.6)  # until the engine asks again what governance says
        engine.drain(seconds=2)
    finally:
        engine.close()
    assert receiver.got == []
    assert statuses() == {"skipped": 1}


def test_a_paused_subscription_keeps_its_backlog(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(receiver.url())
    person = factories.make_person(team=subscription.application.team)
    subscriptions.pause(subscription, by=person, now=timezone.now())
    owe(subscription, make_events(version, 3))
    assert engine.drain(seconds=5) is False
    assert receiver.got == []
    assert QueueRow.objects.filter(lease__isnull=True).count() == 3
    subscriptions.resume(subscription, by=person, now=timezone.now())
    time.sleep(0.6)
    engine.drain(seconds=5)
    assert statuses() == {DeliveryStatus.DELIVERED: 3}


def test_an_event_does_not_leave_its_regions(engine: Engine, receiver: Receiver) -> None:
    subscription, version = make_world(receiver.url())
    owe(subscription, make_events(version, regions=["us"]))
    engine.drain(seconds=5)
    assert receiver.got == []
    assert Delivery.objects.get().reason == "residency"


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


def add_secret(subscription: Subscription) -> str:
    assert subscription.endpoint is not None
    with governed(by=None, now=timezone.now()):
        return endpoints.add_secret(subscription.endpoint, now=timezone.now())


def add_fallback(subscription: Subscription, url: str) -> None:
    with governed(by=None, now=timezone.now()):
        endpoint = Endpoint.objects.create(
            application=subscription.application,
            url=url,
            region=subscription.application.region,
            changed_at=timezone.now(),
        )
        subscription.fallback_endpoint = endpoint
        subscription.save()


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


def test_a_deprecated_version_says_so_in_each_delivery(engine: Engine, receiver: Receiver) -> None:
    subscription, _version = make_world(receiver.url())
    old = factories.make_version(
        "0.9.0",
        event_type=subscription.topic.event_types.get(),
        live_in=(),
        deprecated_in=("production",),
        sunset_at=timezone.now() + timedelta(days=30),
    )
    owe(subscription, make_events(old))
    engine.drain(seconds=5)
    assert receiver.got[0].headers["ce-deprecated"] == "true"
    assert "ce-deprecationsunset" in receiver.got[0].headers
