"""Who may ask the machine API at all, and what is no question."""

from __future__ import annotations

import pytest
from django.test import Client

from tests import factories
from tests.asking import PROBLEM
from tests.delivery.api.shop import Shop

pytestmark = pytest.mark.django_db


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
