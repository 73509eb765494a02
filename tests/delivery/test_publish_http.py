"""Each answer of the publish path (design, section 6.1), by a real server on a real database."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from catalog.models import Application, EventType, Topic
from catalog.words import Environment
from delivery import backlogs, subscriptions
from delivery.asgi import NOTES_SECONDS
from delivery.models import Delivery, Event, EventIdentity, Payload, QueueRow, Subscription
from delivery.states import DeliveryStatus
from governance import grants, keys
from governance.actions import Action
from governance.models import ApiKey, Grant, Refusal
from governance.states import Verb
from tests import factories
from tests.delivery.serving import Answer, Server, serving

pytestmark = pytest.mark.django_db(transaction=True)

TYPE = "com.acme.sales.order.created"
SOURCE = "/shop"
DATA = {"order_id": "A-1001", "amount": 59.9}
FRESH_SECONDS = 1.0  # how old what a process knows of governance may be


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A topic with one event type, who may publish to it, and a server to publish to."""

    server: Server
    topic: Topic
    event_type: EventType
    application: Application
    grant: Grant
    key: str
    api_key: ApiKey
    subscription: Subscription

    def publish(self, document: object, **options: str) -> Answer:
        return self.server.publish(document, self.key, **options)


@pytest.fixture
def shop() -> Iterator[Shop]:
    topic = factories.make_topic("sales.orders")
    event_type = factories.make_event_type(TYPE, topic=topic)
    factories.make_version("1.0.0", event_type=event_type)
    application = factories.make_application("shop")
    grant = factories.make_grant(application, topic=topic, verb=Verb.PUBLISH)
    api_key, key = factories.make_key(application)
    subscription = factories.make_subscription(topic=topic)
    with serving() as server:
        yield Shop(
            server=server,
            topic=topic,
            event_type=event_type,
            application=application,
            grant=grant,
            key=key,
            api_key=api_key,
            subscription=subscription,
        )


def event(**attributes: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": SOURCE,
        "type": TYPE,
        "data": DATA,
        **attributes,
    }


def wait_until_known() -> None:
    """Let every process read governance again."""
    time.sleep(FRESH_SECONDS)


def test_an_accepted_event_is_stored_with_its_payload_and_one_delivery(shop: Shop) -> None:
    sent = event(subject="A-1001", partitionkey="A")
    answer = shop.publish(sent)
    assert answer.status == 202
    assert answer.json() == {
        "id": sent["id"],
        "source": SOURCE,
        "status": "accepted",
        "deliveries": 1,
    }
    stored = Event.objects.get()
    assert (stored.event_id, stored.subject, stored.partition_key) == (sent["id"], "A-1001", "A")
    assert (stored.application, stored.type) == (shop.application, shop.event_type)
    assert stored.correlation_id
    assert stored.trace_parent.startswith("00-")
    assert json.loads(Payload.objects.get().data) == DATA
    delivery = Delivery.objects.get()
    assert (delivery.event_id, delivery.status) == (stored.pk, DeliveryStatus.PENDING)
    queued = QueueRow.objects.get()
    assert (queued.delivery_id, queued.event_id) == (delivery.pk, stored.pk)
    assert queued.subscription_id == shop.subscription.pk


def test_binary_mode_says_the_same_as_structured_mode(shop: Shop) -> None:
    sent = event()
    headers = {
        "Authorization": f"Bearer {shop.key}",
        "Content-Type": "application/json",
        **{f"ce-{name}": str(sent[name]) for name in ("specversion", "id", "source", "type")},
    }
    body = json.dumps(DATA).encode()
    answer = shop.server.request("POST", "/api/v1/events", body=body, headers=headers)
    assert (answer.status, answer.json()["status"]) == (202, "accepted")
    again = shop.publish(sent)
    assert (again.status, again.json()["status"]) == (202, "duplicate")


def test_a_batch_is_answered_in_order(shop: Shop) -> None:
    sent = [event() for _ in range(30)]
    answer = shop.publish(sent)
    assert answer.status == 202
    assert [one["id"] for one in answer.json()["events"]] == [one["id"] for one in sent]
    assert Event.objects.count() == Delivery.objects.count() == QueueRow.objects.count() == 30


def test_a_repeated_event_is_a_duplicate_and_not_delivered_again(shop: Shop) -> None:
    sent = event()
    assert shop.publish(sent).json()["status"] == "accepted"
    again = shop.publish(sent)
    assert again.status == 202
    assert again.json() == {
        "id": sent["id"],
        "source": SOURCE,
        "status": "duplicate",
        "deliveries": 1,
    }
    assert Delivery.objects.count() == 1


def test_the_same_id_with_other_content_is_a_conflict(shop: Shop) -> None:
    sent = event()
    shop.publish(sent)
    answer = shop.publish({**sent, "data": {**DATA, "amount": 1}})
    assert answer.status == 409
    assert answer.json()["type"] == "urn:signalbox:problem:other-content"
    assert Event.objects.count() == 1


def test_rivals_with_one_event_store_it_once(shop: Shop) -> None:
    sent = event()
    with ThreadPoolExecutor(8) as pool:
        found = [one.json()["status"] for one in pool.map(lambda _: shop.publish(sent), range(24))]
    assert sorted(found) == ["accepted"] + ["duplicate"] * 23
    assert Event.objects.count() == Delivery.objects.count() == 1


def test_concurrent_events_and_batches_are_all_stored(shop: Shop) -> None:
    documents: list[object] = [
        [event() for _ in range(5)] if i % 3 == 0 else event() for i in range(60)
    ]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(shop.publish, documents))
    assert {one.status for one in found} == {202}
    assert Event.objects.count() == EventIdentity.objects.count() == 40 + 20 * 5


def test_staging_and_production_do_not_share_identities(shop: Shop) -> None:
    sent = event()
    _key, staging = factories.make_key(shop.application, environment=Environment.STAGING)
    wait_until_known()
    assert shop.publish(sent).json()["status"] == "accepted"
    assert shop.server.publish(sent, staging).json()["status"] == "accepted"
    assert set(Event.objects.values_list("environment", flat=True)) == set(Environment.values)
    # The subscription is of production only.
    assert Delivery.objects.get().environment == Environment.PRODUCTION


def problem(answer: Answer) -> tuple[int, str]:
    """Return the status and the problem's name, after checking its form (RFC 9457)."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status
    assert document["title"]
    assert document["detail"]
    return answer.status, document["type"].removeprefix("urn:signalbox:problem:")


def pointers(answer: Answer) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def test_no_key_and_a_wrong_key_are_401(shop: Shop) -> None:
    for key in (None, "sbx_live_wrong", "nonsense"):
        answer = shop.server.publish(event(), key)
        assert problem(answer) == (401, "no-key")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_what_is_no_cloudevent_is_400_with_pointers(shop: Shop) -> None:
    answer = shop.publish({"specversion": "1.0", "id": "", "type": TYPE})
    assert problem(answer) == (400, "not-a-cloudevent")
    assert set(pointers(answer)) == {"/id", "/source"}


def test_an_unknown_type_is_404(shop: Shop) -> None:
    answer = shop.publish(event(type="com.acme.nothing.such"))
    assert problem(answer) == (404, "unknown-event-type")


def test_a_hidden_topic_answers_exactly_as_an_unknown_type(shop: Shop) -> None:
    hidden = factories.make_topic(is_restricted=True)
    event_type = factories.make_event_type("com.acme.hidden.thing.done", topic=hidden)
    factories.make_version(event_type=event_type)
    wait_until_known()
    found = shop.publish(event(type=event_type.name))
    unknown = shop.publish(event(type="com.acme.hidden.thing.gone"))
    assert found.status == unknown.status == 404
    assert found.body.replace(b"done", b"gone") == unknown.body
    assert found.headers.keys() == unknown.headers.keys()


def test_a_visible_topic_without_a_grant_is_403(shop: Shop) -> None:
    topic = factories.make_topic()
    event_type = factories.make_event_type(topic=topic)
    factories.make_version(event_type=event_type)
    wait_until_known()
    assert problem(shop.publish(event(type=event_type.name))) == (403, "no-grant")
    assert not Event.objects.exists()


def test_refusals_and_uses_of_keys_are_noted_soon_after(shop: Shop) -> None:
    topic = factories.make_topic()
    event_type = factories.make_event_type(topic=topic)
    factories.make_version(event_type=event_type)
    wait_until_known()
    for _ in range(3):
        assert shop.publish(event(type=event_type.name)).status == 403
    account = str(shop.application.service_account_id)
    refusals = Refusal.objects.filter(action=Action.TOPIC_PUBLISH, who_id=account)
    until = time.monotonic() + 4 * NOTES_SECONDS
    while sum(refusals.values_list("count", flat=True)) < 3 and time.monotonic() < until:
        time.sleep(0.1)
    assert sum(refusals.values_list("count", flat=True)) == 3
    shop.api_key.refresh_from_db()
    assert shop.api_key.last_used_at is not None


def test_a_publisher_outside_the_topics_regions_is_403(shop: Shop) -> None:
    topic = factories.make_topic(regions=["us"])
    event_type = factories.make_event_type(topic=topic)
    factories.make_version(event_type=event_type)
    factories.make_grant(shop.application, topic=topic, verb=Verb.PUBLISH)
    wait_until_known()
    assert problem(shop.publish(event(type=event_type.name))) == (403, "residency")


def test_data_that_breaks_the_contract_is_422_with_pointers_into_the_data(shop: Shop) -> None:
    answer = shop.publish(event(data={"order_id": 7, "amount": -1}))
    assert problem(answer) == (422, "contract")
    assert set(pointers(answer)) == {"/data/order_id", "/data/amount"}


def test_a_version_that_is_not_live_here_is_422(shop: Shop) -> None:
    factories.make_version("1.1.0", event_type=shop.event_type, live_in=[Environment.STAGING])
    _key, staging = factories.make_key(shop.application, environment=Environment.STAGING)
    wait_until_known()
    named = event(
        dataschema=f"https://portal.example/api/v1/event-types/{TYPE}/versions/1.1.0/schema"
    )
    assert problem(shop.publish(named)) == (422, "unknown-version")
    assert shop.server.publish(named, staging).status == 202


def test_a_deprecated_version_passes_and_says_when_it_ends(shop: Shop) -> None:
    sunset_at = timezone.now() + timedelta(days=30)
    factories.make_version(
        "0.9.0",
        event_type=shop.event_type,
        live_in=[],
        deprecated_in=[Environment.PRODUCTION],
        sunset_at=sunset_at,
    )
    wait_until_known()
    old = f"https://portal.example/api/v1/event-types/{TYPE}/versions/0.9.0/schema"
    answer = shop.publish(event(dataschema=old))
    assert answer.status == 202
    assert answer.headers["deprecation"].startswith("@")
    assert answer.headers["sunset"].endswith("GMT")
    assert "deprecation" not in shop.publish(event()).headers


def test_too_much_is_413(shop: Shop) -> None:
    one = event(data={**DATA, "order_id": "x", "note": "n" * 300_000})
    assert problem(shop.publish(one)) == (413, "too-large")
    whole = b" " * (1024 * 1024 + 1)
    headers = {"X-API-Key": shop.key, "Content-Type": "application/cloudevents+json"}
    answer = shop.server.request("POST", "/api/v1/events", body=whole, headers=headers)
    assert problem(answer) == (413, "too-large")
    assert shop.publish([event() for _ in range(1001)]).status == 413


def test_another_format_is_415(shop: Shop) -> None:
    assert problem(shop.publish(event(), content_type="text/xml")) == (415, "content-type")
    avro = "application/cloudevents+avro"
    assert problem(shop.publish(event(), content_type=avro)) == (415, "content-type")


def test_a_batch_with_one_fault_is_refused_whole(shop: Shop) -> None:
    batch = [event(), event(data={"order_id": "A"}), {"id": "1"}, event()]
    answer = shop.publish(batch)
    assert answer.status == 422
    assert {pointer.split("/")[1] for pointer in pointers(answer)} == {"1", "2"}
    assert not Event.objects.exists()
    assert not EventIdentity.objects.exists()


def test_a_batch_that_meets_other_content_is_refused_whole(shop: Shop) -> None:
    first = event()
    shop.publish(first)
    answer = shop.publish([event(), {**first, "data": {**DATA, "amount": 2}}, event()])
    assert problem(answer) == (409, "other-content")
    assert pointers(answer) == ["/1/id"]
    assert Event.objects.count() == 1


def test_neighbours_of_a_refused_batch_are_stored(shop: Shop) -> None:
    first = event()
    shop.publish(first)
    bad = [event(), {**first, "data": {**DATA, "amount": 2}}]
    documents: list[object] = [bad if i % 4 == 0 else [event(), event()] for i in range(24)]
    with ThreadPoolExecutor(12) as pool:
        found = [one.status for one in pool.map(shop.publish, documents)]
    assert sorted(found) == [202] * 18 + [409] * 6
    assert Event.objects.count() == 1 + 18 * 2


def test_a_partial_batch_stores_the_good_ones(shop: Shop) -> None:
    batch: list[dict[str, object]] = [event(), event(data={"order_id": "A"}), {"id": "1"}]
    answer = shop.publish(batch, query="?partial=true")
    assert answer.status == 202
    good, broken, no_event = answer.json()["events"]
    assert good["status"] == "accepted"
    assert (broken["status"], broken["id"]) == ("refused", batch[1]["id"])
    assert broken["type"] == "urn:signalbox:problem:contract"
    assert no_event["type"] == "urn:signalbox:problem:not-a-cloudevent"
    assert all(error["pointer"].startswith("/1") for error in broken["errors"])
    assert Event.objects.get().event_id == batch[0]["id"]


def test_a_revoked_grant_refuses_within_a_second(shop: Shop) -> None:
    assert shop.publish(event()).status == 202
    grants.revoke(shop.grant, by=factories.make_admin(), reason="It ends here.", now=timezone.now())
    wait_until_known()
    assert problem(shop.publish(event())) == (403, "no-grant")


def test_a_revoked_key_refuses_within_a_second(shop: Shop) -> None:
    keys.revoke(shop.api_key, by=factories.make_admin(), reason="Leaked.", now=timezone.now())
    wait_until_known()
    assert problem(shop.publish(event())) == (401, "no-key")


def test_a_key_revoked_while_the_body_arrives_opens_nothing(shop: Shop) -> None:
    body = json.dumps(event()).encode()
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {shop.key}\r\n"
        f"Content-Type: application/cloudevents+json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", shop.server.port), timeout=5) as client:
        client.sendall(head + body[:10])
        time.sleep(0.2)
        keys.revoke(shop.api_key, by=factories.make_admin(), reason="Leaked.", now=timezone.now())
        wait_until_known()
        client.sendall(body[10:])
        assert client.recv(4096).startswith(b"HTTP/1.1 401")
    assert not Event.objects.exists()


def test_a_key_over_its_rate_is_429_with_retry_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("django.conf.settings.PUBLISH_RATE_PER_SECOND", 10)
    topic = factories.make_topic()
    event_type = factories.make_event_type(topic=topic)
    factories.make_version(event_type=event_type)
    application = factories.make_application()
    factories.make_grant(application, topic=topic, verb=Verb.PUBLISH)
    _api_key, key = factories.make_key(application)
    with serving() as server:
        assert server.publish([event(type=event_type.name) for _ in range(20)], key).status == 202
        answer = server.publish([event(type=event_type.name) for _ in range(20)], key)
    assert problem(answer) == (429, "rate")
    assert 1 <= int(answer.headers["retry-after"]) <= 2
    assert Event.objects.count() == 20


def test_the_handshake_of_web_hooks_is_answered(shop: Shop) -> None:
    headers = {"WebHook-Request-Origin": "events.example.com"}
    answer = shop.server.request("OPTIONS", "/api/v1/events", headers=headers)
    assert answer.status == 200
    assert answer.headers["webhook-allowed-origin"] == "events.example.com"
    assert int(answer.headers["webhook-allowed-rate"]) > 0


def test_a_client_that_hangs_up_takes_nothing_from_the_others(shop: Shop) -> None:
    body = json.dumps(event()).encode()
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {shop.key}\r\n"
        f"Content-Type: application/cloudevents+json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()

    def hang_up() -> None:
        with socket.create_connection(("127.0.0.1", shop.server.port)) as client:
            client.sendall(head + body)

    rude = [threading.Thread(target=hang_up) for _ in range(8)]
    for thread in rude:
        thread.start()
    with ThreadPoolExecutor(8) as pool:
        found = [one.status for one in pool.map(lambda _: shop.publish(event()), range(16))]
    for thread in rude:
        thread.join()
    assert found == [202] * 16


def test_a_body_that_never_ends_is_cut_off(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.asgi.BODY_SECONDS", 0.3)
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {shop.key}\r\n"
        "Content-Type: application/cloudevents+json\r\nContent-Length: 1000\r\n\r\n{"
    ).encode()
    with socket.create_connection(("127.0.0.1", shop.server.port), timeout=5) as client:
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 408")


def test_a_paused_subscription_keeps_its_backlog(shop: Shop) -> None:
    owner = factories.make_person(team=shop.subscription.application.team)
    subscriptions.pause(shop.subscription, by=owner, now=timezone.now())
    wait_until_known()
    assert shop.publish(event()).json()["deliveries"] == 1
    assert backlogs.of_one(shop.subscription).count == 1
