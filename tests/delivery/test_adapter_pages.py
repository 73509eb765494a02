"""Inbound addresses in the browser: made, tried and closed by those who own the application."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from delivery import knowledge
from delivery.models import Adapter, Event
from governance import roles
from tests import factories
from tests.delivery.publishers import Shop, make_shop
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db
MOST_QUERIES = 40
SAMPLE = json.dumps({"order": {"number": "A-7", "total": 12.5}})
DATA = "{order_id: order.number, amount: order.total}"


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def alice(shop: Shop) -> Client:
    return signed_in(factories.make_person("alice", team=shop.application.team))


def new_page(shop: Shop) -> str:
    return reverse("delivery:adapter-new", args=[shop.application.slug])


def form(shop: Shop, **fields: str) -> dict[str, str]:
    given = {
        "name": "Shop orders",
        "event_type": shop.event_type.name,
        "environment": "production",
        "secret_kind": "header",
        "id_path": "order.number",
        "data_path": DATA,
        "sample": SAMPLE,
    }
    return {**given, **fields}


def test_owner_makes_an_address_that_works_at_once(shop: Shop, alice: Client) -> None:
    made = text_of(alice.post(new_page(shop), form(shop)))
    assert "/in/shop-orders" in made
    secret = re.search(r">([A-Za-z0-9_-]{43})<", made)
    assert secret is not None
    answer = Client().post(
        "/in/shop-orders",
        SAMPLE,
        content_type="application/json",
        headers={"X-Signalbox-Secret": secret[1]},
    )
    assert answer.status_code == 202
    shown = text_of(alice.get(reverse("delivery:adapter-detail", args=["shop-orders"])))
    assert secret[1] not in shown


def test_mapping_is_tried_and_nothing_is_stored(shop: Shop, alice: Client) -> None:
    page = text_of(alice.post(new_page(shop), form(shop, **{"try": "1"})))
    assert "The mapping works, and the event keeps its contract." in page
    assert "A-7" in page
    assert not Adapter.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"id_path": "order.key"}, "finds nothing"),
        ({"data_path": "order."}, "cannot be read"),
        ({"sample": "{"}, "is not JSON"),
        ({"data_path": "{amount: order.total}"}, "the contract refuses the event"),
    ],
)
def test_trial_says_what_would_be_refused(
    shop: Shop, alice: Client, fields: dict[str, str], sentence: str
) -> None:
    assert sentence in text_of(alice.post(new_page(shop), form(shop, **fields, **{"try": "1"})))


def test_fault_stands_at_its_field(shop: Shop, alice: Client) -> None:
    answer = alice.post(new_page(shop), form(shop, data_path="order."))
    assert answer.status_code == 200
    assert "aria-invalid" in text_of(answer)
    assert not Adapter.objects.exists()


def test_owner_changes_rotates_and_closes(shop: Shop, alice: Client) -> None:
    adapter = factories.make_adapter(shop.application, event_type=shop.event_type)
    page = reverse("delivery:adapter-detail", args=[adapter.slug])
    tried = {"name": "Renamed", "sample": SAMPLE, "data_path": DATA, "try": "1"}
    assert "keeps its contract" in text_of(alice.post(page, tried))
    assert alice.post(page, {"name": "Renamed", "data_path": DATA}).status_code == 302
    adapter.refresh_from_db()
    assert (adapter.name, adapter.data_path) == ("Renamed", DATA)
    old = adapter.sealed
    act = reverse("delivery:adapter-act", args=[adapter.slug, "rotate"])
    assert alice.get(act).status_code == 405
    assert "Copy the secret now" in text_of(alice.post(act))
    adapter.refresh_from_db()
    assert adapter.sealed_before == old
    close = reverse("delivery:adapter-act", args=[adapter.slug, "deactivate"])
    assert alice.post(close).status_code == 302
    assert alice.post(close).status_code == 409
    assert "This address is closed" in text_of(alice.get(page))


def test_each_visitor_sees_what_is_theirs(
    shop: Shop,
    alice: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    adapter = factories.make_adapter(shop.application, event_type=shop.event_type, name="Till")
    page = reverse("delivery:adapter-detail", args=[adapter.slug])
    whole = reverse("catalog:application-detail", args=[shop.application.slug])
    assert must_sign_in(page)
    assert must_sign_in(new_page(shop))
    stranger = signed_in(factories.make_person())
    assert stranger.get(page).status_code == 404
    assert stranger.get(new_page(shop)).status_code == 403
    assert "Inbound addresses" not in text_of(stranger.get(whole))
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    assert "Save changes" not in text_of(support.get(page))
    assert support.post(page, {"name": "Mine"}).status_code == 403
    for one in (page, whole, new_page(shop)):
        with django_assert_max_num_queries(MOST_QUERIES):
            assert alice.get(one).status_code == 200
    assert "Till" in text_of(alice.get(whole))
