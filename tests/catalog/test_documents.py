"""Documents about the catalog."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog import documents
from catalog.models import EventType, Topic
from catalog.schemas.reading import at_pointer
from tests import factories

pytestmark = pytest.mark.django_db

SHARED: dict[str, Any] = {
    "type": "object",
    "properties": {"amount": {"type": "number"}, "currency": {"$ref": "#/$defs/currency"}},
    "$defs": {"currency": {"type": "string", "maxLength": 3}},
}


def tree(shared: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://acme.example/tree",
        "type": "object",
        "properties": {
            "name": {"type": "string", "x-sensitive": "personal"},
            "kids": {"type": "array", "items": {"$ref": "#"}},
            "price": {"$ref": "#/$defs/money"},
            "shared": {"$ref": f"{shared}#/$defs/currency"},
        },
        "$defs": {"money": {"$anchor": "money", "type": "number"}},
    }


@pytest.fixture
def topic(db: None) -> Topic:
    topic = factories.make_topic("sales.orders", title="Orders")
    money = factories.make_event_type("com.acme.sales.money.moved", topic=topic)
    factories.make_version("1.0.0", event_type=money, document=SHARED, example={"amount": 1})
    order = factories.make_event_type("com.acme.sales.order.created", topic=topic, tags=["shop"])
    uri = "/api/v1/event-types/com.acme.sales.money.moved/versions/1.0.0/schema"
    factories.make_version(
        "1.0.0",
        event_type=order,
        deprecated_in=["production"],
        live_in=[],
        sunset_at=timezone.now(),
    )
    factories.make_version(
        "2.0.0", event_type=order, document=tree(uri), example={"name": "Ada", "price": 2}
    )
    factories.make_version("3.0.0", event_type=order, live_in=[])
    return topic


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in references(value)]
    if isinstance(node, list):
        return [ref for value in node for ref in references(value)]
    return []


def test_asyncapi_names_channels_messages_and_contracts(topic: Topic) -> None:
    made = documents.asyncapi(Topic.objects.all(), title="Acme")
    assert made["asyncapi"] == "3.0.0"
    assert list(made["channels"]) == ["sales.orders"]
    assert list(made["channels"]["sales.orders"]["messages"]) == [
        "com.acme.sales.money.moved.1.0.0",
        "com.acme.sales.order.created.2.0.0",
        "com.acme.sales.order.created.1.0.0",
    ]
    assert {one["action"] for one in made["operations"].values()} == {"receive", "send"}
    old = made["components"]["messages"]["com.acme.sales.order.created.1.0.0"]
    assert "x-sunset" in old
    assert old["x-environments"] == ["production"]
    new = made["components"]["messages"]["com.acme.sales.order.created.2.0.0"]
    assert new["externalDocs"]["url"].endswith(
        "/api/v1/event-types/com.acme.sales.order.created/versions/2.0.0/schema"
    )
    assert new["examples"][0]["payload"] == {"name": "•••", "price": 2}


def test_every_reference_leads_into_the_document(topic: Topic) -> None:
    made = documents.asyncapi(Topic.objects.all(), title="Acme")
    found = references(made)
    assert len(found) > 8
    for reference in found:
        assert reference.startswith("#/")
        at_pointer(made, reference[1:])


def test_yaml_says_the_same_as_json(topic: Topic) -> None:
    made = documents.asyncapi(Topic.objects.all(), title="Ärzte")
    assert yaml.safe_load(documents.as_yaml(made)) == json.loads(documents.as_json(made))


def test_only_what_is_asked_for_is_in_it(topic: Topic) -> None:
    factories.make_topic("secret.things")
    made = documents.asyncapi(Topic.objects.filter(pk=topic.pk), title="Acme")
    assert "secret.things" not in documents.as_json(made).decode()


def test_the_number_of_queries_does_not_grow(
    topic: Topic, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(3):
        factories.make_version(event_type=factories.make_event_type(topic=factories.make_topic()))
    with django_assert_max_num_queries(5):
        documents.asyncapi(Topic.objects.all(), title="Acme")


def test_the_feed_has_an_entry_for_each_change(topic: Topic) -> None:
    feed = documents.feed(
        EventType.objects.filter(name="com.acme.sales.order.created"),
        title="Order created",
        path="/feeds/a",
        page_path="/catalog/a",
        page_of=lambda version: f"/catalog/a?new={version.version}",
        now=timezone.now(),
    )
    assert feed.entries[0].url.endswith("/catalog/a?new=2.0.0")
    assert [entry.title for entry in feed.entries][:2] == [
        "order 2.0.0 is live in staging",
        "order 2.0.0 is live in production",
    ]
    root = ET.fromstring(documents.atom(feed))
    names = {"a": "http://www.w3.org/2005/Atom"}
    assert len(root.findall("a:entry", names)) == len(feed.entries) == 3
    assert len({node.text for node in root.findall("a:entry/a:id", names)}) == 3
    assert root.findtext("a:updated", namespaces=names)


def test_a_control_character_does_not_spoil_the_feed() -> None:
    now = timezone.now()
    entry = documents.Entry(
        id="urn:1", title="a\x0b<b>", summary="&", url="/a", author="Ada", at=now
    )
    feed = documents.Feed(
        id="urn:0", title="T", url="/f", page_url="/p", updated=now, entries=[entry]
    )
    assert ET.fromstring(documents.atom(feed)) is not None
