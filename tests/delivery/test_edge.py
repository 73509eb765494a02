"""The rules that an event must pass, in their order, and what the edge adds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.words import Environment
from delivery import edge, knowledge
from delivery.cloudevents import Envelope
from delivery.edge import Kind, Refused
from delivery.known import Publisher
from tests import factories
from tests.delivery.publishers import Shop, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def refusal(shop: Shop, envelope: Envelope, *, publisher: Publisher | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        edge.accept(knowledge.refresh(), publisher or shop.publisher, envelope, timezone.now())
    return caught.value


def kind_of(shop: Shop, envelope: Envelope, *, publisher: Publisher | None = None) -> Kind:
    return refusal(shop, envelope, publisher=publisher).kind


def test_the_first_broken_rule_is_the_one_that_is_told(shop: Shop) -> None:
    """Each row breaks one rule more, from the last to the first; the earliest wins."""
    stranger = Publisher(
        application_id=factories.make_application().pk, environment=Environment.PRODUCTION
    )
    broken: dict[str, object] = {"data": {"order_id": 1}}
    bad_version: dict[str, object] = {**broken, "dataschema": "https://example.com/other.json"}
    bad_type: dict[str, object] = {**bad_version, "type": "com.acme.no.such.thing"}
    rows: list[tuple[dict[str, object], Publisher, Kind]] = [
        (broken, shop.publisher, Kind.CONTRACT),
        (bad_version, shop.publisher, Kind.UNKNOWN_VERSION),
        (bad_version, stranger, Kind.NO_GRANT),
        (bad_type, stranger, Kind.UNKNOWN_TYPE),
    ]
    for wishes, publisher, expected in rows:
        envelope = shop.envelope(**wishes)  # type: ignore[arg-type]  # attributes by name
        assert kind_of(shop, envelope, publisher=publisher) is expected


@pytest.mark.parametrize("spoil", [None, "", "sbx_live_x", "Bearer", "\u00e9"])
def test_a_key_that_is_none_is_refused(spoil: str | None) -> None:
    with pytest.raises(Refused) as caught:
        edge.identify(knowledge.refresh(), spoil, timezone.now())
    assert caught.value.kind is Kind.NO_KEY


def test_a_key_stands_for_its_application_and_environment() -> None:
    application = factories.make_application()
    key, plain = factories.make_key(application, environment=Environment.STAGING)
    found = edge.identify(knowledge.refresh(), plain, timezone.now())
    assert found == Publisher(
        application_id=application.pk, environment=Environment.STAGING, key_id=key.pk
    )


def test_a_key_ends_at_its_hour_although_nothing_was_written() -> None:
    _key, plain = factories.make_key(expires_at=timezone.now() + timedelta(hours=1))
    known = knowledge.refresh()
    edge.identify(known, plain, timezone.now())
    with pytest.raises(Refused):
        edge.identify(known, plain, timezone.now() + timedelta(hours=2))


def test_a_grant_ends_at_its_hour_although_nothing_was_written() -> None:
    shop = make_shop(environment=Environment.PRODUCTION)
    other = factories.make_application()
    factories.make_grant(
        other, topic=shop.topic, verb="publish", until=timezone.now() + timedelta(hours=1)
    )
    publisher = Publisher(application_id=other.pk, environment=Environment.PRODUCTION)
    known = knowledge.refresh()
    edge.accept(known, publisher, shop.envelope(), timezone.now())
    with pytest.raises(Refused):
        edge.accept(known, publisher, shop.envelope(), timezone.now() + timedelta(hours=2))


def test_staging_of_an_open_topic_needs_no_grant(shop: Shop) -> None:
    anybody = Publisher(
        application_id=factories.make_application().pk, environment=Environment.STAGING
    )
    accepted = edge.accept(knowledge.refresh(), anybody, shop.envelope(), timezone.now())
    assert accepted.publisher == anybody


def test_a_restricted_topic_is_unknown_to_strangers_and_refused_to_its_team() -> None:
    shop = make_shop(is_restricted=True)
    stranger = Publisher(
        application_id=factories.make_application().pk, environment=Environment.STAGING
    )
    own = factories.make_application(team=shop.topic.owner)
    team = Publisher(application_id=own.pk, environment=Environment.STAGING)
    assert kind_of(shop, shop.envelope(), publisher=stranger) is Kind.UNKNOWN_TYPE
    assert kind_of(shop, shop.envelope(), publisher=team) is Kind.NO_GRANT


def test_the_newest_live_version_is_taken_when_none_is_named(shop: Shop) -> None:
    factories.make_version("1.10.0", event_type=shop.event_type)
    factories.make_version("1.9.0", event_type=shop.event_type)
    factories.make_version("2.0.0", event_type=shop.event_type, live_in=[])
    assert shop.prepare(shop.envelope()).accepted.version.number == "1.10.0"


def test_a_live_version_goes_before_a_newer_deprecated_one(shop: Shop) -> None:
    factories.make_version(
        "3.0.0", event_type=shop.event_type, live_in=[], deprecated_in=[Environment.PRODUCTION]
    )
    assert shop.prepare(shop.envelope()).accepted.version.number == "1.0.0"


def test_dataschema_may_name_the_portal_by_any_host(shop: Shop) -> None:
    path = f"/api/v1/event-types/{shop.event_type.name}/versions/1.0.0/schema"
    for host in ("https://portal.example", "http://127.0.0.1:8000"):
        accepted = shop.prepare(shop.envelope(dataschema=host + path)).accepted
        assert accepted.version.id == shop.version.pk


@pytest.mark.parametrize(
    "make",
    [
        lambda name: f"https://portal.example/api/v1/event-types/{name}/versions/9.9.9/schema",
        lambda name: f"https://portal.example/api/v1/event-types/{name}/versions/1.0.0",
        lambda _name: "https://portal.example/api/v1/event-types/com.x.y/versions/1.0.0/schema",
        lambda _name: "urn:something",
    ],
)
def test_another_dataschema_is_an_unknown_version(shop: Shop, make: Callable[[str], str]) -> None:
    envelope = shop.envelope(dataschema=make(shop.event_type.name))
    found = refusal(shop, envelope)
    assert found.kind is Kind.UNKNOWN_VERSION
    assert found.errors[0][0] == "/dataschema"
    assert "1.0.0" in found.detail


def test_the_topics_ceiling_holds_for_the_data(shop: Shop) -> None:
    small = make_shop(payload_ceiling_bytes=200)
    data = {"order_id": "A", "amount": 1, "note": "n" * 300}
    assert kind_of(small, small.envelope(data=data)) is Kind.TOO_LARGE
    assert shop.prepare(shop.envelope(data=data)).accepted.envelope.data == data


def test_residency_binds_publisher_and_event() -> None:
    factories.make_region("us", name="United States")
    bound = make_shop(regions=["eu"])
    assert bound.prepare(bound.envelope()).accepted.regions == ()
    elsewhere = bound.envelope(extensions={"regions": "us"})
    assert kind_of(bound, elsewhere) is Kind.RESIDENCY
    outside = make_shop(regions=["us"])
    assert kind_of(outside, outside.envelope()) is Kind.RESIDENCY


def test_correlation_and_trace_are_made_where_they_are_missing(shop: Shop) -> None:
    accepted = shop.prepare(shop.envelope()).accepted
    assert accepted.text("correlationid")
    assert accepted.text("traceparent").startswith("00-")


def test_correlation_and_trace_are_kept_where_they_came(shop: Shop) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    sent = shop.envelope(extensions={"correlationid": "C-7", "traceparent": trace})
    completed = shop.prepare(sent).accepted
    assert (completed.text("correlationid"), completed.text("traceparent")) == ("C-7", trace)


def test_a_broken_trace_is_replaced(shop: Shop) -> None:
    sent = shop.envelope(extensions={"traceparent": "00-zz"})
    assert shop.prepare(sent).accepted.text("traceparent") != "00-zz"


def test_what_the_edge_adds_does_not_change_the_identity_of_the_content(shop: Shop) -> None:
    sent = shop.envelope()
    assert shop.prepare(sent).accepted.content == shop.prepare(sent).accepted.content


@pytest.mark.parametrize(
    ("ordering_key", "data", "extensions", "expected"),
    [
        ("", {}, {}, ""),
        ("partitionkey", {}, {"partitionkey": "K"}, "K"),
        ("order_id", {}, {}, "A-1001"),
        ("data.order_id", {}, {}, "A-1001"),
        ("order_id", {}, {"partitionkey": "K"}, "K"),
        ("customer.id", {"customer": {"id": 7}}, {}, "7"),
        ("customer.id", {}, {}, ""),
        ("a ||", {}, {}, ""),
    ],
)
def test_the_ordering_key_comes_from_the_attribute_or_the_data(
    ordering_key: str,
    data: dict[str, object],
    extensions: dict[str, str | int | bool],
    expected: str,
) -> None:
    shop = make_shop(ordering_key=ordering_key)
    held = {"order_id": "A-1001", "amount": 1, **data}
    prepared = shop.prepare(shop.envelope(data=held, extensions=extensions))
    assert prepared.accepted.partition_key == expected
