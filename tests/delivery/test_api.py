"""The machine API of delivery: hooks, feeds, subscriptions, events, deliveries, replays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import EventType, SchemaVersion, Topic
from catalog.words import Environment
from delivery import endpoints, feed, knowledge
from delivery.api.feeds import stream
from delivery.models import Attempt, Delivery, Event, Replay, RoutingDecision, Subscription
from delivery.states import DeliveryStatus, RuleEffect
from delivery.transports import Basic
from governance import roles
from tests import factories
from tests.asking import PROBLEM, Machine, make_machine, person, pointers
from tests.delivery import owing

pytestmark = pytest.mark.django_db

TYPE = "com.acme.sales.order.created"
URL = "https://flows.example.com/webhook/orders"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A topic with one type, and an application that may subscribe to it."""

    topic: Topic
    event_type: EventType
    version: SchemaVersion
    machine: Machine

    def subscription(self, **fields: object) -> Subscription:
        return factories.make_subscription(
            self.machine.application,
            topic=self.topic,
            url=URL,
            **fields,  # type: ignore[arg-type]  # columns by name
        )


@pytest.fixture
def shop() -> Shop:
    topic = factories.make_topic("sales.orders")
    event_type = factories.make_event_type(TYPE, topic=topic)
    version = factories.make_version("1.2.0", event_type=event_type)
    machine = make_machine()
    factories.make_grant(machine.application, topic=topic)
    return Shop(topic=topic, event_type=event_type, version=version, machine=machine)


# Hooks


@pytest.mark.parametrize("member", ["target_url", "hookUrl"])
def test_a_builder_subscribes_by_a_hook_and_ends_it_again(shop: Shop, member: str) -> None:
    made = shop.machine.post("hooks", {member: URL, "event_type": TYPE, "extra": 1})
    assert made.status_code == 201
    assert set(made.json()) == {"id", "secret"}
    assert made.json()["secret"].startswith("whsec_")
    subscription = Subscription.objects.get(pk=made.json()["id"])
    assert (subscription.is_hook, subscription.event_types) == (True, [TYPE])

    assert shop.machine.delete(f"hooks/{subscription.pk}").status_code == 204
    assert shop.machine.delete(f"hooks/{subscription.pk}").status_code == 404


def test_subscribing_again_answers_the_hook_that_stands(shop: Shop) -> None:
    wish = {"hookUrl": URL, "event_type": TYPE, "filter": {"exact": {"subject": "EU"}}}
    first = shop.machine.post("hooks", wish).json()
    assert shop.machine.post("hooks", wish).json() == first


def test_what_a_hook_lacks_is_said_at_the_member_that_the_builder_sent(shop: Shop) -> None:
    assert pointers(shop.machine.post("hooks", {"event_type": TYPE})) == {"/target_url"}
    private = shop.machine.post("hooks", {"hookUrl": "http://10.0.0.1/x", "event_type": TYPE})
    assert private.status_code == 422
    assert pointers(private) == {"/target_url"}
    unknown = shop.machine.post("hooks", {"hookUrl": URL, "event_type": "com.acme.no.such"})
    assert (unknown.status_code, unknown["Content-Type"]) == (404, PROBLEM)


def test_another_application_may_not_end_a_hook(shop: Shop) -> None:
    made = shop.machine.post("hooks", {"target_url": URL, "event_type": TYPE}).json()
    assert make_machine().delete(f"hooks/{made['id']}").status_code == 404


def test_samples_are_a_plain_list_of_whole_events(shop: Shop) -> None:
    (example,) = shop.machine.get("hooks/sample", event_type=TYPE).json()
    assert example["data"] == factories.SAMPLE
    factories.make_event(
        event_type=shop.event_type, application=shop.machine.application, data={"order_id": "A-7"}
    )
    (latest,) = shop.machine.get("hooks/sample", event_type=TYPE).json()
    assert (latest["type"], latest["data"]) == (TYPE, {"order_id": "A-7"})


# Who may ask at all


def test_without_a_key_the_answer_is_401_with_a_challenge(client: Client) -> None:
    answer = client.get("/api/v1/subscriptions")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == PROBLEM
    assert answer.json()["status"] == 401


def test_a_session_needs_the_token_against_forged_requests(shop: Shop) -> None:
    owner = factories.make_person(team=shop.machine.application.team)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    subscription = shop.subscription()
    answer = client.post(f"/api/v1/subscriptions/{subscription.pk}/pause")
    assert (answer.status_code, answer["Content-Type"]) == (403, PROBLEM)


def test_a_body_that_is_not_json_is_415_and_one_that_is_broken_400(shop: Shop) -> None:
    headers = shop.machine.headers
    form = Client().post("/api/v1/hooks", {"a": "b"}, headers=headers)
    assert (form.status_code, form["Content-Type"]) == (415, PROBLEM)
    broken = Client().post("/api/v1/hooks", "{", "application/json", headers=headers)
    assert (broken.status_code, broken["Content-Type"]) == (400, PROBLEM)


def test_addresses_that_lead_nowhere_answer_problems(shop: Shop) -> None:
    for path in ("subscriptions/", "nothing", "events/not-a-uuid"):
        answer = shop.machine.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_a_key_in_its_own_header_and_other_methods_are_understood(shop: Shop) -> None:
    key = shop.machine.headers["Authorization"].removeprefix("Bearer ")
    client = Client()
    assert client.get("/api/v1/replays", headers={"X-API-Key": key}).status_code == 200
    assert client.options("/api/v1/replays", headers={"X-API-Key": key}).status_code == 200
    unknown = client.get("/api/v1/replays", headers={"X-API-Key": "sbx_live_no"})
    assert (unknown.status_code, unknown["Content-Type"]) == (401, PROBLEM)
    wrong = shop.machine.delete("replays")
    assert (wrong.status_code, wrong["Content-Type"]) == (405, PROBLEM)
    assert wrong["Allow"] == "GET, POST, HEAD, OPTIONS"


# Subscriptions


def test_a_machine_makes_changes_and_ends_a_subscription(shop: Shop) -> None:
    wish = {"event_types": [TYPE], "endpoint_url": URL, "name": "Orders to a sheet"}
    made = shop.machine.post("subscriptions", wish)
    assert made.status_code == 201
    body = made.json()
    assert body["secret"].startswith("whsec_")
    assert (body["topic"], body["application"]) == ("sales.orders", shop.machine.application.slug)
    assert (body["state"], body["circuit"], body["environment"]) == (
        "active",
        "closed",
        "production",
    )
    assert body["created_at"].endswith("Z")

    where = f"subscriptions/{body['id']}"
    changed = shop.machine.patch(where, {"concurrency": 3, "filter": {"exact": {"subject": "a"}}})
    assert (changed.status_code, changed.json()["concurrency"]) == (200, 3)
    assert changed.json()["endpoint_url"] == URL
    assert shop.machine.get(where).json() == changed.json()
    assert "secret" not in changed.json()

    assert shop.machine.delete(where).status_code == 204
    assert shop.machine.get(where).status_code == 404


def test_a_key_pair_is_made_shown_and_ended(shop: Shop) -> None:
    made = shop.machine.post("subscriptions", {"event_types": [TYPE], "endpoint_url": URL})
    where = f"subscriptions/{made.json()['id']}/key-pair"
    assert shop.machine.get(where).json() == {"public_keys": []}
    (public,) = shop.machine.post(where, {}).json()["public_keys"]
    assert public.startswith("whpk_")
    assert shop.machine.get(where).json() == {"public_keys": [public]}
    too_long = shop.machine.post(where, {"overlap_seconds": 8 * 24 * 3600})
    assert pointers(too_long) == {"/overlap_seconds"}
    assert shop.machine.delete(where).status_code == 204
    assert shop.machine.get(where).json() == {"public_keys": []}


@pytest.mark.parametrize("name", ["Host", "webhook-id", "ce-type", "Content-Length", "traceparent"])
def test_headers_that_are_ours_are_refused_when_they_are_saved(shop: Shop, name: str) -> None:
    wish = {"event_types": [TYPE], "endpoint_url": URL}
    answer = shop.machine.post("subscriptions", {**wish, "credentials": {"headers": {name: "7"}}})
    assert answer.status_code == 422
    assert pointers(answer) == {"/credentials"}


def test_credentials_are_taken_and_never_answered(shop: Shop) -> None:
    wish: dict[str, object] = {"event_types": [TYPE], "endpoint_url": URL}
    auth = {"kind": "basic", "username": "shop", "password": "open sesame"}
    made = shop.machine.post(
        "subscriptions", {**wish, "credentials": {"headers": {"X-Flow": "7"}, "auth": auth}}
    )
    assert made.status_code == 201, made.content
    assert b"sesame" not in made.content
    endpoint = Subscription.objects.get(pk=made.json()["id"]).endpoint
    assert endpoint is not None
    kept = endpoints.credentials_of(endpoint)
    assert kept.headers == {"X-Flow": "7"}
    assert kept.auth == Basic(username="shop", password="open sesame")

    where = f"subscriptions/{made.json()['id']}"
    assert shop.machine.patch(where, {"credentials": None}).status_code == 200
    endpoint.refresh_from_db()
    assert endpoints.credentials_of(endpoint) == endpoints.Credentials()

    half = {"credentials": {"auth": {"kind": "bearer", "username": "x"}}}
    assert pointers(shop.machine.patch(where, half)) == {
        "/credentials/auth/token",
        "/credentials/auth/username",
    }
    odd = {"credentials": {"headers": {"X Flow": "7"}}}
    assert pointers(shop.machine.patch(where, odd)) == {"/credentials/headers"}


def test_a_wish_that_cannot_be_taken_is_422_with_each_fault(shop: Shop) -> None:
    wish = {"topic": "sales.orders", "endpoint_url": "ftp://x", "concurrency": 0}
    refused = shop.machine.post("subscriptions", wish)
    assert refused.status_code == 422
    assert pointers(refused) == {"/endpoint_url", "/concurrency"}


def test_a_person_says_for_which_application(shop: Shop) -> None:
    application = shop.machine.application
    owner = person(factories.make_person(team=application.team))
    wish: dict[str, object] = {"topic": "sales.orders", "endpoint_url": URL}

    def send() -> Any:
        return owner.post("subscriptions", wish)

    assert pointers(send()) == {"/application"}
    wish["application"] = application.slug
    assert send().status_code == 201
    stranger = person(factories.make_person())
    answer = stranger.post("subscriptions", wish)
    assert answer.status_code in (403, 422)


def test_pausing_twice_is_409_and_resuming_goes_on(shop: Shop) -> None:
    where = f"subscriptions/{shop.subscription().pk}"
    paused = shop.machine.post(f"{where}/pause", {"reason": "We move."})
    assert (paused.status_code, paused.json()["state"]) == (200, "paused")
    again = shop.machine.post(f"{where}/pause")
    assert (again.status_code, again["Content-Type"]) == (409, PROBLEM)
    assert shop.machine.post(f"{where}/resume").json()["state"] == "active"


def test_a_ping_says_what_the_endpoint_answered(shop: Shop, settings: Any) -> None:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    subscription = factories.make_subscription(
        shop.machine.application, topic=shop.topic, url="http://127.0.0.1:9/closed"
    )
    answer = shop.machine.post(f"subscriptions/{subscription.pk}/ping")
    assert answer.status_code == 200
    assert answer.json()["ok"] is False
    assert answer.json()["sentence"]


def test_rotating_answers_the_new_secret(shop: Shop) -> None:
    made = shop.machine.post("subscriptions", {"event_types": [TYPE], "endpoint_url": URL}).json()
    rotated = shop.machine.post(
        f"subscriptions/{made['id']}/rotate-secret", {"overlap_seconds": 60}
    ).json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    too_long = shop.machine.post(
        f"subscriptions/{made['id']}/rotate-secret", {"overlap_seconds": 10**7}
    )
    assert pointers(too_long) == {"/overlap_seconds"}


def test_lists_are_filtered_and_paged_by_cursor(shop: Shop) -> None:
    for number in range(3):
        shop.subscription(name=f"Order {number}")
    first = shop.machine.get("subscriptions", limit="2").json()
    assert set(first) == {"results", "next", "previous"}
    assert (len(first["results"]), first["previous"]) == (2, None)
    second = shop.machine.follow(first["next"]).json()
    assert len(second["results"]) == 1
    assert second["next"] is None
    found = shop.machine.get("subscriptions", search="order 1", event_type=TYPE).json()
    assert [one["name"] for one in found["results"]] == ["Order 1"]
    assert shop.machine.get("subscriptions", state="paused").json()["results"] == []
    assert pointers(shop.machine.get("subscriptions", state="odd")) == {"/state"}
    assert make_machine().get("subscriptions").json()["results"] == []


def test_a_key_sees_its_own_environment_only(shop: Shop) -> None:
    factories.make_grant(
        shop.machine.application, topic=shop.topic, environment=Environment.STAGING
    )
    staged = shop.subscription(environment=Environment.STAGING)
    assert shop.machine.get(f"subscriptions/{staged.pk}").status_code == 404
    crossing = shop.machine.get("events", environment="staging")
    assert pointers(crossing) == {"/environment"}


# Feeds


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


# Events and deliveries


def arrive(subscription: Subscription, event: Event, **fields: object) -> Delivery:
    fields.setdefault("status", DeliveryStatus.DELIVERED)
    delivery = factories.make_delivery(
        event, subscription=subscription, ended_at=timezone.now(), **fields
    )
    Attempt.objects.create(
        delivery=delivery,
        subscription_id=subscription.pk,
        number=1,
        started_at=timezone.now(),
        duration_ms=12,
        outcome="delivered",
        status_code=200,
        url=URL,
    )
    return delivery


def test_an_event_is_found_by_id_and_source_with_all_that_became_of_it(shop: Shop) -> None:
    subscription = shop.subscription()
    event = factories.make_event(event_type=shop.event_type)
    delivery = arrive(subscription, event)
    found = shop.machine.get("events", id=event.event_id, source=event.source).json()["results"]
    assert len(found) == 1
    story = found[0]
    assert story["id"] == str(event.pk)
    assert (story["envelope"]["id"], story["envelope"]["source"]) == (event.event_id, "/tests")
    assert story["envelope"]["data"]["order_id"] == "A-1001"
    (told,) = story["deliveries"]
    assert (told["id"], told["status"], told["subscription"], told["reason"]) == (
        str(delivery.pk),
        "delivered",
        str(subscription.pk),
        "",
    )
    assert [one["status_code"] for one in told["attempts"]] == [200]
    assert shop.machine.get(f"events/{event.pk}").json() == story


def test_an_event_tells_what_rules_decided_and_who_was_left_out(shop: Shop) -> None:
    mine = shop.subscription()
    left_out = shop.subscription(filter={"exact": {"subject": "never"}})
    others = factories.make_subscription(topic=shop.topic)
    event = factories.make_event(event_type=shop.event_type)
    arrive(mine, event)
    rule = factories.make_rule(shop.topic, concerns_subscription=mine)
    for to in (mine, others):
        RoutingDecision.objects.create(
            event=event, subscription=to, rule=rule, rule_version=2, effect=RuleEffect.ALLOWED
        )
    knowledge.refresh()

    told = shop.machine.get(f"events/{event.pk}/routing").json()
    (decision,) = told["decisions"]
    assert (decision["subscription"], decision["effect"]) == (str(mine.pk), "allowed")
    assert (decision["rule_version"], "version 2" in decision["sentence"]) == (2, True)
    assert shop.machine.get(f"events/{event.pk}").json()["decisions"] == [decision]
    reasons = {one["subscription"]: one["sentence"] for one in told["left_out"]}
    assert set(reasons) == {str(left_out.pk)}
    assert "filter" in reasons[str(left_out.pk)]

    admin = person(factories.make_person(role=roles.ADMIN))
    whole = admin.get(f"events/{event.pk}/routing").json()
    assert [one["rule"] for one in whole["decisions"]] == [str(rule.pk)] * 2
    assert make_machine().get(f"events/{event.pk}/routing").status_code == 404


def test_who_has_nothing_to_do_with_an_event_does_not_find_it(shop: Shop) -> None:
    event = factories.make_event(event_type=shop.event_type)
    stranger = make_machine()
    assert stranger.get("events", id=event.event_id).json()["results"] == []
    assert stranger.get(f"events/{event.pk}").status_code == 404


def test_sensitive_fields_are_masked_for_who_may_not_see_them(shop: Shop) -> None:
    event = factories.make_event(event_type=shop.event_type)
    support = person(factories.make_person(role=roles.SUPPORT))
    admin = person(factories.make_person(role=roles.ADMIN))
    masked = support.get(f"events/{event.pk}").json()
    assert masked["payload"] == "masked"
    assert "ada@example.com" not in json.dumps(masked)
    whole = admin.get(f"events/{event.pk}").json()
    assert (whole["payload"], whole["envelope"]["data"]["email"]) == ("whole", "ada@example.com")


def test_lists_of_events_and_deliveries_run_as_many_queries_for_many_rows(shop: Shop) -> None:
    subscription = shop.subscription()
    for path in ("events", "deliveries", "replays", "subscriptions"):
        counts = []
        for _round in range(2):
            for _each in range(3):
                arrive(subscription, factories.make_event(event_type=shop.event_type))
            replay = factories.make_replay(subscription)
            assert replay.matched == 0
            with CaptureQueriesContext(connection) as captured:
                assert shop.machine.get(path).status_code == 200
            counts.append(len(captured))
        # The first may also read what is cached from then on.
        assert counts[1] <= counts[0] <= 14, path


def test_deliveries_are_filtered_by_how_they_stand(shop: Shop) -> None:
    subscription = shop.subscription()
    (tried, fresh) = owing.make_events(shop.version, 2)
    (retrying,) = owing.owe(subscription, [tried], attempts=2)
    (pending,) = owing.owe(subscription, [fresh])
    dead = arrive(subscription, factories.make_event(event_type=shop.event_type), status="dead")

    def ids(**query: str) -> set[str]:
        answer = shop.machine.get("deliveries", **query)
        assert answer.status_code == 200
        return {one["id"] for one in answer.json()["results"]}

    assert ids(status="retrying") == {str(retrying)}
    assert ids(status="pending") == {str(pending)}
    assert ids(status="dead") == {str(dead.pk)}
    assert len(ids(subscription=str(subscription.pk), event_type=TYPE)) == 3
    assert ids(until="2020-01-01T00:00:00Z") == set()
    one = shop.machine.get(f"deliveries/{retrying}").json()
    assert (one["status"], one["source"]) == ("retrying", "/shop")
    assert one["next_attempt_at"].endswith("Z")
    tries = shop.machine.get(f"deliveries/{dead.pk}/attempts").json()["results"]
    assert [(t["number"], t["duration_ms"]) for t in tries] == [(1, 12)]
    assert make_machine().get(f"deliveries/{dead.pk}/attempts").status_code == 404


def test_support_discards_a_delivery_with_a_reason_and_a_machine_may_not(shop: Shop) -> None:
    subscription = shop.subscription()
    (pk,) = owing.owe(subscription, owing.make_events(shop.version, 1))
    support = person(factories.make_person(role=roles.SUPPORT))
    where = f"deliveries/{pk}/discard"
    assert pointers(support.post(where)) == {"/reason"}
    assert shop.machine.post(where, {"reason": "x"}).status_code == 403
    done = support.post(where, {"reason": "A test order."})
    assert (done.status_code, done.json()["status"]) == (200, "discarded")
    again = support.post(where, {"reason": "A test order."})
    assert again.status_code == 409


# Replays


def test_a_replay_is_previewed_ordered_watched_and_cancelled(shop: Shop) -> None:
    subscription = shop.subscription()
    dead = arrive(subscription, factories.make_event(event_type=shop.event_type), status="dead")
    since = timezone.now().replace(hour=0, minute=0).isoformat()
    wish: dict[str, object] = {
        "filter": {"subscription": str(subscription.pk), "since": since, "status": "dead"},
        "reason": "The receiver was mended.",
        "dry_run": True,
    }
    tried = shop.machine.post("replays", wish)
    assert (tried.status_code, tried.json()["matched"], tried.json()["id"]) == (200, 1, None)
    assert not Replay.objects.exists()

    made = shop.machine.post("replays", {**wish, "dry_run": False})
    assert made.status_code == 201
    assert (made.json()["matched"], made.json()["status"]) == (1, "queued")
    watched = shop.machine.get(f"replays/{made.json()['id']}").json()
    assert (watched["waiting"], watched["refused"], watched["matched"]) == (1, 0, 1)
    cancelled = shop.machine.post(f"replays/{made.json()['id']}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    assert shop.machine.post(f"replays/{made.json()['id']}/cancel").status_code == 409

    one = shop.machine.post(f"deliveries/{dead.pk}/replay", {"reason": "Mended."})
    assert (one.status_code, one.json()["matched"]) == (201, 1)


def test_faults_of_a_replay_point_into_its_filter(shop: Shop) -> None:
    assert pointers(shop.machine.post("replays", {"filter": {"odd": 1}, "reason": "x"})) == {
        "/filter/odd"
    }
    assert pointers(shop.machine.post("replays", {"filter": {}, "reason": "x"})) == {"/filter"}
    unknown = {"filter": {"topic": "no.such"}, "reason": "x"}
    assert pointers(shop.machine.post("replays", unknown)) == {"/filter/topic"}
    assert pointers(shop.machine.post("replays", {"reason": "x"})) == {"/filter"}
