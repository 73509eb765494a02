"""Documents at their own addresses: feeds, schemas, AsyncAPI, changelogs; only what one may see."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import EventType
from tests import factories
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db
ATOM = {"a": "http://www.w3.org/2005/Atom"}
NAME = "com.acme.sales.order.created"


@pytest.fixture
def event_type() -> EventType:
    domain = factories.make_domain("sales")
    topic = factories.make_topic("sales.orders", domain=domain)
    made = factories.make_event_type(NAME, topic=topic, title="Order placed")
    factories.make_version("1.0.0", event_type=made)
    properties: Any = factories.SCHEMA["properties"]
    more = {**properties, "gift_note": {"type": "string", "title": "Gift note"}}
    factories.make_version(
        "1.1.0", event_type=made, document={**factories.SCHEMA, "properties": more}
    )
    required = {**factories.SCHEMA, "required": ["order_id", "amount", "email"]}
    factories.make_version("2.0.0", event_type=made, document=required)
    hidden = factories.make_topic("sales.secret", domain=domain, is_restricted=True)
    secret = factories.make_event_type("com.acme.sales.secret.kept", topic=hidden, title="Secret")
    factories.make_version(event_type=secret)
    return made


@pytest.fixture
def reader() -> Client:
    return signed_in(factories.make_person())


def entries(client: Client, address: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ET.fromstring(answer.content)
    return [node.text or "" for node in root.findall("a:entry/a:title", ATOM)]


@pytest.mark.parametrize(
    "address", ["/api/v1/feed", "/api/v1/domains/sales/feed", f"/api/v1/event-types/{NAME}/feed"]
)
def test_feed_tells_what_its_reader_may_see(
    event_type: EventType, reader: Client, address: str
) -> None:
    seen = entries(reader, address)
    assert "Order placed 2.0.0 is live in production" in seen
    assert not any("Secret" in title for title in seen)
    if "event-types" not in address:
        root = signed_in(factories.make_person(is_superuser=True))
        assert any("Secret" in title for title in entries(root, address))
    assert Client().get(address).status_code == 401


def test_feed_of_what_is_hidden_or_missing_is_not_found(
    event_type: EventType, reader: Client
) -> None:
    for address in (
        "/api/v1/event-types/com.acme.sales.secret.kept/feed",
        "/api/v1/event-types/com.acme.nothing.here/feed",
        "/api/v1/domains/nothing/feed",
        "/api/v1/event-types/com.acme.sales.secret.kept/versions/1.0.0/changelog",
        f"/api/v1/event-types/{NAME}/versions/9.9.9/changelog",
    ):
        assert reader.get(address).status_code == 404, address


def test_feed_without_changes_is_a_feed(reader: Client) -> None:
    factories.make_domain("empty")
    assert entries(reader, "/api/v1/domains/empty/feed") == []


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/feed",
        "/api/v1/asyncapi",
        "/api/v1/topics/sales.orders/asyncapi",
        f"/api/v1/event-types/{NAME}/versions/1.0.0/schema",
    ],
)
def test_unchanged_document_is_not_sent_twice(
    event_type: EventType, reader: Client, address: str
) -> None:
    first = reader.get(address)
    assert first.status_code == 200
    assert first["Cache-Control"] == "private, no-cache"
    again = reader.get(address, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert reader.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    if "Last-Modified" in first:
        since = {"If-Modified-Since": first["Last-Modified"]}
        assert reader.get(address, headers=since).status_code == 304
        old = {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
        assert reader.get(address, headers=old).status_code == 200


def test_asyncapi_is_another_document_as_yaml(event_type: EventType, reader: Client) -> None:
    address = "/api/v1/topics/sales.orders/asyncapi"
    as_json, as_yaml = (
        reader.get(address, headers={"Accept": kind})
        for kind in ("application/json", "application/yaml")
    )
    assert as_json["ETag"] != as_yaml["ETag"]
    assert as_yaml["Content-Type"] == "application/yaml"
    assert "Accept" in as_yaml["Vary"]


def test_changelog_speaks_the_sentences_of_a_review(event_type: EventType, reader: Client) -> None:
    base = f"/api/v1/event-types/{NAME}/versions"
    first = reader.get(f"{base}/1.0.0/changelog").json()
    assert (first["since"], first["findings"]) == (None, [])
    minor = reader.get(f"{base}/1.1.0/changelog").json()
    assert (minor["since"], minor["verdict"]) == ("1.0.0", "compatible")
    assert [one["message"] for one in minor["findings"]] == ["Gift note is new."]
    major = reader.get(f"{base}/2.0.0/changelog").json()
    assert (major["since"], major["verdict"]) == ("1.1.0", "incompatible")
    assert "E-mail becomes required. Until now it may be missing." in [
        one["message"] for one in major["findings"]
    ]


def test_any_two_versions_are_compared_in_sentences_and_side_by_side(
    event_type: EventType, reader: Client
) -> None:
    page = reverse("catalog:event-type-versions", args=[NAME])
    newest = text_of(reader.get(page))
    assert "E-mail becomes required" in newest
    assert 'class="diff"' in newest
    back = reader.get(page, {"old": "2.0.0", "new": "1.0.0"})
    assert (back.context["old"].version, back.context["new"].version) == ("2.0.0", "1.0.0")
    assert "E-mail may now be missing" in text_of(back)
    one = reader.get(page, {"new": "1.1.0"})
    assert one.context["old"].version == "1.0.0"
    for odd in ({"old": "x", "new": "y"}, {"old": "1.0.0", "new": "1.0.0"}):
        assert reader.get(page, odd).status_code == 200


def test_pages_say_where_their_documents_are(event_type: EventType, reader: Client) -> None:
    for page, address in (
        (reverse("catalog:event-type-list"), "/api/v1/feed"),
        (reverse("catalog:domain-detail", args=["sales"]), "/api/v1/domains/sales/feed"),
        (reverse("catalog:event-type-detail", args=[NAME]), f"/api/v1/event-types/{NAME}/feed"),
        (reverse("catalog:topic-detail", args=["sales.orders"]), "sales.orders/asyncapi"),
    ):
        said = text_of(reader.get(page))
        assert 'rel="alternate"' in said
        assert address in said, page
