"""The machine API of governance: changes, grants, requests, compatibility, the ledger."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import EventType, Topic
from catalog.words import Environment
from governance import roles
from governance.models import Grant, LedgerEntry
from governance.states import GrantState, Verb
from tests import factories
from tests.asking import PROBLEM, Asker, Machine, make_machine, person, pointers

pytestmark = pytest.mark.django_db

TYPE = "com.acme.sales.order.created"


@dataclass(frozen=True, kw_only=True)
class Office:
    """A topic of Sales with one live contract, and everybody who has a say in it."""

    topic: Topic
    event_type: EventType
    machine: Machine
    proposer: Asker
    owner: Asker
    reviewer: Asker
    admin: Asker
    stranger: Asker


@pytest.fixture
def office() -> Office:
    sales = factories.make_team("sales")
    topic = factories.make_topic("sales.orders", owner=sales)
    event_type = factories.make_event_type(TYPE, topic=topic)
    factories.make_version("1.0.0", event_type=event_type)
    return Office(
        topic=topic,
        event_type=event_type,
        machine=make_machine(),
        proposer=person(factories.make_person("alice", team=sales)),
        owner=person(factories.make_person("bob", role=roles.REVIEWER, team=sales)),
        reviewer=person(factories.make_person("rita", role=roles.REVIEWER)),
        admin=person(factories.make_admin()),
        stranger=person(factories.make_person("charlie")),
    )


def with_note() -> dict[str, Any]:
    schema: dict[str, Any] = copy.deepcopy(factories.SCHEMA)
    schema["properties"]["note"] = {"type": "string", "title": "Note", "maxLength": 280}
    return schema


def proposal(**more: object) -> dict[str, object]:
    return {
        "kind": "schema_version",
        "event_type": TYPE,
        "reason": "The shop asks for a note.",
        "proposal": {"document": with_note(), "example": factories.SAMPLE},
        **more,
    }


# Change requests


def test_a_change_goes_from_proposal_to_live(office: Office) -> None:
    made = office.proposer.post("change-requests", proposal())
    assert made.status_code == 201, made.content
    change = made.json()
    assert (change["state"], change["verdict"], change["topic"]) == (
        "open",
        "compatible",
        "sales.orders",
    )
    assert change["proposal"]["document"] == with_note()
    assert change["checks"]
    assert change["missing"]
    where = f"change-requests/{change['id']}"
    accepted = [one["check"] for one in change["checks"] if one["outcome"] == "failed"]

    own = office.proposer.post(f"{where}/approve", {})
    assert (own.status_code, own["Content-Type"]) == (403, PROBLEM)
    stale = office.reviewer.post(f"{where}/approve", {"seen_sha256": "0" * 64})
    assert stale.status_code == 409
    approved = office.reviewer.post(
        f"{where}/approve",
        {"note": "Good.", "seen_sha256": change["proposal_sha256"], "accepted": accepted},
    )
    assert (approved.status_code, approved.json()["state"]) == (200, "approved"), approved.content
    assert [one["decision"] for one in approved.json()["reviews"]] == ["approve"]
    applied = office.reviewer.post(f"{where}/apply")
    assert applied.json()["state"] == "applied"
    assert office.event_type.versions.filter(version="1.1.0").exists()
    again = office.reviewer.post(f"{where}/apply")
    assert (again.status_code, again["Content-Type"]) == (409, PROBLEM)
    assert again.json()["detail"]


def test_a_change_is_sent_back_edited_opened_and_rejected(office: Office) -> None:
    where = f"change-requests/{office.proposer.post('change-requests', proposal()).json()['id']}"
    assert pointers(office.reviewer.post(f"{where}/request-changes")) == {"/note"}
    back = office.reviewer.post(f"{where}/request-changes", {"note": "Say what it is for."})
    assert back.json()["state"] == "changes_requested"
    edited = office.proposer.patch(where, {"title": "A note for the packer"})
    assert edited.json()["title"] == "A note for the packer"
    assert office.proposer.post(f"{where}/open").json()["state"] == "open"
    assert office.reviewer.post(f"{where}/reject", {"note": "No."}).json()["state"] == "rejected"
    assert office.proposer.post(f"{where}/withdraw").status_code == 409


def test_faults_of_a_proposal_point_to_their_place_in_the_request(office: Office) -> None:
    malformed = {"document": {"type": "objekt"}}
    answer = office.proposer.post("change-requests", proposal(proposal=malformed))
    assert answer.status_code == 422
    assert "/proposal/document/type" in pointers(answer)
    odd = office.proposer.post("change-requests", proposal(proposal={"odd": 1}))
    assert pointers(odd) == {"/proposal/odd"}
    unknown = office.proposer.post("change-requests", proposal(event_type="com.acme.no.such"))
    assert pointers(unknown) == {"/event_type"}
    assert pointers(office.proposer.post("change-requests", {})) == {"/kind", "/reason"}


def test_a_draft_is_its_authors_alone(office: Office) -> None:
    draft = office.proposer.post("change-requests", proposal(draft=True)).json()
    assert draft["state"] == "draft"
    where = f"change-requests/{draft['id']}"
    assert office.stranger.get(where).status_code == 404
    assert office.stranger.get("change-requests").json()["results"] == []
    assert office.proposer.post(f"{where}/open").json()["state"] == "open"
    found = office.stranger.get("change-requests", state="open", topic="sales.orders").json()
    assert [one["id"] for one in found["results"]] == [draft["id"]]
    assert office.stranger.get("change-requests", kind="promotion").json()["results"] == []


def test_people_discuss_a_change(office: Office) -> None:
    change = office.proposer.post("change-requests", proposal()).json()
    where = f"change-requests/{change['id']}/comments"
    assert pointers(office.stranger.post(where, {"text": " "})) == {"/text"}
    assert office.stranger.post(where, {"text": "We need that."}).status_code == 201
    office.proposer.post(where, {"text": "Soon."})
    told = office.reviewer.get(where).json()["results"]
    assert [(one["author"], one["text"]) for one in told] == [
        ("charlie", "We need that."),
        ("alice", "Soon."),
    ]


# Grants and requests for them


def wanted(office: Office, **more: object) -> dict[str, object]:
    return {
        "application": office.machine.application.slug,
        "topic": "sales.orders",
        "verb": "subscribe",
        "environment": "production",
        "reason": "Orders go to a sheet.",
        **more,
    }


def test_an_admin_gives_and_revokes_a_grant(office: Office) -> None:
    until = timezone.now() + timedelta(days=30)
    made = office.admin.post("grants", wanted(office, until=until.isoformat()))
    assert made.status_code == 201
    grant = made.json()
    assert (grant["state"], grant["application"], grant["team"]) == (
        "in_force",
        office.machine.application.slug,
        None,
    )
    assert grant["until"].endswith("Z")
    assert office.machine.get(f"grants/{grant['id']}").json() == grant
    assert office.stranger.get(f"grants/{grant['id']}").status_code == 404
    assert office.machine.post(f"grants/{grant['id']}/revoke", {"reason": "x"}).status_code == 403
    assert pointers(office.admin.post(f"grants/{grant['id']}/revoke")) == {"/reason"}
    ended = office.admin.post(f"grants/{grant['id']}/revoke", {"reason": "They left."}).json()
    assert (ended["state"], ended["end_reason"]) == ("revoked", "They left.")
    again = office.admin.post(f"grants/{grant['id']}/revoke", {"reason": "They left."})
    assert again.status_code == 409
    found = office.admin.get("grants", state="revoked", topic="sales.orders", verb="subscribe")
    assert [one["id"] for one in found.json()["results"]] == [grant["id"]]


def test_a_grant_needs_one_grantee_that_there_is(office: Office) -> None:
    both = wanted(office, team="sales")
    assert pointers(office.admin.post("grants", both)) == {"/application"}
    assert pointers(office.admin.post("grants", wanted(office, application="nobody"))) == {
        "/application"
    }
    past = wanted(office, until="2020-01-01T00:00:00Z")
    assert pointers(office.admin.post("grants", past)) == {"/until"}
    assert office.stranger.post("grants", wanted(office, application="x")).status_code == 422


def test_a_request_for_access_is_made_approved_and_not_approved_twice(office: Office) -> None:
    asker = person(factories.make_person(team=office.machine.application.team))
    made = asker.post("access-requests", wanted(office))
    assert made.status_code == 201, made.content
    where = f"access-requests/{made.json()['id']}"
    assert made.json()["state"] == "open"
    assert asker.post(f"{where}/approve").status_code == 403
    assert office.stranger.get(where).status_code == 404
    approved = office.owner.post(f"{where}/approve", {"note": "Welcome."}).json()
    assert approved["state"] == "approved"
    grant = Grant.objects.get(pk=approved["grant"])
    assert (grant.state, grant.verb, grant.environment) == (
        GrantState.IN_FORCE,
        Verb.SUBSCRIBE,
        Environment.PRODUCTION,
    )
    assert office.owner.post(f"{where}/approve").status_code == 409


def test_a_request_for_access_is_rejected_or_withdrawn(office: Office) -> None:
    asker = person(factories.make_person(team=office.machine.application.team))
    first = asker.post("access-requests", wanted(office)).json()
    assert pointers(office.owner.post(f"access-requests/{first['id']}/reject")) == {"/note"}
    refused = office.owner.post(f"access-requests/{first['id']}/reject", {"note": "Not yet."})
    assert (refused.json()["state"], refused.json()["decision_note"]) == ("rejected", "Not yet.")
    second = asker.post("access-requests", wanted(office)).json()
    taken_back = asker.post(f"access-requests/{second['id']}/withdraw").json()
    assert taken_back["state"] == "withdrawn"
    past = wanted(office, wanted_until="2020-01-01T00:00:00Z")
    assert pointers(asker.post("access-requests", past)) == {"/wanted_until"}


# Compatibility


def test_schemas_are_compared_in_the_mode_asked_for(office: Office) -> None:
    old = {"type": "object", "properties": {"a": {"type": "string"}}}
    new = {**old, "required": ["a"]}
    backward = office.machine.post("compatibility", {"old": old, "new": new}).json()
    assert backward["verdict"] == "incompatible"
    breaking = [one for one in backward["findings"] if one["severity"] == "breaking"]
    assert "required_added" in {one["kind"] for one in breaking}
    forward = office.machine.post(
        "compatibility", {"old": old, "new": new, "mode": "FORWARD", "policy": "strict"}
    ).json()
    assert forward["verdict"] == "compatible"


def test_what_is_no_schema_is_said_at_its_place(office: Office) -> None:
    answer = office.machine.post("compatibility", {"old": {"type": "x"}, "new": {"minimum": "a"}})
    assert answer.status_code == 422
    assert pointers(answer) == {"/old/type", "/new/minimum"}
    odd = office.machine.post("compatibility", {"old": True, "new": True, "mode": "SIDEWAYS"})
    assert pointers(odd) == {"/mode"}


# The ledger


def test_the_ledger_tells_what_happened_and_holds(office: Office) -> None:
    given = office.admin.post("grants", wanted(office)).json()
    entries = office.admin.get("ledger", action="grant:give", subject_id=given["id"]).json()
    (entry,) = entries["results"]
    assert entry["subject"]["id"] == given["id"]
    assert entry["actor"]["name"]
    assert entry["at"].endswith("Z")
    assert len(entry["hash"]) == 64
    found = office.admin.get("ledger/verify").json()
    assert (found["valid"], found["first_bad"]) == (True, None)
    assert found["entries"] == LedgerEntry.objects.count()
    assert office.machine.get("ledger/verify").status_code == 403
    assert office.stranger.get("ledger", action="grant:give").json()["results"] == []


def test_a_changed_entry_is_named(office: Office) -> None:
    number = LedgerEntry.objects.order_by("number").values_list("number", flat=True)[1]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_ledgerentry DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE governance_ledgerentry SET reason = 'other' WHERE number = %s", [number]
        )
        cursor.execute("ALTER TABLE governance_ledgerentry ENABLE TRIGGER USER")
    found = office.admin.get("ledger/verify").json()
    assert found["valid"] is False
    assert found["first_bad"]["number"] == number


@pytest.mark.parametrize("path", ["change-requests", "grants", "access-requests", "ledger"])
def test_lists_run_as_many_queries_for_many_rows(office: Office, path: str) -> None:
    counts = []
    for _round in range(2):
        factories.make_change_request(topic=office.topic)
        factories.make_grant(topic=office.topic)
        factories.make_access_request(topic=office.topic)
        with CaptureQueriesContext(connection) as captured:
            assert office.admin.get(path).json()["results"]
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12
