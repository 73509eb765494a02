"""Feeds by the machine API: read, acknowledged, streamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from django.test import Client
from django.utils import timezone

from delivery import feed
from delivery.api.feeds import stream
from delivery.models import Event, Subscription
from tests.asking import PROBLEM, pointers
from tests.delivery import owing
from tests.delivery.api.shop import TYPE, Shop

pytestmark = pytest.mark.django_db


def pulled(shop: Shop) -> tuple[Subscription, list[Event]]:
    made = shop.machine.post("subscriptions", {"event_types": [TYPE], "mode": "pull"})
    assert made.json()["secret"] == ""
    subscription = Subscription.objects.get(pk=made.json()["id"])
    events = owing.make_events(shop.version, 3)
    owing.owe(subscription, events, due_at=timezone.now().replace(year=9999))
    return subscription, events


def test_a_feed_is_read_and_acknowledged(shop: Shop) -> None:
    subscription, events = pulled(shop)
    where = f"subscriptions/{subscription.pk}"
    page = shop.machine.get(f"{where}/events", limit="2").json()
    assert [one["event"]["id"] for one in page["results"]] == [e.event_id for e in events[:2]]
    assert page["cursor"] == 2
    rest = shop.machine.follow(page["next"]).json()
    assert [one["cursor"] for one in rest["results"]] == [3]
    assert rest["next"] is None
    done = shop.machine.post(f"{where}/ack", {"cursor": page["cursor"]})
    assert done.json() == {"acknowledged": 2, "cursor": 2}
    assert len(shop.machine.get(f"{where}/events").json()["results"]) == 1
    assert pointers(shop.machine.post(f"{where}/ack", {"cursor": 99})) == {"/cursor"}
    assert pointers(shop.machine.get(f"{where}/events", limit="0")) == {"/limit"}


def test_a_stream_sends_what_waits_and_goes_on_behind_the_last_id(shop: Shop) -> None:
    subscription, _events = pulled(shop)
    where = f"/api/v1/subscriptions/{subscription.pk}/stream"
    answer = Client().get(
        where, headers={**shop.machine.headers, "Last-Event-ID": "1", "Accept": "text/event-stream"}
    )
    assert answer.streaming
    assert answer["Content-Type"] == "text/event-stream"
    account = shop.machine.application.service_account
    page = feed.read(subscription, after=1, by=account, now=timezone.now())

    async def collect() -> bytes:
        chunks: AsyncIterator[bytes] = stream(subscription, page, by=account, seconds=0)
        return b"".join([chunk async for chunk in chunks])

    text = asyncio.run(collect()).decode()
    ids = [line for line in text.splitlines() if line.startswith("id: ")]
    assert ids == ["id: 2", "id: 3"]


def test_a_webhook_is_no_feed(shop: Shop) -> None:
    where = f"subscriptions/{shop.subscription().pk}"
    assert pointers(shop.machine.get(f"{where}/events")) == {"/mode"}
    assert shop.machine.get(f"{where}/stream")["Content-Type"] == PROBLEM
