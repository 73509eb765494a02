"""Events found by values in their data: declared ones only, never sensitive ones."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import EventType, Team
from delivery import expunging, values
from delivery.models import Event, EventValue, RollupMark
from governance import roles
from tests import factories
from tests.asking import person
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = reverse("delivery:event-list")

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "x-searchable": True},
        "total": {"type": "number", "x-searchable": True},
        "note": {"type": "string"},
        "email": {"type": "string", "x-searchable": True, "x-sensitive": "contact"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"sku": {"type": "string", "x-searchable": True}},
            },
        },
        "customer": {
            "type": "object",
            "x-sensitive": "identity",
            "properties": {"number": {"type": "string", "x-searchable": True}},
        },
    },
}
DATA = {
    "order_id": "A-1001",
    "total": 60.0,
    "note": "by the door",
    "email": "ada@example.com",
    "lines": [{"sku": "MUG-BLUE"}, {"sku": "MUG-RED"}],
    "customer": {"number": "C-7"},
}


def later() -> datetime:
    return timezone.now() + timedelta(minutes=1)


def make_type(owner: Team | None = None) -> EventType:
    topic = factories.make_topic(owner=owner) if owner else factories.make_topic()
    event_type = factories.make_event_type(topic=topic)
    factories.make_version(event_type=event_type, document=SCHEMA, example=DATA)
    return event_type


@pytest.fixture
def event() -> Event:
    made = factories.make_event(event_type=make_type(), data=DATA)
    values.fill(now=later())
    return made


def found(value: str, environment: str = "production") -> list[object]:
    return list(values.events_with(value, environment=environment))


@pytest.mark.parametrize("value", ["A-1001", " a-1001 ", "60", "60.0", "MUG-BLUE", "mug-red"])
def test_declared_values_find_their_event(event: Event, value: str) -> None:
    # What a person types for a number is a text: "60.0" is not how any reader writes sixty.
    expected = [] if value == "60.0" else [event.pk]
    assert found(value) == expected


@pytest.mark.parametrize("value", ["by the door", "ada@example.com", "C-7", "•••", "A-100", ""])
def test_what_is_not_declared_or_sensitive_or_partial_finds_nothing(
    event: Event, value: str
) -> None:
    assert found(value) == []


def test_nothing_of_the_values_themselves_is_kept(event: Event) -> None:
    stored = b"".join(bytes(one.digest) for one in EventValue.objects.filter(event_id=event.pk))
    assert len(stored) == 16 * 4
    assert b"1001" not in stored


def test_environments_do_not_meet(event: Event) -> None:
    assert found("A-1001", "staging") == []


def test_each_event_is_read_once_and_not_before_late_commits_are_in() -> None:
    event_type = make_type()
    for _ in range(3):
        factories.make_event(event_type=event_type, data=DATA)
    assert values.fill(now=timezone.now()) == 0
    assert values.fill(now=later()) == 3
    assert values.fill(now=later()) == 0
    factories.make_event(event_type=event_type, data=DATA)
    assert values.fill(now=later()) == 1
    assert len(found("A-1001")) == 4


@pytest.mark.parametrize("data", [None, 7, "text", [], {"lines": "none"}, {"order_id": {"a": 1}}])
def test_data_of_another_shape_is_no_error(data: object) -> None:
    factories.make_event(event_type=make_type(), data=data)
    assert values.fill(now=later()) == 1


def test_one_event_takes_a_bounded_number_of_rows() -> None:
    lines = [{"sku": f"S-{number}"} for number in range(500)]
    made = factories.make_event(event_type=make_type(), data={"lines": lines})
    values.fill(now=later())
    assert EventValue.objects.filter(event_id=made.pk).count() == values.MOST_OF_AN_EVENT


def test_values_go_with_the_payloads_that_held_them(event: Event) -> None:
    topic = event.type.topic_id
    assert values.forget(topic_id=topic, before=timezone.now() - timedelta(days=1)) == 0
    assert values.forget(topic_id=topic, before=later()) == 4
    assert found("A-1001") == []


def test_expunging_takes_the_values_too(event: Event) -> None:
    admin = factories.make_admin()
    expunging.expunge(event, reason="She asked for it.", by=admin, now=timezone.now())
    assert not EventValue.objects.exists()
    RollupMark.objects.all().delete()
    values.fill(now=later())  # a worker that reads it only now finds nothing
    assert not EventValue.objects.exists()


def test_page_finds_by_value_only_what_one_may_read(event: Event) -> None:
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    factories.make_event(event_type=event.type, data={"order_id": "B-2"})
    values.fill(now=later())
    rows = support.get(PAGE, {"value": "A-1001"}).context["rows"]
    assert [one.pk for one, _outcomes in rows] == [event.pk]
    assert "A value in the data" in text_of(support.get(PAGE, {"value": "A-1001"}))
    stranger = signed_in(factories.make_person(team=factories.make_team("strangers")))
    assert not stranger.get(PAGE, {"value": "A-1001"}).context["rows"]
    looking = factories.make_person(role=None)
    factories.give_permission(looking, "delivery.view_event")
    assert signed_in(looking).get(PAGE).context["rows"]
    assert not signed_in(looking).get(PAGE, {"value": "A-1001"}).context["rows"]


def test_api_finds_by_value(event: Event) -> None:
    asker = person(factories.make_person(role=roles.SUPPORT))
    assert [one["id"] for one in asker.get("events", value="a-1001").json()["results"]] == [
        str(event.pk)
    ]
    assert asker.get("events", value="nothing").json()["results"] == []
