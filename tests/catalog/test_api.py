"""The machine API of the catalog: what there is, contracts as stored, data held against them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
import yaml
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import EventType, SchemaVersion, Topic
from catalog.words import Environment, TopicKind
from tests import factories
from tests.asking import JSON, PROBLEM, Machine, make_machine, pointers

pytestmark = pytest.mark.django_db

TYPE = "com.acme.sales.order.created"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """An open topic with two versions of one type, a restricted topic, and who asks."""

    topic: Topic
    event_type: EventType
    version: SchemaVersion
    hidden: EventType
    machine: Machine


@pytest.fixture
def shop() -> Shop:
    sales = factories.make_domain("sales")
    topic = factories.make_topic("sales.orders", domain=sales, regions=["eu"])
    event_type = factories.make_event_type(TYPE, topic=topic, title="Order created", tags=["shop"])
    factories.make_version("1.0.0", event_type=event_type, live_in=(), deprecated_in=["production"])
    version = factories.make_version("1.10.0", event_type=event_type)
    factories.make_version("1.9.0", event_type=event_type, live_in=())
    secret = factories.make_topic("people.salaries", is_restricted=True)
    hidden = factories.make_event_type("com.acme.people.salary.paid", topic=secret)
    factories.make_version(event_type=hidden)
    return Shop(
        topic=topic, event_type=event_type, version=version, hidden=hidden, machine=make_machine()
    )


def names(shop: Shop, path: str, **query: str) -> list[str]:
    answer = shop.machine.get(path, **query)
    assert answer.status_code == 200, answer.content
    return [one.get("name") or one["slug"] for one in answer.json()["results"]]


def test_lists_show_what_there_is_and_filters_narrow_them(shop: Shop) -> None:
    batched = factories.make_topic("stock.levels", kind=TopicKind.BATCHED)
    assert names(shop, "topics") == ["sales.orders", "stock.levels"]
    assert names(shop, "topics", kind="batched") == [batched.name]
    assert names(shop, "topics", domain="sales") == ["sales.orders"]
    assert names(shop, "topics", owner=batched.owner.slug) == [batched.name]
    assert names(shop, "topics", region="us") == [batched.name]
    assert names(shop, "topics", search="order sales") == ["sales.orders"]
    assert names(shop, "domains", search="sal") == ["Sales"]
    assert names(shop, "event-types", lifecycle="live", domain="sales") == [TYPE]
    assert names(shop, "event-types", lifecycle="retired") == []
    assert names(shop, "event-types", search="order", tag="shop", region="eu") == [TYPE]
    own = shop.machine.application
    assert names(shop, "applications", kind=own.kind, owner=own.team.slug) == [own.name]
    assert own.team.name in names(shop, "teams")
    assert pointers(shop.machine.get("topics", kind="odd")) == {"/kind"}


def test_one_thing_is_found_by_its_name_with_dots(shop: Shop) -> None:
    topic = shop.machine.get("topics/sales.orders").json()
    assert (topic["domain"], topic["regions"], topic["kind"]) == ("sales", ["eu"], "streaming")
    assert topic["created_at"].endswith("Z")
    event_type = shop.machine.get(f"event-types/{TYPE}").json()
    assert (event_type["topic"], event_type["lifecycle"]) == ("sales.orders", "live")
    own = shop.machine.application
    assert shop.machine.get(f"applications/{own.slug}").json()["owner"] == own.team.slug
    assert shop.machine.get(f"teams/{own.team.slug}").json()["name"] == own.team.name
    assert shop.machine.get("domains/sales").json()["slug"] == "sales"


def test_what_may_not_be_seen_is_as_unknown_as_what_there_is_not(shop: Shop) -> None:
    hidden = f"event-types/{shop.hidden.name}"
    for path in (
        hidden,
        f"{hidden}/versions",
        f"{hidden}/versions/1.0.0",
        f"{hidden}/versions/1.0.0/schema",
        f"{hidden}/example",
        "topics/people.salaries",
        "topics/people.salaries/asyncapi",
        "topics/no.such",
        "topics/%00",
    ):
        answer = shop.machine.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM), path
    assert "salar" not in shop.machine.get("asyncapi").content.decode()
    assert shop.machine.post(f"{hidden}/validate", {"data": {}}).status_code == 404


def test_versions_come_the_highest_first(shop: Shop) -> None:
    first = shop.machine.get(f"event-types/{TYPE}/versions", limit="2").json()
    assert [one["version"] for one in first["results"]] == ["1.10.0", "1.9.0"]
    rest = shop.machine.follow(first["next"]).json()
    assert [one["version"] for one in rest["results"]] == ["1.0.0"]
    assert [one["state"] for one in rest["results"][0]["releases"]] == ["deprecated"]
    assert shop.machine.get(f"event-types/{TYPE}/versions", cursor="bz0x").status_code == 200
    odd = shop.machine.get(f"event-types/{TYPE}/versions", cursor="cD1vZGQ=")  # p=odd
    assert (odd.status_code, odd["Content-Type"]) == (404, PROBLEM)


def test_the_schema_is_answered_as_it_is_stored(shop: Shop) -> None:
    path = f"event-types/{TYPE}/versions/1.10.0"
    answer = shop.machine.get(f"{path}/schema")
    assert answer["Content-Type"] == "application/schema+json"
    assert answer.content == shop.version.document.encode()
    accepting = Client().get(
        f"/api/v1/{path}/schema",
        headers={**shop.machine.headers, "Accept": "application/schema+json"},
    )
    assert accepting.status_code == 200
    assert shop.machine.get(path).json()["schema_url"].endswith(f"/api/v1/{path}/schema")


def test_examples_are_of_the_version_that_is_accepted(shop: Shop) -> None:
    path = f"event-types/{TYPE}"
    assert shop.machine.get(f"{path}/example").json() == factories.SAMPLE
    other = {"order_id": "A-2", "amount": 1}
    factories.make_version("2.0.0", event_type=shop.event_type, example=other, live_in=())
    assert shop.machine.get(f"{path}/versions/2.0.0/example").json() == other
    assert shop.machine.get(f"{path}/example").json() == factories.SAMPLE


def test_data_is_held_against_a_contract(shop: Shop) -> None:
    path = f"event-types/{TYPE}/validate"
    good = shop.machine.post(path, {"data": {"order_id": "A-1", "amount": 1}})
    assert good.json() == {"valid": True, "version": "1.10.0", "errors": []}
    bad = shop.machine.post(path, {"data": {"amount": -1}, "version": "1.0.0"}).json()
    assert bad["valid"] is False
    assert {one["pointer"] for one in bad["errors"]} == {"", "/amount"}
    assert pointers(shop.machine.post(path, {"data": 1, "version": "9.9.9"})) == {"/version"}
    assert pointers(shop.machine.post(path, {})) == {"/data"}
    assert shop.machine.post(path, {"data": None}).json()["valid"] is False


def test_asyncapi_is_json_or_yaml_by_accept(shop: Shop) -> None:
    as_json = shop.machine.get("asyncapi").json()
    assert as_json["asyncapi"].startswith("3.")
    assert list(as_json["channels"]) == ["sales.orders"]
    answer = Client().get(
        "/api/v1/topics/sales.orders/asyncapi",
        headers={**shop.machine.headers, "Accept": "application/yaml"},
    )
    assert answer["Content-Type"].startswith("application/yaml")
    assert list(yaml.safe_load(answer.content)["channels"]) == ["sales.orders"]


@pytest.mark.parametrize(
    "path",
    ["domains", "topics", "event-types", "applications", "teams", f"event-types/{TYPE}/versions"],
)
def test_lists_run_as_many_queries_for_many_rows(shop: Shop, path: str) -> None:
    counts = []
    for number in range(2):
        topic = factories.make_topic()
        factories.make_version(event_type=factories.make_event_type(topic=topic))
        factories.make_version(f"{number + 3}.0.0", event_type=shop.event_type)
        factories.make_grant(topic=topic)
        with CaptureQueriesContext(connection) as captured:
            assert shop.machine.get(path).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"data": "\\u0000"}', 400),
        (b'{"data": "\\ud800"}', 400),
        (b'{"data": "\\\\u0000"}', 200),
        (b'{"data": NaN}', 400),
        (b'{"data": ' + b"[" * 70 + b"]" * 70 + b"}", 400),
        (b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
        (b'{"data": "' + b"x" * 1024 * 1024 + b'"}', 413),
        (b"\xff", 400),
    ],
)
def test_a_body_out_of_bounds_is_refused(shop: Shop, body: bytes, status: int) -> None:
    answer = Client().post(
        f"/api/v1/event-types/{TYPE}/validate", body, JSON, headers=shop.machine.headers
    )
    assert answer.status_code == status
    if status != 200:
        assert json.loads(answer.content)["status"] == status


def test_lifecycle_is_that_of_the_environment_asked_for(shop: Shop) -> None:
    key = make_machine(environment=Environment.STAGING)
    assert key.get(f"event-types/{TYPE}").json()["lifecycle"] == "live"
    assert pointers(key.get("event-types", environment="production")) == {"/environment"}
