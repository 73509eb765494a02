"""The other kinds of change: new event types, deprecation, topic policy, emergencies."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from catalog.models import EventType, Topic
from catalog.moves import IllegalMove
from governance import checks, deprecations, reviews
from governance.models import ChangeRequest, LedgerEntry
from governance.states import ChangeKind, ChangeState
from tests.governance.changes.conftest import BASE, Scene, with_country, with_note

pytestmark = pytest.mark.django_db


def proposed(scene: Scene, kind: str, **more: object) -> ChangeRequest:
    change = reviews.propose(
        kind,
        reason="It is time.",
        by=scene.proposer,
        now=scene.now,
        **more,  # type: ignore[arg-type]
    )
    return reviews.open_(change, by=scene.proposer, now=scene.now)


def carried_out(scene: Scene, kind: str, **more: object) -> ChangeRequest:
    change = proposed(scene, kind, **more)
    return reviews.approve(change, by=scene.reviewer, note="", now=scene.now, and_apply=True)


NEW = {
    "name": "com.acme.sales.order.cancelled",
    "title": "Order cancelled",
    "description": "A customer changed their mind.",
    "tags": ["orders"],
    "document": BASE,
}


def test_a_new_event_type_comes_with_its_first_version(scene: Scene) -> None:
    change = carried_out(
        scene, ChangeKind.NEW_EVENT_TYPE, topic=scene.event_type.topic, proposal=NEW
    )
    made = EventType.objects.get(name=NEW["name"])
    assert change.event_type == made
    assert made.topic == scene.event_type.topic
    assert list(made.versions.values_list("version", flat=True)) == ["1.0.0"]
    assert EventType.objects.matching("cancelled").get() == made
    assert EventType.objects.matching("mind").get() == made


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "Order Cancelled"}, "/name"),
        ({"name": "com.acme.sales.order.created"}, "/name"),
        ({"title": " "}, "/title"),
        ({"compatibility_mode": "SIDEWAYS"}, "/compatibility_mode"),
        ({"colour": "blue"}, "/colour"),
    ],
)
def test_a_new_event_type_that_cannot_be_is_refused(
    scene: Scene, change: dict[str, object], pointer: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        proposed(
            scene,
            ChangeKind.NEW_EVENT_TYPE,
            topic=scene.event_type.topic,
            proposal={**NEW, **change},
        )
    assert [error.params for error in caught.value.error_list] == [{"pointer": pointer}]


def test_words_of_the_fields_are_found_once_a_version_has_them(scene: Scene) -> None:
    assert not EventType.objects.matching("parcel").exists()
    schema = with_note()
    schema["properties"]["note"]["description"] = "What to write on the parcel."
    scene.applied(schema)
    assert EventType.objects.matching("parcel").get() == scene.event_type


def test_a_deprecated_version_has_a_date_and_a_replacement(scene: Scene) -> None:
    newer = scene.applied(with_note())
    sunset = scene.now + timedelta(days=60)
    carried_out(
        scene,
        ChangeKind.DEPRECATION,
        base=scene.base,
        proposal={"sunset_at": sunset.isoformat(), "replacement": "1.1.0"},
    )
    rows = list(scene.base.releases.all())
    assert {row.state for row in rows} == {"deprecated"}
    assert {row.sunset_at for row in rows} == {sunset}
    assert {row.replacement for row in rows} == {newer}
    headers = deprecations.headers(rows[0])
    assert headers["Deprecation"] == f"@{int(scene.now.timestamp())}"
    assert headers["Sunset"].endswith("GMT")
    assert "1.1.0" in deprecations.notice(rows[0])
    assert LedgerEntry.objects.filter(action="version:deprecate").count() == 1


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({}, "/sunset_at"),
        ({"sunset_at": "soon"}, "/sunset_at"),
        ({"sunset_at": "2027-01-01T00:00:00"}, "/sunset_at"),
        ({"sunset_at": "2027-01-01T00:00:00Z", "replacement": "9.0.0"}, "/replacement"),
        ({"sunset_at": "2027-01-01T00:00:00Z", "environments": ["moon"]}, "/environments"),
    ],
)
def test_a_deprecation_without_a_date_is_refused(
    scene: Scene, values: dict[str, object], pointer: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        proposed(scene, ChangeKind.DEPRECATION, base=scene.base, proposal=values)
    assert [error.params for error in caught.value.error_list] == [{"pointer": pointer}]


def test_a_topic_policy_is_changed_through_review(scene: Scene) -> None:
    topic = scene.event_type.topic
    change = proposed(scene, ChangeKind.TOPIC_POLICY, topic=topic, proposal={"retention_days": 30})
    topic.refresh_from_db()
    assert topic.retention_days == 90
    reviews.approve(change, by=scene.owner, note="", now=scene.now, and_apply=True)
    topic.refresh_from_db()
    assert topic.retention_days == 30


def test_a_topic_policy_shows_before_and_after(scene: Scene) -> None:
    change = proposed(
        scene,
        ChangeKind.TOPIC_POLICY,
        topic=scene.event_type.topic,
        proposal={"retention_days": 30, "kind": "streaming", "owner": "platform"},
    )
    (found,) = checks.latest(change)
    assert [(row["field"], row["before"], row["after"]) for row in found.findings] == [
        ("owner", "sales", "platform"),
        ("retention_days", 90, 30),
    ]
    assert "deleted" in found.findings[1]["message"]
    reviews.approve(change, by=scene.owner, note="", now=scene.now, and_apply=True)
    assert Topic.objects.get(pk=change.topic_id).owner.slug == "platform"


def test_a_mark_that_vanishes_has_to_be_accepted_by_name(scene: Scene) -> None:
    schema = json.loads(json.dumps(BASE))
    del schema["properties"]["email"]["x-sensitive"]
    change = scene.opened(schema)
    with pytest.raises(ValidationError, match="personal data"):
        reviews.approve(change, by=scene.reviewer, note="Fine.", now=scene.now)
    change = reviews.approve(
        change, by=scene.reviewer, note="", now=scene.now, accepted=["data_protection"]
    )
    assert change.state == ChangeState.APPROVED


@pytest.mark.parametrize(
    "values",
    [
        {"retention_days": -1},
        {"batch_times": ["25:00"]},
        {"batch_time_zone": "Atlantis"},
        {"batch_max_events": 0},
        {"name": "x"},
        {"kind": "slow"},
        {"owner": "nobody"},
        {"regions": ["moon"]},
        {},
    ],
)
def test_a_topic_policy_that_cannot_be_is_refused(scene: Scene, values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        proposed(scene, ChangeKind.TOPIC_POLICY, topic=scene.event_type.topic, proposal=values)


def test_an_emergency_is_marked_for_ever(scene: Scene) -> None:
    change = scene.opened(with_country(), "2.0.0")
    with pytest.raises(ValidationError):
        reviews.emergency(change, by=scene.admin, reason=" ", now=scene.now)
    change = reviews.emergency(change, by=scene.admin, reason="Tills stand still.", now=scene.now)
    assert change.state == ChangeState.APPLIED
    assert change.is_emergency
    entry = LedgerEntry.objects.get(action="change:emergency")
    assert (entry.reason, entry.after["is_emergency"]) == ("Tills stand still.", True)


def test_an_emergency_does_not_excuse_what_cannot_be(scene: Scene) -> None:
    change = scene.opened(with_country(), "1.5.0")
    with pytest.raises(ValidationError, match="major"):
        reviews.emergency(change, by=scene.admin, reason="Now.", now=scene.now)


def test_only_one_promotion_of_a_version_is_open(scene: Scene) -> None:
    version = scene.applied(with_note())
    scene.promotion(version)
    with pytest.raises(ValidationError, match="asks for the same"):
        scene.promotion(version)


def test_what_is_live_is_not_promoted_again(scene: Scene) -> None:
    with pytest.raises(ValidationError, match="does not wait"):
        scene.promotion(scene.base)


def test_approvals_do_not_outlive_what_they_were_given_for(scene: Scene) -> None:
    """A change that was safe when it was approved breaks what went live meanwhile."""
    late = scene.opened(with_note(), "1.2.0")
    late = reviews.approve(late, by=scene.reviewer, note="", now=scene.now)
    narrower = json.loads(json.dumps(BASE))
    narrower["properties"]["note"] = {"type": "integer"}
    scene.applied(narrower, "1.1.0")
    with pytest.raises(IllegalMove, match="Run them again"):
        reviews.apply(late, by=scene.reviewer, now=scene.now)
    late = reviews.recheck(late, by=scene.reviewer, now=scene.now)
    assert late.state == ChangeState.OPEN
