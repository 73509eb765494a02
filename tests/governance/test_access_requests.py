"""Requests for access: asked for by those who need it, decided by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.models import Application, Topic, User
from catalog.moves import IllegalMove
from governance import access, access_requests, roles, verification
from governance import people as people_verbs
from governance.actions import Action
from governance.models import AccessRequest, Grant, LedgerEntry
from governance.states import RequestState
from tests import factories
from tests.governance.conftest import People

pytestmark = pytest.mark.django_db

NOW = timezone.now()
NEXT_YEAR = NOW + timedelta(days=365)


@pytest.fixture
def application(people: People) -> Application:
    return factories.make_application(team=people.team)


@pytest.fixture
def topic(people: People) -> Topic:
    return factories.make_topic("inventory.stock", owner=factories.make_team("stock"))


def ask(
    application: Application, topic: Topic, by: User, reason: str = "For a sheet."
) -> AccessRequest:
    return access_requests.make(
        application,
        verb="subscribe",
        topic=topic,
        environment="production",
        by=by,
        reason=reason,
        wanted_until=NEXT_YEAR,
        now=NOW,
    )


def test_approval_gives_the_grant_at_once(
    people: People, application: Application, topic: Topic
) -> None:
    request = ask(application, topic, people.alice)
    grant = access_requests.approve(request, by=people.admin, until=NEXT_YEAR, now=NOW)
    request.refresh_from_db()
    assert (request.state, request.grant) == (RequestState.APPROVED, grant)
    assert (grant.granted_by, grant.reason) == (people.admin, "For a sheet.")
    assert access.allows(
        application.service_account, Action.TOPIC_SUBSCRIBE, topic, environment="production"
    )
    assert verification.verify() is None


def test_rejection_says_why_and_gives_nothing(
    people: People, application: Application, topic: Topic
) -> None:
    request = ask(application, topic, people.alice)
    with pytest.raises(ValidationError):
        access_requests.reject(request, by=people.admin, note=" ", now=NOW)
    access_requests.reject(request, by=people.admin, note="Use the feed.", now=NOW)
    request.refresh_from_db()
    assert (request.state, request.decision_note) == (RequestState.REJECTED, "Use the feed.")
    assert not Grant.objects.exists()


def approve(request: AccessRequest, by: User) -> None:
    access_requests.approve(request, by=by, until=None, now=NOW)


def reject(request: AccessRequest, by: User) -> None:
    access_requests.reject(request, by=by, note="No.", now=NOW)


@pytest.mark.parametrize("decide", [approve, reject])
def test_nobody_decides_their_own_request(
    people: People,
    topic: Topic,
    application: Application,
    decide: Callable[[AccessRequest, User], None],
) -> None:
    people_verbs.give_role(people.alice, roles.ADMIN, by=people.admin, now=NOW)
    asker = User.objects.get(pk=people.alice.pk)
    request = ask(application, topic, asker)
    with pytest.raises(PermissionDenied):
        decide(request, asker)
    request.refresh_from_db()
    assert request.state == RequestState.OPEN


def test_superuser_does_not_decide_their_own_request_either(topic: Topic) -> None:
    root = factories.make_person(is_superuser=True)
    request = ask(factories.make_application(), topic, root)
    assert not access.allows(root, Action.ACCESS_REQUEST_DECIDE, request)


def test_second_decision_is_too_late(
    people: People, application: Application, topic: Topic
) -> None:
    request = ask(application, topic, people.alice)
    access_requests.reject(request, by=people.admin, note="No.", now=NOW)
    with pytest.raises(IllegalMove) as caught:
        access_requests.approve(request, by=people.admin, until=None, now=NOW)
    assert caught.value.current == RequestState.REJECTED
    assert not Grant.objects.exists()


def test_same_request_twice_is_refused_and_names_the_first(
    people: People, application: Application, topic: Topic
) -> None:
    first = ask(application, topic, people.alice)
    with pytest.raises(ValidationError, match=str(first)):
        ask(application, topic, people.bob)


def test_decided_request_may_be_asked_again(
    people: People, application: Application, topic: Topic
) -> None:
    access_requests.withdraw(ask(application, topic, people.alice), by=people.bob, now=NOW)
    assert ask(application, topic, people.alice).state == RequestState.OPEN


def test_request_for_what_is_granted_names_the_grant(
    people: People, application: Application, topic: Topic
) -> None:
    grant = factories.make_grant(application, topic=topic)
    with pytest.raises(ValidationError, match=str(grant)):
        ask(application, topic, people.alice)


def test_stranger_cannot_ask_for_an_application_of_others(
    people: People, application: Application, topic: Topic
) -> None:
    with pytest.raises(PermissionDenied):
        ask(application, topic, people.charlie)


def test_topic_that_one_cannot_see_cannot_be_asked_for(
    people: People, application: Application
) -> None:
    with pytest.raises(PermissionDenied):
        ask(application, factories.make_topic(is_restricted=True), people.alice)


def test_reason_is_needed(people: People, application: Application, topic: Topic) -> None:
    with pytest.raises(ValidationError):
        ask(application, topic, people.alice, reason="")


def test_ledger_has_the_request_and_the_decision(
    people: People, application: Application, topic: Topic
) -> None:
    request = ask(application, topic, people.alice)
    access_requests.approve(request, by=people.admin, until=None, note="Fine.", now=NOW)
    made, decided = LedgerEntry.objects.about(request).order_by("number")
    assert (made.actor_name, made.reason) == ("Alice", "For a sheet.")
    assert (decided.actor_name, decided.reason) == ("Adam", "Fine.")
    assert decided.before == {"state": "open"}
    assert decided.after["state"] == "approved"
