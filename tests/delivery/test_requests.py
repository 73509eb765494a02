"""What the drain sends: the event, mapped, signed, and told what is deprecated."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery import signing, signing_secrets
from delivery.dispatch import Engine
from delivery.states import BodyMode
from tests import factories
from tests.delivery.owing import add_secret, make_events, make_world, owe
from tests.delivery.receiver import Got, Receiver

pytestmark = pytest.mark.django_db(transaction=True)


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
