"""The support desk in the browser: causes, their diagnosis, and everything one does about them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import User
from delivery.models import DeadLetter, Delivery, FailureGroup, Notification
from delivery.states import DeliveryStatus
from governance import roles
from governance.governed import governed, record
from governance.models import LedgerEntry
from tests import factories
from tests.visitors import must_sign_in, signed_in, statuses, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("delivery:failure-list")
MOST_QUERIES = 36


@pytest.fixture
def sue() -> User:
    return factories.make_person("sue", role=roles.SUPPORT)


@pytest.fixture
def support(sue: User) -> Client:
    return signed_in(sue)


def page_of(group: FailureGroup) -> str:
    return reverse("delivery:failure-detail", args=[group.number])


def act(client: Client, group: FailureGroup, verb: str, **data: object) -> int:
    page = reverse("delivery:failure-act", args=[group.number, verb])
    return client.post(page, data).status_code


def make_letter(group: FailureGroup) -> DeadLetter:
    """Return a dead letter of the group, with its event."""
    subscription = group.subscription
    event_type = factories.make_event_type(topic=subscription.topic)
    delivery = factories.make_delivery(
        factories.make_event(event_type=event_type),
        subscription=subscription,
        status=DeliveryStatus.DEAD,
        failure_group=group,
        ended_at=timezone.now(),
    )
    return factories.make_letter(delivery, group=group, attempts=8)


def test_failures_are_shown_to_owners_and_support_only(support: Client) -> None:
    group = factories.make_failure_group()
    stranger = signed_in(factories.make_person("charlie"))
    owner = signed_in(factories.make_person("alice", team=group.subscription.application.team))
    assert must_sign_in(LIST)
    assert must_sign_in(page_of(group))
    assert statuses(stranger, [LIST, page_of(group)]) == {LIST: 200, page_of(group): 404}
    assert group.subscription.name not in text_of(stranger.get(LIST))
    for client in (owner, support):
        assert group.subscription.name in text_of(client.get(LIST))
        assert client.get(page_of(group)).status_code == 200


def test_list_shows_what_still_needs_someone_unless_asked_for_more(support: Client) -> None:
    group = factories.make_failure_group()
    act(support, group, "resolve", how="Mended.")
    assert group.subscription.name not in text_of(support.get(LIST))
    assert group.subscription.name in text_of(support.get(LIST, {"state": "resolved"}))


def test_list_is_searched_and_kept_to_its_environment(support: Client) -> None:
    group, other = factories.make_failure_group(), factories.make_failure_group()
    page = text_of(support.get(LIST, {"q": group.subscription.name}))
    assert page_of(group) in page
    assert page_of(other) not in page
    assert page_of(group) not in text_of(support.get(LIST, {"environment": "staging"}))


def test_page_says_what_happened_and_how_to_mend_it(
    support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    group = factories.make_failure_group()
    letters = [make_letter(group) for _ in range(12)]
    with django_assert_max_num_queries(MOST_QUERIES):
        answer = support.get(page_of(group))
    page = text_of(answer)
    assert f"1 event has not reached {group.subscription.name}" in page
    assert "answers 500" in page
    assert "How to mend it" in page
    assert len(answer.context["letters"]) == 10
    assert f"?letter={letters[-1].pk}" not in page
    assert "ada@example.com" not in page  # sensitive, and support may not see it


def test_chosen_letter_is_opened(support: Client) -> None:
    group = factories.make_failure_group()
    make_letter(group)
    second = make_letter(group)
    chosen = support.get(page_of(group), {"letter": str(second.pk)}).context["letter"]
    assert chosen.letter == second
    assert support.get(page_of(group), {"letter": "nonsense"}).status_code == 200


def test_owner_sees_the_whole_payload_that_was_theirs() -> None:
    group = factories.make_failure_group()
    make_letter(group)
    owner = signed_in(factories.make_person("alice", team=group.subscription.application.team))
    assert "A-1001" in text_of(owner.get(page_of(group)))


def test_buttons_do_what_they_say(support: Client, sue: User) -> None:
    group = factories.make_failure_group()

    def state() -> str:
        group.refresh_from_db()
        return group.state

    assert act(support, group, "take") == 302
    assert (state(), group.assignee) == ("assigned", sue)
    act(support, group, "release")
    assert (state(), group.assignee) == ("open", None)
    act(support, group, "note", text="It began after the deploy.")
    assert "It began after the deploy." in text_of(support.get(page_of(group)))
    act(support, group, "ignore", days="3", reason="Known, mended on Monday.")
    assert state() == "ignored"
    act(support, group, "reopen", reason="Not so.")
    assert state() == "open"
    act(support, group, "resolve", how="The address was mended.")
    assert state() == "resolved"
    assert "The address was mended." in text_of(support.get(page_of(group)))
    told = set(LedgerEntry.objects.about(group).values_list("action", flat=True))
    assert {"failure:assign", "failure:note", "failure:ignore", "failure:resolve"} <= told


def test_what_is_missing_is_said_and_changes_nothing(support: Client) -> None:
    group = factories.make_failure_group()
    for verb, data in (
        ("note", {"text": " "}),
        ("resolve", {"how": ""}),
        ("ignore", {"days": "400", "reason": "x"}),
        ("ignore", {"days": "3", "reason": ""}),
    ):
        act(support, group, verb, **data)
        group.refresh_from_db()
        assert group.state == "open", verb


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("ignore", {"days": "400", "reason": "The long story that I typed."}),
        ("resolve", {"how": " ", "text": ""}),
        ("note", {"text": ""}),
    ],
)
def test_refused_words_are_shown_again(support: Client, verb: str, data: dict[str, str]) -> None:
    group = factories.make_failure_group()
    answer = support.post(reverse("delivery:failure-act", args=[group.number, verb]), data)
    assert answer.status_code == 200
    assert answer.context[f"{verb}_form"].errors
    assert data.get("reason", "") in text_of(answer)


def test_words_that_come_too_late_are_kept(support: Client) -> None:
    group = factories.make_failure_group()
    act(support, group, "resolve", how="Mended by the other one.")
    answer = support.post(
        reverse("delivery:failure-act", args=[group.number, "resolve"]),
        {"how": "What I typed for minutes."},
    )
    assert answer.status_code == 409
    assert "What I typed for minutes." in text_of(answer)


def test_closed_failure_is_opened_again_on_its_page(support: Client) -> None:
    group = factories.make_failure_group()
    act(support, group, "resolve", how="Mended.")
    assert "Open it again" in text_of(support.get(page_of(group)))


def test_too_late_is_said_as_such(support: Client) -> None:
    group = factories.make_failure_group()
    act(support, group, "resolve", how="Mended.")
    assert act(support, group, "take") == 409


def test_stranger_does_nothing_and_reads_no_verb_by_get(support: Client) -> None:
    group = factories.make_failure_group()
    stranger = signed_in(factories.make_person("charlie"))
    assert act(stranger, group, "take") == 404
    page = reverse("delivery:failure-act", args=[group.number, "take"])
    assert support.get(page).status_code == 405


def test_how_others_mended_it_is_told_only_of_what_one_may_see(support: Client) -> None:
    known, again = factories.make_failure_group(), factories.make_failure_group()
    act(support, known, "resolve", how="The walrus was fed.")
    owner = signed_in(factories.make_person("alice", team=again.subscription.application.team))
    assert "The walrus was fed." in text_of(support.get(page_of(again)))
    assert "The walrus was fed." not in text_of(owner.get(page_of(again)))


def test_what_changed_last_is_about_the_subscription_and_its_contract(support: Client) -> None:
    group = factories.make_failure_group()
    subscription = group.subscription
    rival = factories.make_application("rival-shop")
    factories.make_grant(rival, topic=subscription.topic)
    later = timezone.now() + timedelta(minutes=1)
    with governed(by=None, now=later):
        FailureGroup.objects.filter(pk=group.pk).update(first_seen_at=later)
    changes = support.get(page_of(group)).context["changes"]
    assert all(str(rival.pk) not in str(entry.related) for entry in changes)
    assert changes  # the grant of its own application is among them


def test_discarding_the_last_letter_settles_the_failure(support: Client) -> None:
    group = factories.make_failure_group()
    letter = make_letter(group)
    page = reverse("delivery:delivery-discard", args=[letter.pk])
    support.post(page, {"reason": "Booked by hand."})
    group.refresh_from_db()
    assert group.state == "resolved"
    assert Delivery.objects.get(pk=letter.pk).status == DeliveryStatus.DISCARDED


def test_case_has_all_that_somebody_needs_to_mend_it(support: Client) -> None:
    group = factories.make_failure_group()
    letter = make_letter(group)
    page = text_of(support.get(page_of(group)))
    for told in (
        "http_status 500",
        "Internal Server Error",
        "All tries are used up.",
        group.subscription.topic.name,
        letter.event_type,
        group.subscription.application.team.name,
    ):
        assert told in page
    assert "curl -X POST" in page
    assert str(letter.event_id) in page  # the idempotency key of the request
    assert "webhook-signature: ••••••" in page


def test_request_is_hidden_with_its_payload(support: Client) -> None:
    group = factories.make_failure_group()
    make_letter(group)
    looking = factories.make_person(role=None)
    factories.give_permission(looking, "delivery.view_failuregroup")
    assert "curl -X POST" not in text_of(signed_in(looking).get(page_of(group)))


def test_failure_that_comes_back_says_what_was_done_before(support: Client) -> None:
    group = factories.make_failure_group()
    act(support, group, "resolve", how="The certificate was renewed.")
    act(support, group, "reopen", reason="Again.")
    page = text_of(support.get(page_of(group)))
    assert "Came back" in page
    assert "The certificate was renewed." in page
    assert "came back" in text_of(support.get(LIST))


def test_failure_is_given_to_somebody_who_may_work_on_it(support: Client) -> None:
    group = factories.make_failure_group()
    owner = factories.make_person("alice", team=group.subscription.application.team)
    factories.make_person("charlie")
    act(support, group, "give", to="charlie")
    assert FailureGroup.objects.get(pk=group.pk).assignee is None
    act(support, group, "give", to="alice")
    assert FailureGroup.objects.get(pk=group.pk).assignee == owner
    assert Notification.objects.filter(user=owner).count() == 1


@pytest.mark.parametrize(("status", "is_told"), [(422, True), (500, False)])
def test_change_of_contract_is_named_where_it_may_be_the_cause(
    support: Client, status: int, is_told: bool
) -> None:
    group = factories.make_failure_group()
    later = timezone.now() + timedelta(minutes=1)
    version = factories.make_version(
        event_type=factories.make_event_type(topic=group.subscription.topic)
    )
    with governed(by=None, now=timezone.now()):
        record("version:promote", version, related=(group.subscription.topic,))
    with governed(by=None, now=later):
        FailureGroup.objects.filter(pk=group.pk).update(first_seen_at=later, status_code=status)
    page = text_of(support.get(page_of(group)))
    assert ("The contract changed shortly before this began." in page) is is_told
