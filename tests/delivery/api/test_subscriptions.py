"""Subscriptions by the machine API."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.words import Environment
from delivery import endpoints
from delivery.models import Subscription
from delivery.transports import Basic
from tests import factories
from tests.asking import PROBLEM, make_machine, person, pointers
from tests.delivery.api.shop import TYPE, URL, Shop

pytestmark = pytest.mark.django_db


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
