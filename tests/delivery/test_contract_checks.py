"""What delivery says of a proposed contract: real traffic, live readers, and who uses a version."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from catalog.ids import first_of
from catalog.models import Release, SchemaVersion, User
from delivery import contract_checks
from delivery.models import ContractBreach, Delivery, Event
from governance import checks, contract_usage, reviews, roles
from governance.contract_usage import Freshness, Side
from governance.governed import governed
from governance.models import ChangeRequest, CheckResult
from governance.states import ChangeKind, ChangeState, Outcome
from tests import factories
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "amount"],
    "properties": {
        "order_id": {"type": "string", "title": "Order number"},
        "amount": {"type": "number"},
        "email": {"type": "string", "title": "E-mail"},
        "country": {"type": "string", "title": "Country"},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": {"type": "string"}}},
        },
    },
}


def changed(*, required: str = "", removed: str = "", **properties: Any) -> dict[str, Any]:
    schema = copy.deepcopy(SCHEMA)
    schema["properties"].update(properties)
    if removed:
        del schema["properties"][removed]
    if required:
        schema["required"].append(required)
    return schema


@pytest.fixture
def version() -> SchemaVersion:
    return factories.make_version(document=SCHEMA)


@pytest.fixture
def reviewer(db: None) -> User:
    return factories.make_person(role=roles.REVIEWER)


def opened(version: SchemaVersion, schema: dict[str, Any], number: str = "2.0.0") -> ChangeRequest:
    author = factories.make_person(team=version.event_type.topic.owner)
    change = reviews.propose(
        ChangeKind.SCHEMA_VERSION,
        event_type=version.event_type,
        base=version,
        reason="Tax asks for it.",
        proposal={"version": number, "document": json.dumps(schema)},
        by=author,
        now=NOW,
    )
    return reviews.open_(change, by=author, now=NOW)


def result(change: ChangeRequest, name: str) -> CheckResult:
    (found,) = [row for row in checks.latest(change) if row.check_name == name]
    return found


def test_recent_events_are_held_against_the_proposal(version: SchemaVersion) -> None:
    till = factories.make_application("till-bridge")
    for number in range(3):
        factories.make_event(
            event_type=version.event_type,
            application=till,
            data={"order_id": "A", "amount": number},
        )
    factories.make_event(
        event_type=version.event_type, data={"order_id": "B", "amount": 1, "country": "DE"}
    )
    factories.make_event(
        event_type=version.event_type, environment="staging", data={"order_id": "B", "amount": 1}
    )
    found = result(opened(version, changed(required="country")), contract_checks.TRAFFIC)
    assert found.outcome == "failed"
    assert found.summary == "3 of the last 4 events would be refused."
    total, reason, *events = found.findings
    assert total == {"total": 4, "refused": 3}
    assert reason == {
        "pointer": "",
        "message": "“country” is missing",
        "count": 3,
        "applications": {"Till bridge": 3},
    }
    assert [event["application"] for event in events] == ["Till bridge"] * 3
    assert events[0]["errors"] == [{"pointer": "", "message": "“country” is missing"}]


def test_refused_traffic_has_to_be_accepted_by_name(version: SchemaVersion, reviewer: User) -> None:
    factories.make_event(event_type=version.event_type, data={"order_id": "B", "amount": 1})
    change = opened(version, changed(required="country"))
    with pytest.raises(ValidationError, match="would be refused"):
        reviews.approve(change, by=reviewer, note="Fine.", now=NOW)
    change = reviews.approve(
        change, by=reviewer, note="Tills follow.", now=NOW, accepted=[contract_checks.TRAFFIC]
    )
    assert change.reviews.count() == 1


def test_a_number_of_events_bounds_the_check(version: SchemaVersion, settings: Any) -> None:
    settings.CONTRACT_TRAFFIC_EVENTS = 2
    for _number in range(3):
        factories.make_event(event_type=version.event_type, data={"order_id": "A", "amount": 1})
    found = result(opened(version, changed(), "1.0.1"), contract_checks.TRAFFIC)
    assert found.summary == "All of the last 2 events would be accepted."


@pytest.mark.parametrize(
    ("mapping", "schema", "effect"),
    [
        ("{mail: email}", changed(removed="email"), "breaks"),
        ("{number: order_id}", changed(removed="email"), "untouched"),
        ("lines[].sku", changed(removed="lines"), "breaks"),
        ("{amount: amount}", changed(amount={"type": "string"}), "breaks"),
        ("{order: order_id}", changed(amount={"type": "string"}), "untouched"),
        ("{land: country}", changed(required="country"), "gains"),
        ("", changed(removed="email"), "breaks"),
        ("", changed(note={"type": "string"}), "untouched"),
        (
            "{n: order_id}",
            changed(order_id={"type": "string", "pattern": "^(?!0)(?=A).*$"}),
            "untouched",
        ),
    ],
)
def test_each_reader_is_judged_by_the_fields_that_it_reads(
    version: SchemaVersion, mapping: str, schema: dict[str, Any], effect: str
) -> None:
    subscription = factories.make_subscription(topic=version.event_type.topic, mapping=mapping)
    found = result(opened(version, schema), contract_checks.IMPACT)
    (reader,) = found.findings
    assert reader["effect"] == effect
    assert bool(reader["because"]) == (effect != "untouched")
    assert reader["application"] == subscription.application.name
    assert reader["team"] == subscription.application.team.name
    assert reader["version"] == "1.0.0"


def test_only_live_readers_of_the_type_are_named(version: SchemaVersion) -> None:
    topic = version.event_type.topic
    factories.make_subscription(topic=topic, event_types=["com.acme.other.thing.done"])
    factories.make_subscription(topic=topic, ended_at=NOW)
    factories.make_subscription()
    found = result(opened(version, changed(removed="email")), contract_checks.IMPACT)
    assert found.summary == "Nobody receives this event yet."


def test_a_pinned_reader_needs_a_conversion(version: SchemaVersion) -> None:
    factories.make_subscription(topic=version.event_type.topic, version_pin=1)
    found = result(opened(version, changed(removed="email")), contract_checks.IMPACT)
    assert [row["effect"] for row in found.findings] == ["look"]
    assert "conversion" in found.findings[0]["because"][0]


def use(version: SchemaVersion, days_ago: float) -> Event:
    """Make an event of the version and its delivery, both that old."""
    when = NOW - timedelta(days=days_ago)
    event = factories.make_event(event_type=version.event_type)
    Event.objects.filter(pk=event.pk).update(id=first_of(when), received_at=when)
    event.pk = first_of(when)
    subscription = factories.make_subscription(topic=version.event_type.topic)
    delivery = factories.make_delivery(event, subscription=subscription, status="delivered")
    Delivery.objects.filter(pk=delivery.pk).update(id=first_of(when), ended_at=when)
    return event


@pytest.mark.parametrize(
    ("days_ago", "freshness"),
    [(1, Freshness.ACTIVE), (8, Freshness.STALE), (31, Freshness.DEAD), (91, None)],
)
def test_use_is_active_stale_or_dead(
    version: SchemaVersion, days_ago: float, freshness: Freshness | None
) -> None:
    use(version, days_ago)
    found = contract_usage.of(version, environments=["production"], now=NOW)
    wanted = [] if freshness is None else [(side, freshness) for side in Side]
    assert sorted((one.side, one.freshness(NOW)) for one in found) == sorted(wanted)
    assert contract_usage.of(version, environments=["staging"], now=NOW) == []


def retirement(version: SchemaVersion, **values: object) -> ChangeRequest:
    author = factories.make_person(team=version.event_type.topic.owner)
    change = reviews.propose(
        ChangeKind.RETIREMENT,
        base=version,
        reason="Nobody needs it.",
        proposal=values,
        by=author,
        now=NOW,
    )
    return reviews.open_(change, by=author, now=NOW)


def test_what_is_used_is_not_retired(version: SchemaVersion, reviewer: User) -> None:
    use(version, 1)
    change = retirement(version)
    with pytest.raises(ValidationError, match="still use it"):
        reviews.approve(change, by=reviewer, note="", now=NOW)
    assert set(version.releases.values_list("state", flat=True)) == {"live"}


def test_a_reason_overrides_the_refusal(version: SchemaVersion, reviewer: User) -> None:
    use(version, 1)
    change = retirement(version, override="It leaks addresses.")
    change = reviews.approve(change, by=reviewer, note="", now=NOW, and_apply=True)
    assert change.state == ChangeState.APPLIED
    assert set(version.releases.values_list("state", flat=True)) == {"retired"}


def test_what_nobody_uses_any_more_is_retired(version: SchemaVersion, reviewer: User) -> None:
    use(version, 40)
    change = reviews.approve(retirement(version), by=reviewer, note="", now=NOW, and_apply=True)
    assert change.state == ChangeState.APPLIED


def test_a_promotion_shows_what_staging_saw(version: SchemaVersion) -> None:
    staged = factories.make_version("1.1.0", event_type=version.event_type, live_in=["staging"])
    with governed(by=None, now=NOW):
        Release.objects.create(version=staged, environment="production", state="staged", since=NOW)
    factories.make_event(event_type=version.event_type, environment="staging")
    for of, environment in [(version, "staging"), (staged, "production"), (staged, "staging")]:
        ContractBreach.objects.create(
            version_id=of.pk,
            environment=environment,
            application_id=of.pk,
            day=NOW.date(),
            count=3,
        )
    author = factories.make_person(team=version.event_type.topic.owner)
    change = reviews.propose(
        ChangeKind.PROMOTION, base=staged, reason="Ran clean.", by=author, now=NOW
    )
    change = reviews.open_(change, by=author, now=NOW)
    seen = result(change, contract_checks.STAGING)
    assert seen.findings == [{"events": 1, "refused": 3}]
    assert seen.outcome == Outcome.ADVICE
    page = reverse("governance:change-request-detail", args=[change.number])
    figure = '<dt>Refused in staging</dt><dd class="figure">3'
    assert figure in text_of(signed_in(author).get(page))


@pytest.mark.parametrize(
    ("reads", "effect"),
    [(["order_id"], "untouched"), (["email", "lines[].sku"], "breaks"), ([], "breaks")],
)
def test_who_declares_what_it_reads_is_judged_by_that(
    version: SchemaVersion, reads: list[str], effect: str
) -> None:
    factories.make_subscription(topic=version.event_type.topic, reads=reads)
    (reader,) = result(opened(version, changed(removed="email")), contract_checks.IMPACT).findings
    assert reader["effect"] == effect
    if "lines[].sku" in reads:
        assert reader["reads"] == ["/email", "/lines/*/sku"]
