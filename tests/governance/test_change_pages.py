"""Changes in the browser: proposed in a form, judged on one page, decided, applied."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import EventType, SchemaVersion, Topic
from delivery import notifications
from governance import roles
from governance.governed import governed
from governance.models import ChangeRequest, LedgerEntry
from governance.states import ChangeKind, ChangeState
from tests import factories
from tests.visitors import must_sign_in, signed_in, statuses, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("governance:change-request-list")
NEW = reverse("governance:change-request-new")
MOST_QUERIES = 60


@pytest.fixture
def reviewer(topic: Topic) -> Client:
    return signed_in(factories.make_person("rita", role=roles.REVIEWER, team=topic.owner))


def with_gift_note() -> str:
    """Return the schema with one more field that may be missing: safe for everybody."""
    properties = factories.SCHEMA["properties"]
    assert isinstance(properties, dict)
    more = {"type": "string", "title": "Gift note", "description": "On the card.", "maxLength": 99}
    return json.dumps({**factories.SCHEMA, "properties": {**properties, "gift_note": more}})


def form_of(document: str = "", **fields: str) -> dict[str, str]:
    return {
        "title": "", "version": "", "document": document or with_gift_note(),
        "example": json.dumps(factories.SAMPLE), "changes": "A gift note.",
        "reason": "Customers ask for it.", **fields,
    }  # fmt: skip


def proposed(client: Client, event_type: EventType, **fields: str) -> ChangeRequest:
    """Return the change that the form makes."""
    answer = client.post(f"{NEW}?event_type={event_type.name}", form_of(**fields))
    assert answer.status_code == 302, answer.context["form"].errors
    return ChangeRequest.objects.latest("number")


def page_of(change: ChangeRequest) -> str:
    return reverse("governance:change-request-detail", args=[change.number])


def act(client: Client, change: ChangeRequest, verb: str, **data: object) -> int:
    page = reverse("governance:change-request-act", args=[change.number, verb])
    status = client.post(page, data).status_code
    change.refresh_from_db()
    return status


def test_changes_are_for_people_who_are_signed_in() -> None:
    change = factories.make_change_request()
    for page in (LIST, NEW, page_of(change)):
        assert must_sign_in(page)


def test_open_change_is_public_and_a_draft_is_its_authors() -> None:
    change = factories.make_change_request()
    draft = factories.make_change_request(state=ChangeState.DRAFT)
    stranger = signed_in(factories.make_person("charlie"))
    assert statuses(stranger, [page_of(change), page_of(draft)]) == {
        page_of(change): 200,
        page_of(draft): 404,
    }
    assert page_of(draft) not in text_of(stranger.get(LIST))
    assert signed_in(draft.proposed_by).get(page_of(draft)).status_code == 200


def test_change_of_a_hidden_topic_is_hidden() -> None:
    change = factories.make_change_request(topic=factories.make_topic(is_restricted=True))
    stranger = signed_in(factories.make_person("charlie"))
    assert stranger.get(page_of(change)).status_code == 404
    assert page_of(change) not in text_of(stranger.get(LIST))


def test_list_shows_what_waits_unless_asked_for_more(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(5):
        factories.make_change_request()
    done = factories.make_change_request(state=ChangeState.APPLIED)
    client = signed_in(factories.make_person())
    with django_assert_max_num_queries(MOST_QUERIES):
        page = text_of(client.get(LIST))
    assert page_of(done) not in page
    assert page_of(done) in text_of(client.get(LIST, {"state": "applied"}))


# Proposing


@pytest.mark.parametrize("kind", [ChangeKind.SCHEMA_VERSION, ChangeKind.NEW_EVENT_TYPE,
                                  ChangeKind.PROMOTION, ChangeKind.DEPRECATION,
                                  ChangeKind.RETIREMENT])  # fmt: skip
def test_every_kind_has_its_form(alice: Client, event_type: EventType, kind: str) -> None:
    answer = alice.get(NEW, {"kind": kind, "event_type": event_type.name})
    assert answer.status_code == 200
    assert "Kept in the ledger" in text_of(answer)


def test_unknown_kind_and_hidden_type_are_not_found(alice: Client) -> None:
    hidden = factories.make_event_type(topic=factories.make_topic(is_restricted=True))
    assert alice.get(NEW, {"kind": "nonsense"}).status_code == 404
    assert alice.get(NEW, {"event_type": hidden.name}).status_code == 404


def test_safe_change_is_proposed_and_its_checks_are_told(
    alice: Client,
    event_type: EventType,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    change = proposed(alice, event_type)
    assert change.state == ChangeState.OPEN
    with django_assert_max_num_queries(MOST_QUERIES):
        answer = alice.get(page_of(change))
    assert answer.status_code == 200
    assert answer.context["results"]
    assert "gift_note" in text_of(answer)


def test_draft_is_kept_edited_and_opened(alice: Client, event_type: EventType) -> None:
    change = proposed(alice, event_type, draft="1")
    assert change.state == ChangeState.DRAFT
    edit = reverse("governance:change-request-edit", args=[change.number])
    assert alice.get(edit).status_code == 200
    assert alice.post(edit, form_of(reason="The shop asks for it.")).status_code == 302
    change.refresh_from_db()
    assert change.reason == "The shop asks for it."
    assert act(alice, change, "open") == 302
    assert change.state == ChangeState.OPEN


def test_broken_schema_is_told_at_its_place(alice: Client, event_type: EventType) -> None:
    for document in ("not JSON", '{"type": "nonsense"}'):
        answer = alice.post(f"{NEW}?event_type={event_type.name}", form_of(document))
        assert answer.status_code == 200, document
        assert answer.context["form"].errors, document
    assert not ChangeRequest.objects.exclude(state=ChangeState.DRAFT).exists()


def test_new_event_type_is_proposed(alice: Client, topic: Topic) -> None:
    answer = alice.post(
        f"{NEW}?kind=new_event_type",
        form_of(
            with_gift_note(),
            topic=str(topic.pk),
            name="com.acme.sales.order.returned",
            title="Order returned",
            description="A customer sent it back.",
            happens_when="",
            version="1.0.0",
        ),
    )
    assert answer.status_code == 302, answer.context["form"].errors
    assert ChangeRequest.objects.get().kind == ChangeKind.NEW_EVENT_TYPE


# Deciding


def test_change_is_approved_applied_and_live_in_staging(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    change = proposed(alice, event_type)
    page = reviewer.get(page_of(change))
    assert "Approve" in text_of(page)
    data = {"seen": change.proposal_sha256, "note": "Good.",
            "accepted": [one.check_name for one in page.context["to_accept"]]}  # fmt: skip
    assert act(reviewer, change, "approve", **data) == 302
    assert change.state == ChangeState.APPROVED
    assert act(reviewer, change, "apply") == 302
    assert change.state == ChangeState.APPLIED
    made = SchemaVersion.objects.get(event_type=event_type, version="1.1.0")
    assert {one.environment for one in made.releases.all()} >= {"staging"}


def test_nobody_decides_their_own_change(event_type: EventType, topic: Topic) -> None:
    both = signed_in(factories.make_person("olga", role=roles.REVIEWER, team=topic.owner))
    change = proposed(both, event_type)
    for verb in ("approve", "reject", "request-changes"):
        assert act(both, change, verb, note="Mine.", seen=change.proposal_sha256) == 403
    assert change.state == ChangeState.OPEN


def test_change_is_sent_back_mended_and_rejected_with_notes(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    change = proposed(alice, event_type)
    seen = change.proposal_sha256
    act(reviewer, change, "request-changes", note="", seen=seen)
    assert change.state == ChangeState.OPEN  # it says what is missing
    act(reviewer, change, "request-changes", note="Name it card_note.", seen=seen)
    assert change.state == ChangeState.CHANGES_REQUESTED
    assert "Name it card_note." in text_of(alice.get(page_of(change)))
    act(alice, change, "open")
    act(reviewer, change, "reject", note="Not needed after all.", seen=change.proposal_sha256)
    assert change.state == ChangeState.REJECTED
    assert act(alice, change, "open") == 409


def test_approval_of_what_was_edited_meanwhile_does_not_count(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    change = proposed(alice, event_type)
    assert act(reviewer, change, "approve", note="Good.", seen="0" * 64) in (302, 409)
    assert change.state == ChangeState.OPEN


def test_author_and_reviewers_run_the_checks_again_and_nobody_else(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    change = proposed(alice, event_type, do="open")
    page = reverse("governance:change-request-detail", args=[change.number])
    recheck = reverse("governance:change-request-act", args=[change.number, "recheck"])
    stranger = signed_in(factories.make_person())
    assert "Run the checks again" not in text_of(stranger.get(page))
    assert stranger.post(recheck).status_code == 403
    ran_before = change.check_results.latest("ran_at").ran_at
    for client in (alice, reviewer):
        assert "Run the checks again" in text_of(client.get(page))
        assert "The checks have run again." in text_of(client.post(recheck, follow=True))
    assert change.check_results.latest("ran_at").ran_at > ran_before
    door = f"/api/v1/change-requests/{change.pk}/recheck"
    assert alice.post(door, "{}", "application/json").status_code == 200
    assert stranger.post(door, "{}", "application/json").status_code == 403


def test_author_withdraws_and_everyone_comments(alice: Client, event_type: EventType) -> None:
    change = proposed(alice, event_type)
    reader = signed_in(factories.make_person("charlie"))
    act(reader, change, "comment", note="We would use it.")
    assert "We would use it." in text_of(alice.get(page_of(change)))
    assert act(reader, change, "withdraw", note="x") == 403
    act(alice, change, "withdraw", note="Too early.")
    assert change.state == ChangeState.WITHDRAWN


def test_citizen_decides_nothing(alice: Client, event_type: EventType) -> None:
    change = proposed(alice, event_type)
    bob = signed_in(factories.make_person("bob", team=event_type.topic.owner))
    for verb in ("approve", "reject", "request-changes"):
        assert act(bob, change, verb, note="x", seen=change.proposal_sha256) == 403, verb
    page = reverse("governance:change-request-act", args=[change.number, "approve"])
    assert bob.get(page).status_code == 405


@pytest.mark.parametrize("kind", ["schema_version", "promotion", "deprecation"])
def test_form_is_not_shown_to_who_may_not_send_it(
    alice: Client, event_type: EventType, kind: str
) -> None:
    support = signed_in(factories.make_person("sue", role=roles.SUPPORT))
    page = f"{NEW}?kind={kind}&event_type={event_type.name}&base=1.0.0"
    assert alice.get(page).status_code == 200
    assert support.get(page).status_code == 403


@pytest.mark.parametrize("kind", ["promotion", "deprecation"])
def test_nothing_is_promoted_or_ended_that_does_not_exist(
    alice: Client, event_type: EventType, kind: str
) -> None:
    assert alice.get(f"{NEW}?kind={kind}").status_code == 404
    page = f"{NEW}?kind={kind}&event_type={event_type.name}&base=9.9.9"
    assert alice.get(page).status_code == 404


def test_fault_of_a_promotion_is_told_in_words_alone(alice: Client, event_type: EventType) -> None:
    page = f"{NEW}?kind=promotion&event_type={event_type.name}&base=1.0.0"
    answer = alice.post(page, {"reason": "Seen enough."})
    assert "Version 1.0.0 does not wait for production." in text_of(answer)
    assert "/base" not in text_of(answer)


def test_conversion_is_proposed_tried_and_listed(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    page = f"{NEW}?kind=translation&event_type={event_type.name}"
    factories.make_event(event_type=event_type)
    factories.make_version(
        "2.0.0", event_type=event_type, document={"type": "object"}, example={"id": "A", "sum": 2}
    )
    versions = reverse("catalog:event-type-versions", args=[event_type.name])
    assert "Propose a conversion" in text_of(alice.get(versions))
    data = {"reason": "The sheet cannot follow.", "from_major": "2", "to_major": "1"}
    answer = alice.post(page, {**data, "mapping": "{order_id: id, "})
    assert answer.context["form"].errors["mapping"]
    assert alice.post(page, {**data, "mapping": "{order_id: id, amount: sum}"}).status_code == 302
    change = ChangeRequest.objects.get()
    shown = text_of(reviewer.get(page_of(change)))
    assert "The sample of the contract" in shown
    data = {"seen": change.proposal_sha256, "note": "Fine.", "and_apply": "1"}
    assert act(reviewer, change, "approve", **data) == 302
    assert change.state == ChangeState.APPLIED
    assert str(change) in text_of(alice.get(versions))


def test_conversion_needs_its_event_type(alice: Client) -> None:
    assert alice.get(f"{NEW}?kind=translation").status_code == 404


# Emergencies


def test_admin_makes_an_emergency_change_that_is_marked_for_ever(
    alice: Client, event_type: EventType
) -> None:
    change = proposed(alice, event_type, changes="")
    admin = signed_in(factories.make_person("ines", role=roles.ADMIN))
    assert "Make the emergency change" in text_of(admin.get(page_of(change)))
    assert act(admin, change, "emergency", note=" ") == 302
    assert change.state == ChangeState.OPEN  # no reason, no change
    assert act(admin, change, "emergency", note="Orders pile up.") == 302
    assert (change.state, change.is_emergency) == (ChangeState.APPLIED, True)
    assert "Emergency, made without review" in text_of(alice.get(page_of(change)))
    versions = reverse("catalog:event-type-versions", args=[event_type.name])
    assert "Emergency, made without review" in text_of(alice.get(versions))
    made = event_type.versions.get(version="1.1.0")
    assert made.changes.startswith("Emergency change, made without review.")
    entry = LedgerEntry.objects.get(action="change:emergency")
    assert entry.reason == "Orders pile up."


def test_emergency_is_for_admins(alice: Client, reviewer: Client, event_type: EventType) -> None:
    change = proposed(alice, event_type)
    for person in (alice, reviewer):
        assert act(person, change, "emergency", note="Now!") == 403
        assert "Make the emergency change" not in text_of(person.get(page_of(change)))
    assert change.state == ChangeState.OPEN


# Sign-offs


def test_subscriber_that_breaks_answers_on_the_page(alice: Client, event_type: EventType) -> None:
    crm = factories.make_application("crm", team=factories.make_team("care"))
    factories.make_subscription(crm, topic=event_type.topic)
    lena = signed_in(factories.make_person("lena", team=crm.team))
    schema = {**factories.SCHEMA, "properties": {"order_id": {"type": "string", "maxLength": 40}},
              "required": ["order_id"]}  # fmt: skip
    change = proposed(alice, event_type, document=json.dumps(schema),
                      example='{"order_id": "A"}', version="2.0.0")  # fmt: skip
    assert "can you live with it?" in text_of(lena.get(reverse("delivery:home")))
    assert "We can live with it" in text_of(lena.get(page_of(change)))
    assert "We can live with it" not in text_of(alice.get(page_of(change)))
    word = {"application": str(crm.pk), "answer": "object"}
    assert act(alice, change, "sign-off", note="x", **word) == 403
    act(lena, change, "sign-off", note="", **word)
    assert not change.reviews.exists()  # an objection says what is needed
    act(lena, change, "sign-off", note="We mail by amount.", **word)
    assert "We mail by amount." in text_of(alice.get(page_of(change)))
    assert "can you live with it?" not in text_of(lena.get(reverse("delivery:home")))
    assert act(lena, change, "sign-off", note="x", application="nonsense") == 422


# Promises of a topic


def test_draft_of_other_promises_is_told_in_words(alice: Client, topic: Topic) -> None:
    page = f"{NEW}?kind=topic_policy&topic={topic.name}"
    form = alice.get(page).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields if name != "is_restricted"}
    typed |= {"regions": "", "batch_times": "", "reason": "We keep less.", "do": "draft"}
    alice.post(page, {**typed, "retention_days": "30", "house_rules_time_has_zone": "error"})
    shown = text_of(alice.get(page_of(ChangeRequest.objects.get())))
    assert "Payloads kept, days" in shown
    assert "House rule: Times carry a zone" in shown
    assert "Error, as its topic says" in shown
    assert "{" not in shown.split('id="values"')[1].split("</section>")[0]


def test_other_promises_are_proposed_by_form_and_only_what_differs(
    alice: Client, reviewer: Client, topic: Topic
) -> None:
    page = f"{NEW}?kind=topic_policy&topic={topic.name}"
    assert "Propose other promises" in text_of(
        alice.get(reverse("catalog:topic-detail", args=[topic.name]))
    )
    form = alice.get(page).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields if name != "is_restricted"}
    typed |= {"regions": "", "batch_times": "", "reason": "We keep less."}
    same = alice.post(page, typed)
    assert "Nothing would change." in text_of(same)
    wrong = alice.post(page, {**typed, "retention_days": "-1", "kind": "nonsense"})
    assert set(wrong.context["form"].errors) == {"retention_days", "kind"}
    assert not ChangeRequest.objects.exists()
    assert alice.post(page, {**typed, "retention_days": "30"}).status_code == 302
    change = ChangeRequest.objects.get()
    assert json.loads(change.proposal) == {"values": {"retention_days": 30}}
    shown = text_of(reviewer.get(page_of(change)))
    assert "Payloads older than that are deleted" in shown
    assert "Also proposed" not in shown  # the table says it already
    edit = reverse("governance:change-request-edit", args=[change.number])
    assert alice.get(edit).context["form"]["retention_days"].value() == 30
    assert alice.post(edit, {**typed, "retention_days": "45"}).status_code == 302
    change.refresh_from_db()
    act(reviewer, change, "approve", note="Fine.", seen=change.proposal_sha256, and_apply="1")
    assert change.state == ChangeState.APPLIED
    topic.refresh_from_db()
    assert topic.retention_days == 45


def test_promises_of_a_hidden_or_foreign_topic_are_not_proposed(alice: Client) -> None:
    hidden = factories.make_topic(is_restricted=True)
    foreign = factories.make_topic()
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    page = f"{NEW}?kind=topic_policy&topic="
    assert alice.get(page).status_code == 404
    assert alice.get(f"{page}{hidden.name}").status_code == 404
    assert support.get(f"{page}{foreign.name}").status_code == 403


# The end of a version


def test_use_is_seen_and_its_end_proposed_from_the_versions_page(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    till = factories.make_application("till-bridge")
    factories.make_event(event_type=event_type, application=till)
    versions = reverse("catalog:event-type-versions", args=[event_type.name])
    page = text_of(alice.get(versions, {"usage": "1.0.0"}))
    assert "Till bridge" in page
    assert "Active" in page
    assert "Propose to retire it" in page
    assert "Till bridge" not in text_of(alice.get(versions, {"usage": "9.9.9"}))
    retire = f"{NEW}?kind=retirement&event_type={event_type.name}&base=1.0.0"
    assert alice.post(retire, {"reason": "Old."}).status_code == 302
    change = ChangeRequest.objects.get()
    assert "Till bridge" in text_of(reviewer.get(page_of(change)))
    act(reviewer, change, "approve", note="ok", seen=change.proposal_sha256)
    assert change.state == ChangeState.OPEN  # it is used
    edit = reverse("governance:change-request-edit", args=[change.number])
    alice.post(edit, {"reason": "Old.", "override": "It leaks addresses."})
    change.refresh_from_db()
    act(reviewer, change, "approve", note="ok", seen=change.proposal_sha256, and_apply="1")
    assert change.state == ChangeState.APPLIED


def test_everybody_who_uses_a_version_is_told_of_its_end_once(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    till = factories.make_application(team=factories.make_team("tills"))
    factories.make_event(event_type=event_type, application=till)
    pinned = factories.make_application(team=factories.make_team("care"))
    factories.make_subscription(pinned, topic=event_type.topic, version_pin=1)
    told = [factories.make_person(team=till.team), factories.make_person(team=pinned.team)]
    other = factories.make_person(team=factories.make_team("elsewhere"))
    page = f"{NEW}?kind=deprecation&event_type={event_type.name}&base=1.0.0"
    data = {"sunset": "2031-05-01", "replacement": "", "reason": "2.x is here."}
    assert alice.post(page, {**data, "notice": "Read 100 % of 2.x."}).status_code == 302
    change = ChangeRequest.objects.get()
    act(reviewer, change, "approve", note="ok", seen=change.proposal_sha256, and_apply="1")
    for person in told:
        (news,) = notifications.of(person)
        assert "ends on 1 May 2031" in news.text
        assert news.text.endswith("Read 100 % of 2.x.")
    assert not notifications.of(other)


def test_queue_shows_what_is_late_and_how_long_decisions_take(alice: Client) -> None:
    change = factories.make_change_request()
    with governed(by=None, now=timezone.now()):
        change.due_at = timezone.now() - timedelta(days=1)
        change.save()
    page = text_of(alice.get(LIST))
    assert "Time to decision, median" in page
    assert "late" in page


def test_note_of_a_refused_decision_is_kept(
    alice: Client, reviewer: Client, event_type: EventType
) -> None:
    change = proposed(alice, event_type)
    act(alice, change, "open")
    typed = {"note": "What I typed for minutes.", "seen": change.proposal_sha256}
    page = reverse("governance:change-request-act", args=[change.number, "reject"])
    forbidden = alice.post(page, typed)
    assert forbidden.status_code == 403
    assert "What I typed for minutes." in text_of(forbidden)
    assert act(reviewer, change, "reject", note="No.", seen=change.proposal_sha256) == 302
    late = reviewer.post(page, typed)
    assert late.status_code == 409
    assert "What I typed for minutes." in text_of(late)
