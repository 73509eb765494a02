"""Batches on the pages: what ends one, what is collected, what went with which."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from catalog.ids import uuid7
from delivery import subscriptions
from delivery.models import Attempt
from delivery.models.deliveries import COLLECTING
from delivery.states import Batching
from governance import roles
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:9/"
LATER = timedelta(hours=6)


def test_topic_says_until_when_it_collects() -> None:
    topic = factories.make_topic(
        kind="batched",
        batch_max_events=50,
        batch_times=["02:00"],
        batch_time_zone="Europe/Berlin",
    )
    client = signed_in(factories.make_person("sue", role=roles.SUPPORT))
    shown = text_of(client.get(reverse("catalog:topic-detail", args=[topic.name])))
    assert "Collected until 50 events" in shown
    assert "02:00 Europe/Berlin" in shown
    assert "next at" in shown


def test_subscription_says_what_it_has_collected() -> None:
    subscription, version = make_world(URL, batching=Batching.BATCHES, batch_max_wait_seconds=7200)
    owe(
        subscription,
        make_events(version, 3),
        batch_id=COLLECTING,
        due_at=timezone.now() + LATER,
    )
    client = signed_in(factories.make_person(team=subscription.application.team))
    page = reverse("delivery:subscription-detail", args=[subscription.number])
    shown = text_of(client.get(page))
    assert "Collected until 100 events, 1 MB or 2 hours after the first" in shown
    assert "3 events are collected now" in shown
    assert "Batches of whole CloudEvents" in shown


def test_delivery_says_that_it_is_collected_and_then_with_which_id_it_went() -> None:
    subscription, version = make_world(URL, batching=Batching.BATCHES)
    (pk,) = owe(
        subscription,
        make_events(version),
        batch_id=COLLECTING,
        due_at=timezone.now() + LATER,
    )
    client = signed_in(factories.make_person(team=subscription.application.team))
    page = reverse("delivery:delivery-detail", args=[pk])
    assert "It is collected with others" in text_of(client.get(page))
    batch_id = uuid7()
    Attempt.objects.create(
        delivery_id=pk,
        subscription_id=subscription.pk,
        number=1,
        started_at=timezone.now(),
        duration_ms=3,
        outcome="failed",
        status_code=500,
        error_class="http_status",
        batch_id=batch_id,
    )
    shown = text_of(client.get(page))
    assert f"msg_{batch_id}" in shown
    assert "(of the batch that it went in)" in shown


def test_a_test_event_comes_as_a_batch_of_one(settings: LazySettings) -> None:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver().running() as receiver:
        subscription, _version = make_world(receiver.url(), batching=Batching.BATCHES)
        owner = factories.make_person(team=subscription.application.team)
        assert subscriptions.ping(subscription, by=owner, now=timezone.now()).ok
        (got,) = receiver.got
    assert got.headers["content-type"] == "application/cloudevents-batch+json"
    assert len(json.loads(got.body)) == 1


def test_a_batch_and_a_mapping_do_not_go_together() -> None:
    subscription, _version = make_world(URL, batching=Batching.BATCHES)
    owner = factories.make_person(team=subscription.application.team)
    with pytest.raises(ValidationError) as refused:
        subscriptions.change(
            subscription, by=owner, now=timezone.now(), body="mapped", mapping="order_id"
        )
    assert "body" in refused.value.message_dict
