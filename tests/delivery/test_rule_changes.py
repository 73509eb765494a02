"""A routing rule changes only by a reviewed request: its checks, its diff, its dry run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import knowledge, routing_rules, subscriptions
from delivery.models import Event, RoutingRule, Subscription
from delivery.states import RuleAction
from governance import checks, reviews, roles
from governance.models import ChangeRequest, CheckResult, LedgerEntry
from governance.states import ChangeKind, ChangeState, Outcome
from tests import factories
from tests.delivery.publishers import Shop, make_shop
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def usual(shop: Shop) -> Subscription:
    return factories.make_subscription(topic=shop.topic, name="Usual sheet")


@pytest.fixture
def archive(shop: Shop) -> Subscription:
    return factories.make_subscription(
        topic=shop.topic, name="Archive", event_types=["com.acme.none"]
    )


@pytest.fixture
def admin() -> User:
    return factories.make_admin()


@pytest.fixture
def reviewer() -> User:
    return factories.make_person(role=roles.REVIEWER)


def wish(**values: object) -> dict[str, Any]:
    return {"name": "Keep it away", "action": "deny", **values}


def propose(shop: Shop, by: User, **values: object) -> ChangeRequest:
    made = reviews.propose(
        ChangeKind.ROUTING_RULE,
        topic=shop.topic,
        reason="Fraud wants to see them first.",
        proposal=wish(**values),
        by=by,
        now=timezone.now(),
    )
    return reviews.open_(made, by=by, now=timezone.now())


def approve(change: ChangeRequest, by: User, *, and_apply: bool = True) -> ChangeRequest:
    return reviews.approve(change, by=by, now=timezone.now(), and_apply=and_apply)


def results(change: ChangeRequest) -> dict[str, CheckResult]:
    return {row.check_name: row for row in checks.latest(change)}


def faults(error: ValidationError) -> set[str]:
    return {str((one.params or {}).get("pointer")) for one in error.error_list}


def test_an_applied_request_makes_the_rule_and_the_ledger_tells(
    shop: Shop, usual: Subscription, archive: Subscription, admin: User, reviewer: User
) -> None:
    change = propose(
        shop,
        admin,
        action=RuleAction.SEND_INSTEAD,
        concerns=f"subscription:{usual.number}",
        sends_to=f"application:{archive.application.slug}",
        condition="amount > `50`",
    )
    assert change.title == "New routing rule: Keep it away"
    done = approve(change, reviewer)
    assert done.state == ChangeState.APPLIED
    rule = RoutingRule.objects.get()
    assert (rule.version, rule.concerns_subscription, rule.to_application) == (
        1,
        usual,
        archive.application,
    )
    assert rule.change_request == done
    entry = LedgerEntry.objects.about(rule).get()
    assert (entry.action, entry.reason) == ("routing-rule:change", "Fraud wants to see them first.")
    assert "condition" not in entry.after
    assert entry.after["condition_sha256"]
    assert rule.history.count() == 1


def test_nobody_approves_their_own_rule(shop: Shop, admin: User) -> None:
    change = propose(shop, admin)
    with pytest.raises(PermissionDenied):
        approve(change, admin)
    assert not RoutingRule.objects.exists()


def test_a_citizen_may_propose_and_not_approve(shop: Shop) -> None:
    citizen = factories.make_person(team=shop.topic.owner)
    change = propose(shop, citizen)
    with pytest.raises(PermissionDenied):
        approve(change, factories.make_person(team=factories.make_team()))


def test_a_second_request_makes_the_next_version(
    shop: Shop, usual: Subscription, admin: User, reviewer: User
) -> None:
    approve(propose(shop, admin), reviewer)
    rule = RoutingRule.objects.get()
    change = propose(shop, admin, rule=rule.number, name="Not to the sheet", position=30)
    found = results(change)["rule_changes"].findings
    assert {row.get("field") for row in found} >= {"name", "position"}
    approve(change, reviewer)
    rule.refresh_from_db()
    assert (rule.version, rule.name, rule.position) == (2, "Not to the sheet", 30)
    assert rule.history.count() == 2


def test_a_rule_that_changed_meanwhile_is_a_conflict(
    shop: Shop, admin: User, reviewer: User
) -> None:
    approve(propose(shop, admin), reviewer)
    number = RoutingRule.objects.get().number
    first = propose(shop, admin, rule=number, name="One")
    second = propose(shop, admin, rule=number, name="Other")
    approve(first, reviewer)
    second = approve(second, reviewer, and_apply=False)
    with pytest.raises(IllegalMove):
        reviews.apply(second, by=reviewer, now=timezone.now())
    edited = reviews.edit(second, proposal={"position": 7}, by=admin, now=timezone.now())
    approve(edited, reviewer)
    assert (RoutingRule.objects.get().version, RoutingRule.objects.get().name) == (3, "Other")


def test_a_rule_ends_by_a_request_too(shop: Shop, admin: User, reviewer: User) -> None:
    approve(propose(shop, admin), reviewer)
    number = RoutingRule.objects.get().number
    approve(propose(shop, admin, rule=number, is_active=False), reviewer)
    assert not RoutingRule.objects.get().is_active
    assert list(routing_rules.in_force(shop.topic, "production")) == []


def test_an_emergency_is_marked(shop: Shop, admin: User) -> None:
    change = propose(shop, admin)
    done = reviews.emergency(change, by=admin, reason="It leaks.", now=timezone.now())
    assert done.is_emergency
    assert RoutingRule.objects.exists()


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": 3}, "/name"),
        ({"action": "explode"}, "/action"),
        ({"environment": "moon"}, "/environment"),
        ({"position": -1}, "/position"),
        ({"position": True}, "/position"),
        ({"position": "first"}, "/position"),
        ({"is_active": "yes"}, "/is_active"),
        ({"event_types": "all"}, "/event_types"),
        ({"event_types": ["com.acme.unknown"]}, "/event_types"),
        ({"regions": ["moon"]}, "/regions"),
        ({"filter": {"exact": {"subject": 3}}}, "/filter/exact/subject"),
        ({"filter": "subject"}, "/filter"),
        ({"filter": {"exact": {"subject": "a\x00"}}}, "/filter"),
        ({"filter": {"exact": {"subject": "\ud800"}}}, "/filter"),
        ({"condition": "total >"}, "/condition"),
        ({"concerns": "everyone"}, "/concerns"),
        ({"concerns": "subscription:99999999"}, "/concerns"),
        ({"sends_to": "application:shop"}, "/sends_to"),
        ({"action": "send_also"}, "/sends_to"),
        ({"rule": 424242}, "/rule"),
        ({"rule": -1}, "/rule"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(
    shop: Shop, admin: User, values: dict[str, object], pointer: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        propose(shop, admin, **values)
    assert pointer in faults(raised.value)
    assert not ChangeRequest.objects.exists()


def test_a_subscriber_of_another_topic_or_environment_cannot_be_named(
    shop: Shop, admin: User
) -> None:
    elsewhere = factories.make_subscription()
    staging = factories.make_subscription(topic=shop.topic, environment="staging")
    for one in (elsewhere, staging):
        with pytest.raises(ValidationError) as raised:
            propose(shop, admin, action="send_also", sends_to=f"subscription:{one.number}")
        assert faults(raised.value) == {"/sends_to"}


def test_who_may_not_see_a_subscriber_is_told_that_there_is_none(
    shop: Shop, usual: Subscription
) -> None:
    stranger = factories.make_person(team=factories.make_team())
    told = []
    for number in (usual.number, 99999999):
        with pytest.raises(ValidationError) as raised:
            propose(shop, stranger, concerns=f"subscription:{number}")
        told.append(raised.value.messages)
    assert told[0] == told[1]


def test_a_target_that_ended_blocks_the_approval(
    shop: Shop, archive: Subscription, admin: User, reviewer: User
) -> None:
    change = propose(shop, admin, action="send_also", sends_to=f"subscription:{archive.number}")
    subscriptions.end(archive, by=admin, now=timezone.now(), reason="Gone.")
    reviews.recheck(change, by=admin, now=timezone.now())
    assert results(change)["rule_possible"].outcome == Outcome.FAILED
    with pytest.raises(ValidationError):
        approve(change, reviewer)


def test_the_check_warns_of_a_target_without_a_grant(shop: Shop, admin: User) -> None:
    stranger = factories.make_subscription(topic=shop.topic, is_granted=False)
    change = propose(shop, admin, action="send_also", sends_to=f"subscription:{stranger.number}")
    possible = results(change)["rule_possible"]
    assert possible.outcome == Outcome.ADVICE
    assert "may not subscribe" in possible.summary


def test_the_dry_run_counts_what_would_move_and_gives_examples(
    shop: Shop, usual: Subscription, archive: Subscription, admin: User
) -> None:
    for amount in (10, 20, 100, 200):
        shop.publish(shop.envelope(data={"order_id": "A", "amount": amount}))
    change = propose(
        shop,
        admin,
        action="send_instead",
        concerns=f"subscription:{usual.number}",
        sends_to=f"subscription:{archive.number}",
        condition="amount >= `100`",
    )
    run = results(change)["rule_dry_run"]
    counts, *rest = run.findings
    assert counts == {"total": 4, "matched": 2, "changed": 2}
    touched = {row["name"]: (row["gains"], row["loses"]) for row in rest if "name" in row}
    assert touched == {"Usual sheet": (0, 2), "Archive": (2, 0)}
    examples = [row for row in rest if "event" in row]
    assert len(examples) == 2
    assert "Not to Usual sheet any more. To Archive." in examples[0]["because"]
    assert "amount" not in json.dumps(run.findings)  # no word of the data


def test_the_dry_run_says_what_a_grant_holds_back(shop: Shop, admin: User) -> None:
    stranger = factories.make_subscription(
        topic=shop.topic, is_granted=False, event_types=["com.acme.none"]
    )
    shop.publish()
    change = propose(shop, admin, action="send_also", sends_to=f"subscription:{stranger.number}")
    run = results(change)["rule_dry_run"]
    assert run.findings[0] == {"total": 1, "matched": 1, "changed": 0}
    (row,) = [row for row in run.findings if row.get("name") == stranger.name]
    assert (row["held"], bool(row["held_because"])) == (1, True)


def test_the_dry_run_costs_the_same_however_many_events(
    shop: Shop, usual: Subscription, admin: User, django_assert_max_num_queries: Any
) -> None:
    for _number in range(30):
        shop.publish()
    change = propose(shop, admin)
    with django_assert_max_num_queries(60):
        checks.run(change, now=timezone.now())


def test_the_pages_propose_review_and_list(
    shop: Shop, usual: Subscription, admin: User, reviewer: User
) -> None:
    shop.publish()
    browser = signed_in(admin)
    form = browser.get(f"/routing/new/?topic={shop.topic.name}")
    assert form.status_code == 200
    sent = {
        "topic": shop.topic.pk,
        "name": "Not to the sheet",
        "environment": "production",
        "action": "deny",
        "concerns": f"subscription:{usual.number}",
        "position": "10",
        "is_active": "on",
        "field": "amount",
        "operator": "above",
        "value": "50",
        "reason": "The sheet is full.",
    }
    answer = browser.post(f"/routing/new/?topic={shop.topic.name}", sent)
    assert answer.status_code == 302, text_of(answer)
    page = text_of(signed_in(reviewer).get(answer["Location"]))
    assert "Of the last 1 events it matches 1" in page
    change = ChangeRequest.objects.get()
    edit = browser.get(f"/changes/{change.number}/edit/")
    assert edit.status_code == 200
    assert "jmespath" in text_of(edit)
    approve(change, reviewer)
    rule = RoutingRule.objects.get()
    for url in (f"/routing/?topic={shop.topic.name}", f"/routing/{rule.number}/"):
        assert f"does not go to {usual.name}" in text_of(browser.get(url))
    again = browser.get(f"/routing/new/?rule={rule.number}")
    assert "Not to the sheet" in text_of(again)


def test_a_bad_form_is_shown_again_with_the_fault(shop: Shop, admin: User) -> None:
    sent = {
        "topic": shop.topic.pk,
        "name": "Broken",
        "environment": "production",
        "action": "send_also",
        "position": "10",
        "filter": '{"exact": 3}',
        "reason": "Why not.",
    }
    answer = signed_in(admin).post("/routing/new/", sent)
    assert answer.status_code == 200
    assert "Say where it sends the event." in text_of(answer)
    assert not ChangeRequest.objects.exists()


def test_rules_are_seen_by_who_may(shop: Shop, usual: Subscription) -> None:
    rule = factories.make_rule(shop.topic, name="A secret way")
    owner = factories.make_person(team=shop.topic.owner)
    stranger = factories.make_person(team=factories.make_team())
    assert "A secret way" in text_of(signed_in(owner).get("/routing/"))
    assert "A secret way" not in text_of(signed_in(stranger).get("/routing/"))
    assert signed_in(stranger).get(f"/routing/{rule.number}/").status_code == 404
    assert signed_in(stranger).get(f"/routing/new/?rule={rule.number}").status_code == 404


def test_the_event_page_tells_which_rule_decided(
    shop: Shop, usual: Subscription, admin: User
) -> None:
    rule = factories.make_rule(shop.topic, name="Not to the sheet", version=4)
    shop.publish()
    event = Event.objects.get()
    page = text_of(signed_in(admin).get(f"/events/{event.pk}/"))
    assert f"Rule {rule} “Not to the sheet”, version 4, keeps it away." in page
    assert f"/routing/{rule.number}/" in page


def test_the_api_lists_rules_and_takes_proposals(
    shop: Shop, usual: Subscription, admin: User, reviewer: User
) -> None:
    sent = {
        "kind": "routing_rule",
        "topic": shop.topic.name,
        "reason": "The sheet is full.",
        "proposal": wish(concerns=f"subscription:{usual.number}"),
    }
    browser = signed_in(admin)
    answer = browser.post("/api/v1/change-requests", sent, content_type="application/json")
    assert answer.status_code == 201, text_of(answer)
    approve(ChangeRequest.objects.get(), reviewer)
    listed = browser.get("/api/v1/routing-rules", {"topic": shop.topic.name}).json()["results"]
    (rule,) = listed
    assert rule["sentence"] == f"Every event does not go to {usual.name} of {usual.application}."
    assert browser.get(f"/api/v1/routing-rules/{rule['id']}").json() == rule
    stranger = signed_in(factories.make_person(team=factories.make_team()))
    assert stranger.get("/api/v1/routing-rules").json()["results"] == []
    assert stranger.get(f"/api/v1/routing-rules/{rule['id']}").status_code == 404


@pytest.mark.parametrize("proposal", [{"name": 3}, {"filter": {"all": 1}}, {"sends_to": []}, {}])
def test_a_bad_proposal_over_the_api_is_a_clear_answer(
    shop: Shop, admin: User, proposal: dict[str, object]
) -> None:
    sent = {
        "kind": "routing_rule",
        "topic": shop.topic.name,
        "reason": "Because.",
        "proposal": proposal,
    }
    answer = signed_in(admin).post("/api/v1/change-requests", sent, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_a_rule_whose_target_has_ended_says_so(
    shop: Shop, archive: Subscription, admin: User
) -> None:
    rule = factories.make_rule(shop.topic, action="send_instead", to_subscription=archive)
    browser = signed_in(admin)
    pages = (f"/routing/?topic={shop.topic.name}", f"/routing/{rule.number}/")
    assert not any("has ended" in text_of(browser.get(page)) for page in pages)
    subscriptions.end(archive, by=admin, now=timezone.now(), reason="Gone.")
    assert all("Where it sends has ended" in text_of(browser.get(page)) for page in pages)
