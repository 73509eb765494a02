"""What the drain must not send: without a grant, while paused, out of its regions."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery import subscriptions
from delivery.dispatch import Engine
from delivery.models import Delivery, QueueRow
from delivery.states import DeliveryStatus
from delivery.transports.names import AddrInfo
from delivery.transports.webhook import WebhookTransport
from governance import grants
from governance.models import Grant
from tests import factories
from tests.delivery.engines import LOOPBACK
from tests.delivery.looking import statuses
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


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
