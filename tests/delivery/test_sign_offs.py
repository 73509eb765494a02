"""Subscribers that a change breaks say whether they can live with that."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Application, User
from catalog.moves import IllegalMove
from delivery import change_news, notifications
from governance import reviews, roles, verification
from governance.models import ChangeRequest
from governance.states import ChangeKind, ChangeState, Decision
from tests import factories
from tests.delivery.test_contract_checks import SCHEMA, changed

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture
def crm(db: None) -> Application:
    return factories.make_application("crm", team=factories.make_team("care"))


@pytest.fixture
def lena(crm: Application) -> User:
    return factories.make_person("lena", team=crm.team)


@pytest.fixture
def change(crm: Application) -> ChangeRequest:
    version = factories.make_version(document=SCHEMA)
    topic = version.event_type.topic
    for application, mapping in [(crm, "{mail: email}"), (None, "{number: order_id}")]:
        factories.make_subscription(application, topic=topic, mapping=mapping)
    author = factories.make_person("tomas", team=topic.owner)
    made = reviews.propose(
        ChangeKind.SCHEMA_VERSION,
        event_type=version.event_type,
        reason="Fewer addresses.",
        proposal={"version": "2.0.0", "document": json.dumps(changed(removed="email"))},
        by=author,
        now=NOW,
    )
    return reviews.open_(made, by=author, now=NOW)


def test_only_those_that_break_are_asked(change: ChangeRequest, lena: User) -> None:
    (asked,) = reviews.sign_offs(change)
    assert (asked.application, asked.team, asked.is_waiting) == ("Crm", "Care", True)
    assert asked.due_at == change.due_at
    assert asked.because == ("E-mail is removed.",)
    assert [one for _change, one in reviews.waiting_for(lena, [change])] == [asked]
    assert reviews.waiting_for(change.proposed_by, [change]) == []


def test_their_word_is_kept_and_does_not_count_as_an_approval(
    change: ChangeRequest, crm: Application, lena: User
) -> None:
    with pytest.raises(ValidationError):
        reviews.sign_off(change, application=crm, agrees=False, by=lena, now=NOW)
    reviews.sign_off(change, application=crm, agrees=False, note="We mail.", by=lena, now=NOW)
    reviews.sign_off(change, application=crm, agrees=True, note="By id then.", by=lena, now=NOW)
    (answered,) = reviews.sign_offs(change)
    assert answered.review is not None
    assert (answered.review.decision, answered.review.note) == (Decision.CONSENT, "By id then.")
    change.refresh_from_db()
    assert change.state == ChangeState.OPEN
    assert reviews.waiting_for(lena, [change]) == []
    assert verification.verify() is None


def test_whoever_signs_off_may_also_review(change: ChangeRequest, crm: Application) -> None:
    both = factories.make_person(role=roles.REVIEWER, team=crm.team)
    reviews.sign_off(change, application=crm, agrees=True, by=both, now=NOW)
    done = reviews.approve(change, by=both, note="", now=NOW)
    assert done.state == ChangeState.APPROVED


def test_nobody_speaks_for_others(change: ChangeRequest, crm: Application, lena: User) -> None:
    with pytest.raises(PermissionDenied):
        reviews.sign_off(change, application=crm, agrees=True, by=change.proposed_by, now=NOW)
    other = factories.make_application(team=crm.team)
    with pytest.raises(ValidationError, match="does not break"):
        reviews.sign_off(change, application=other, agrees=True, by=lena, now=NOW)


def test_their_word_is_void_once_the_proposal_changes(
    change: ChangeRequest, crm: Application, lena: User
) -> None:
    reviews.sign_off(change, application=crm, agrees=True, by=lena, now=NOW)
    other = copy.deepcopy(changed(removed="email"))
    other["title"] = "Order"
    change = reviews.edit(change, proposal={"document": other}, by=change.proposed_by, now=NOW)
    assert [one.is_waiting for one in reviews.sign_offs(change)] == [True]
    reviews.withdraw(change, by=change.proposed_by, now=NOW)
    with pytest.raises(IllegalMove):
        reviews.sign_off(change, application=crm, agrees=True, by=lena, now=NOW)


def news_of(person: User) -> list[str]:
    return [one.text for one in notifications.of(person)]


def test_who_breaks_is_asked_at_once_and_reminded_once_when_late(
    lena: User, change: ChangeRequest, crm: Application
) -> None:
    ask = f"{change} breaks Crm: {change.title}. Can you live with it?"
    change_news.remind(now=NOW)
    assert news_of(lena) == [ask]
    later = NOW + timedelta(days=4)
    change_news.remind(now=later)
    change_news.remind(now=later)
    assert f"Crm has not answered to {change}, which breaks it." in news_of(lena)
    assert len(news_of(lena)) == 2
    reviews.sign_off(change, application=crm, agrees=False, note="We mail.", by=lena, now=NOW)
    assert f"Crm objects to {change}: We mail." in news_of(change.proposed_by)


def test_late_reviews_are_told_to_who_has_not_decided(change: ChangeRequest) -> None:
    rita = factories.make_person("rita", role=roles.REVIEWER)
    change_news.remind(now=NOW)
    assert news_of(rita) == []
    change_news.remind(now=NOW + timedelta(days=4))
    assert news_of(rita) == [f"{change} should have been decided by now: {change.title}"]
    assert news_of(change.proposed_by) == []


def test_many_changes_are_asked_about_in_a_fixed_number_of_queries(
    change: ChangeRequest, lena: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(3):
        factories.make_change_request()
    found = list(ChangeRequest.objects.all())
    with django_assert_num_queries(3):
        assert len(reviews.waiting_for(lena, found)) == 1
