"""What the house's rules weigh is data: set for the portal by an admin, for a topic by review."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog import files
from catalog.files import Unreadable
from catalog.models import Application, EventType, RuleWeight, Topic, User
from governance import house_rules, imports, reviews, roles, verification
from governance.imports import Way
from governance.models import ChangeRequest, LedgerEntry
from governance.states import ChangeKind, Outcome
from tests import factories
from tests.administration import list_url, make_staff, page_url, sign_in
from tests.asking import person, pointers
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = reverse("governance:house-rules")
RULE = "field_has_meaning"
CLOSED = json.dumps(
    {"type": "object", "additionalProperties": True, "properties": {"note": {"type": "string"}}}
)


@pytest.fixture
def event_type(topic: Topic) -> EventType:
    made = factories.make_event_type("com.acme.sales.order.created", topic=topic)
    factories.make_version(event_type=made, document=CLOSED, example="{}")
    return made


@pytest.fixture
def admin() -> User:
    return factories.make_person("adam", role=roles.ADMIN)


@pytest.fixture
def alice(topic: Topic) -> User:
    return factories.make_person("alice", team=topic.owner)


def weigh(by: User, **weights: str) -> None:
    house_rules.weigh(weights, by=by, reason="We agreed.", now=timezone.now())


def policy_change(topic: Topic, by: User, **weights: str) -> ChangeRequest:
    now = timezone.now()
    made = reviews.propose(
        ChangeKind.TOPIC_POLICY,
        topic=topic,
        reason="Ours are old.",
        proposal={"values": {"house_rules": weights}},
        by=by,
        now=now,
    )
    return reviews.open_(made, by=by, now=now)


def contract_change(event_type: EventType, by: User) -> ChangeRequest:
    now = timezone.now()
    proposal = {"version": "1.1.0", "document": CLOSED, "example": "{}"}
    made = reviews.propose(
        ChangeKind.SCHEMA_VERSION,
        event_type=event_type,
        reason="More.",
        proposal=proposal,
        by=by,
        now=now,
    )
    return reviews.open_(made, by=by, now=now)


def told_by_rules(change: ChangeRequest) -> list[tuple[str, str]]:
    found = change.check_results.get(check_name="house_rules").findings
    return [(one["severity"], one["policy"]) for one in found if one["rule"] == RULE]


# For the whole portal


def test_who_may_sets_it_and_the_ledger_and_history_have_it(admin: User, alice: User) -> None:
    with pytest.raises(PermissionDenied):
        weigh(alice, **{RULE: "error"})
    assert not RuleWeight.objects.exists()
    weigh(admin, **{RULE: "error", "time_has_zone": "advice"})  # advice is as it comes
    row = RuleWeight.objects.get()
    entry = LedgerEntry.objects.get(action="house-rule:change")
    assert (entry.subject_id, entry.before, entry.after, entry.reason) == (
        RULE, {"weight": "advice"}, {"weight": "error"}, "We agreed."
    )  # fmt: skip
    weigh(admin, **{RULE: "error"})
    weigh(admin, **{RULE: "off"})
    assert list(row.history.values_list("weight", flat=True)) == ["off", "error"]
    assert LedgerEntry.objects.filter(action="house-rule:change").count() == 2
    assert verification.verify() is None


@pytest.mark.parametrize("weights", [{"sings": "error"}, {RULE: "heavy"}])
def test_what_is_no_rule_or_weight_is_refused_whole(admin: User, weights: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        house_rules.weigh({"time_has_zone": "error", **weights}, by=admin, now=timezone.now())
    assert not RuleWeight.objects.exists()


def test_finding_says_what_it_weighs_and_by_whose_word(
    event_type: EventType, alice: User, admin: User
) -> None:
    assert told_by_rules(contract_change(event_type, alice)) == [("advice", "shipped")]
    weigh(admin, **{RULE: "error"})
    change = contract_change(event_type, alice)
    assert told_by_rules(change) == [("error", "portal")]
    page = reverse("governance:change-request-detail", args=[change.number])
    assert "Error, as the whole portal says" in text_of(signed_in(alice).get(page))
    Topic.objects.update(house_rules={RULE: "advice"})
    event_type.topic.refresh_from_db()
    assert told_by_rules(contract_change(event_type, alice)) == [("advice", "topic")]
    writing = reverse("governance:change-request-new") + f"?event_type={event_type.name}"
    assert "Advice, as its topic says" in text_of(signed_in(alice).get(writing))


# For one topic, by review


def test_topic_weighs_otherwise_by_a_reviewed_change(
    event_type: EventType, alice: User, admin: User
) -> None:
    change = policy_change(event_type.topic, alice, **{RULE: "error"})
    promises = change.check_results.get(check_name="promises")
    assert promises.findings == [
        {
            "field": "house_rules",
            "label": "House rule: Every field says what it means",
            "before": "Advice, as Signalbox comes",
            "after": "Error, as its topic says",
            "message": "",
        }
    ]
    hurt = change.check_results.get(check_name="contracts_of_the_topic")
    assert hurt.outcome == Outcome.ADVICE
    assert [one["contract"] for one in hurt.findings] == [f"{event_type.title} 1.0.0"]
    page = signed_in(admin).get(reverse("governance:change-request-detail", args=[change.number]))
    assert "House rule: Every field says what it means" in text_of(page)
    reviews.approve(change, by=admin, note="Yes.", now=timezone.now(), and_apply=True)
    event_type.topic.refresh_from_db()
    assert event_type.topic.house_rules == {RULE: "error"}
    assert told_by_rules(contract_change(event_type, alice)) == [("error", "topic")]
    back = policy_change(event_type.topic, alice)  # its own weights taken back
    assert back.check_results.get(check_name="contracts_of_the_topic").outcome == Outcome.PASSED
    assert "as its topic says" in text_of(
        signed_in(alice).get(reverse("catalog:topic-detail", args=[event_type.topic.name]))
    )


@pytest.mark.parametrize("weights", [{"sings": "error"}, {RULE: "heavy"}, ["error"], "error"])
def test_topic_takes_no_weight_that_cannot_be(topic: Topic, alice: User, weights: Any) -> None:
    with pytest.raises(ValidationError):
        reviews.propose(
            ChangeKind.TOPIC_POLICY,
            topic=topic,
            reason="x",
            proposal={"values": {"house_rules": weights}},
            by=alice,
            now=timezone.now(),
        )


def test_form_proposes_a_weight_and_offers_what_the_portal_says(
    topic: Topic, alice: User, admin: User
) -> None:
    weigh(admin, **{RULE: "off"})
    client = signed_in(alice)
    page = reverse("governance:change-request-new") + f"?kind=topic_policy&topic={topic.name}"
    form = client.get(page).context["form"]
    assert "Portal: Off" in str(form["house_rules"])
    typed = {name: form[name].value() or "" for name in form.fields if name != "is_restricted"}
    typed |= {"regions": "", "batch_times": "", "reason": "Ours are old."}
    del typed["house_rules"]
    wrong = client.post(page, {**typed, f"house_rules_{RULE}": "heavy"})
    assert set(wrong.context["form"].errors) == {"house_rules"}
    assert client.post(page, {**typed, f"house_rules_{RULE}": "error"}).status_code == 302
    change = ChangeRequest.objects.get()
    assert json.loads(change.proposal) == {"values": {"house_rules": {RULE: "error"}}}
    edit = reverse("governance:change-request-edit", args=[change.number])
    assert client.get(edit).context["form"]["house_rules"].value() == {RULE: "error"}


# The page, the API and the admin


def test_page_is_for_everybody_and_its_form_for_admins(
    topic: Topic, admin: User, alice: User
) -> None:
    assert must_sign_in(PAGE)
    Topic.objects.update(house_rules={"time_has_zone": "error"})
    factories.make_topic("secret.plans", is_restricted=True, house_rules={RULE: "error"})
    shown = text_of(signed_in(alice).get(PAGE))
    assert "Times carry a zone: " in shown
    assert "secret.plans" not in shown
    assert "Set the weights" not in shown
    client = signed_in(admin)
    form = client.get(PAGE).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields}
    assert signed_in(alice).post(PAGE, {**typed, RULE: "error", "reason": "x"}).status_code == 403
    unsaid = client.post(PAGE, {**typed, RULE: "error"})
    assert set(unsaid.context["form"].errors) == {"reason"}
    assert client.post(PAGE, {**typed, RULE: "error", "reason": "We agreed."}).status_code == 302
    assert [(one.rule, one.weight) for one in RuleWeight.objects.all()] == [(RULE, "error")]
    again = text_of(client.get(PAGE))
    assert "Error, as the whole portal says" in again
    assert "Changed a house rule" in again


def test_api_lists_the_rules_and_lets_admins_weigh_them(admin: User, alice: User) -> None:
    assert Client().get("/api/v1/house-rules").status_code == 401
    shown = {one["rule"]: one for one in person(alice).get("house-rules").json()["results"]}
    assert (shown[RULE]["weight"], shown[RULE]["source"]) == ("advice", "shipped")
    wish = {"weights": {RULE: "error"}, "reason": "We agreed."}
    assert person(alice).patch("house-rules", wish).status_code == 403
    answer = person(admin).patch("house-rules", wish)
    assert answer.status_code == 200, answer.content
    told = {one["rule"]: one for one in answer.json()["results"]}
    assert (told[RULE]["weight"], told[RULE]["source"]) == ("error", "portal")
    assert pointers(person(admin).patch("house-rules", {**wish, "weights": {RULE: "heavy"}}))
    refused = person(admin).patch("house-rules", {**wish, "weights": {"sings": "off"}})
    assert (refused.status_code, pointers(refused)) == (422, {"/weights"})


def test_api_of_a_topic_has_its_own_weights(topic: Topic, alice: User) -> None:
    Topic.objects.update(house_rules={RULE: "off"})
    answer = person(alice).get(f"topics/{topic.name}").json()
    assert answer["house_rules"] == {RULE: "off"}
    change = {
        "kind": "topic_policy",
        "topic": topic.name,
        "reason": "x",
        "proposal": {"house_rules": {RULE: "heavy"}},
    }
    refused = person(alice).post("change-requests", change)
    assert pointers(refused) == {"/proposal/house_rules"}


def test_admin_changes_what_stands(admin: User) -> None:
    weigh(admin, **{RULE: "error"})
    row = RuleWeight.objects.get()
    client = sign_in(Client(), make_staff())
    assert client.get(list_url(RuleWeight)).status_code == 200
    assert client.post(page_url(row), {"weight": "off"}).status_code == 302
    row.refresh_from_db()
    assert row.weight == "off"


# As files


def held() -> dict[str, bytes]:
    return files.write(
        event_types=EventType.objects.all(),
        topics=Topic.objects.all(),
        applications=Application.objects.all(),
    )


def test_weights_go_round_as_files(topic: Topic, admin: User, alice: User) -> None:
    weigh(admin, **{RULE: "error"})
    Topic.objects.update(house_rules={"time_has_zone": "off"})
    wanted = held()
    now = timezone.now()
    assert imports.plan(files.read(wanted), by=admin, now=now) == []
    weigh(admin, **{RULE: "advice"})
    Topic.objects.update(house_rules={})
    steps = imports.plan(files.read(wanted), by=alice, now=now)
    assert [(one.way, one.may) for one in steps] == [(Way.AT_ONCE, False), (Way.REVIEW, True)]
    done = imports.carry_out(files.read(wanted), reason="From git.", by=admin, now=now)
    assert RuleWeight.objects.get().weight == "error"
    (change,) = done.changes
    assert json.loads(change.proposal) == {"values": {"house_rules": {"time_has_zone": "off"}}}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("house-rules.yaml", b"sings: error"),
        ("house-rules.yaml", b"field_has_meaning: heavy"),
        ("topics/sales.orders.yaml", b"house_rules: [error]"),
        ("topics/sales.orders.yaml", b"house_rules: error"),
        ("topics/sales.orders.yaml", b"house_rules: {sings: error}"),
    ],
)
def test_files_that_weigh_wrongly_name_the_place(topic: Topic, name: str, line: bytes) -> None:
    with pytest.raises(Unreadable, match=name.replace(".", r"\.")):
        files.read({**held(), name: line})
