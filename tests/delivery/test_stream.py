"""Server-sent events by a real server: what waits, what comes, where it goes on, when it ends."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from catalog.models import Application
from delivery import subscriptions
from delivery.api import feeds
from delivery.models import Subscription
from delivery.states import DeliveryMode
from governance import keys
from governance.models import ApiKey
from governance.states import Verb
from tests import factories
from tests.delivery.serving import PATIENCE_SECONDS, Server, serving

pytestmark = pytest.mark.django_db(transaction=True)

TYPE = "com.acme.sales.order.created"


@pytest.fixture
def feed_of() -> Subscription:
    topic = factories.make_topic("sales.orders")
    factories.make_version("1.0.0", event_type=factories.make_event_type(TYPE, topic=topic))
    application = factories.make_application("reader")
    factories.make_grant(application, topic=topic)
    factories.make_grant(application, topic=topic, verb=Verb.PUBLISH)
    subscription, _secret = subscriptions.create(
        application=application,
        topic=topic,
        environment="production",
        by=application.service_account,
        now=timezone.now(),
        name="Orders to read",
        mode=DeliveryMode.PULL,
    )
    return subscription


def key_of(application: Application) -> tuple[ApiKey, str]:
    return factories.make_key(application)


def publish(server: Server, key: str) -> str:
    id_ = str(uuid4())
    event = {
        "specversion": "1.0", "id": id_, "source": "/shop", "type": TYPE,
        "data": {"order_id": "A-1", "amount": 1},
    }  # fmt: skip
    assert server.publish(event, key).status == 202
    return id_


@contextmanager
def listening(
    server: Server, pk: UUID, key: str, last: str = ""
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    headers = {"X-API-Key": key, "Accept": "text/event-stream"}
    if last:
        headers["Last-Event-ID"] = last
    connection.request("GET", f"/api/v1/subscriptions/{pk}/stream", headers=headers)
    answer = connection.getresponse()
    try:
        yield answer
    finally:
        answer.close()
        connection.close()


def heard(answer: http.client.HTTPResponse, count: int) -> list[tuple[str, str]]:
    """Return the next events, as their cursor and their id; fewer where the stream ends."""
    found: list[tuple[str, str]] = []
    cursor, until = "", time.monotonic() + PATIENCE_SECONDS
    while len(found) < count and time.monotonic() < until:
        line = answer.readline()
        if not line:
            break
        name, _colon, value = line.decode().strip().partition(": ")
        if name == "id":
            cursor = value
        elif name == "data":
            found.append((cursor, json.loads(value)["id"]))
    return found


def test_what_waits_is_sent_then_what_comes_and_on_return_what_is_behind(
    feed_of: Subscription,
) -> None:
    _key, plain = key_of(feed_of.application)
    with serving() as server:
        first, second = publish(server, plain), publish(server, plain)
        with listening(server, feed_of.pk, plain) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert heard(answer, 2) == [("1", first), ("2", second)]
            third = publish(server, plain)
            assert heard(answer, 1) == [("3", third)]
        with listening(server, feed_of.pk, plain, last="1") as answer:
            assert heard(answer, 2) == [("2", second), ("3", third)]


def test_stream_that_nobody_listens_to_any_more_is_given_up(feed_of: Subscription) -> None:
    _key, plain = key_of(feed_of.application)
    with serving() as server:
        with listening(server, feed_of.pk, plain) as answer:
            answer.readline()
            assert feeds.streams.open == 1
        until = time.monotonic() + PATIENCE_SECONDS
        while feeds.streams.open and time.monotonic() < until:
            time.sleep(0.05)
        assert feeds.streams.open == 0


def test_stream_ends_when_its_key_is_revoked(feed_of: Subscription) -> None:
    key, plain = key_of(feed_of.application)
    with serving() as server, listening(server, feed_of.pk, plain) as answer:
        answer.readline()
        keys.revoke(key, by=factories.make_admin(), reason="Left on a desk.", now=timezone.now())
        assert heard(answer, 1) == []


def test_one_stream_too_many_is_sent_away(
    feed_of: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    _key, plain = key_of(feed_of.application)
    monkeypatch.setattr(feeds, "MAX_STREAMS", 1)
    with serving() as server, listening(server, feed_of.pk, plain) as answer:
        answer.readline()
        with listening(server, feed_of.pk, plain) as refused:
            assert refused.status == 503
            assert refused.headers["Retry-After"]


def test_stream_without_a_key_is_refused(feed_of: Subscription) -> None:
    with serving() as server, listening(server, feed_of.pk, "") as answer:
        assert answer.status == 401
