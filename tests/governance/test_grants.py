"""Grants: what they allow, since when and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from guardian.shortcuts import get_perms
from pytest_django import DjangoAssertNumQueries

from catalog.models import Application, Team, Topic, User
from catalog.moves import IllegalMove
from governance import access, applications, grants, roles, verification
from governance.actions import Action
from governance.models import Grant, LedgerEntry
from governance.states import GrantState, Verb
from tests import factories
from tests.governance.conftest import People

pytestmark = pytest.mark.django_db

NOW = timezone.now()
TOMORROW = NOW + timedelta(days=1)
LATER = NOW + timedelta(days=2)


def give(
    grantee: Application | Team,
    topic: Topic,
    *,
    by: User | None = None,
    verb: str = "subscribe",
    environment: str = "production",
    until: datetime | None = None,
    reason: str = "Orders go to a sheet.",
    now: datetime = NOW,
) -> Grant:
    return grants.give(
        grantee,
        topic=topic,
        verb=verb,
        environment=environment,
        until=until,
        reason=reason,
        by=by or factories.make_admin(),
        now=now,
    )


def may(
    application: Application,
    topic: Topic,
    verb: str = "subscribe",
    environment: str = "production",
    *,
    now: datetime = NOW,
) -> bool:
    """Ask both doors; they must agree."""
    action = {"subscribe": Action.TOPIC_SUBSCRIBE, "publish": Action.TOPIC_PUBLISH}[verb]
    account = User.objects.get(pk=application.service_account_id)
    answer = access.allows(account, action, topic, environment=environment, now=now)
    known = access.entitlements(NOW)
    assert known.allows(application.pk, verb, topic.pk, environment, now) is answer
    return answer


@pytest.fixture
def application(db: None) -> Application:
    return factories.make_application()


@pytest.fixture
def topic(db: None) -> Topic:
    return factories.make_topic()


def test_granted_application_may_at_once(application: Application, topic: Topic) -> None:
    assert not may(application, topic)
    give(application, topic)
    assert may(application, topic)
    assert set(get_perms(application.service_account, topic)) == {"subscribe_topic", "view_topic"}


@pytest.mark.parametrize("verb", Verb.values)
@pytest.mark.parametrize("environment", ["production", "staging"])
def test_grant_allows_its_verb_in_its_environment_only(
    application: Application, verb: str, environment: str
) -> None:
    topic = factories.make_topic(is_restricted=True)
    give(application, topic, verb=verb, environment=environment)
    allowed = {
        (one, place)
        for one in Verb.values
        for place in ("production", "staging")
        if may(application, topic, one, place)
    }
    assert allowed == {(verb, environment)}


def test_grant_of_a_team_reaches_its_applications_and_no_others(topic: Topic) -> None:
    team = factories.make_team()
    ours = [factories.make_application(team=team) for _ in range(2)]
    theirs = factories.make_application()
    give(team, topic)
    assert [may(one, topic) for one in (*ours, theirs)] == [True, True, False]


def test_application_that_changes_its_team_leaves_the_grants_of_the_old_one(topic: Topic) -> None:
    old, new = factories.make_team(), factories.make_team()
    application = factories.make_application(team=old)
    give(old, topic)
    applications.change(application, team=new, by=factories.make_admin(), now=NOW)
    assert not may(application, topic)
    give(new, topic)
    assert may(application, topic)


def test_unrestricted_staging_needs_no_grant(application: Application, topic: Topic) -> None:
    assert may(application, topic, "publish", "staging")
    assert may(application, topic, "subscribe", "staging")
    assert not may(application, topic, "publish", "production")


def test_restricted_staging_needs_a_grant(application: Application) -> None:
    topic = factories.make_topic(is_restricted=True)
    assert not may(application, topic, "subscribe", "staging")
    give(application, topic, environment="staging")
    assert may(application, topic, "subscribe", "staging")


def test_application_of_the_owning_team_needs_a_grant_too(topic: Topic) -> None:
    assert not may(factories.make_application(team=topic.owner), topic, "publish")


def test_inactive_application_may_nothing(application: Application, topic: Topic) -> None:
    give(application, topic)
    applications.change(application, is_active=False, by=factories.make_admin(), now=NOW)
    assert not may(application, topic)
    assert not may(application, topic, environment="staging")


def test_grant_ends_with_its_last_instant(application: Application, topic: Topic) -> None:
    give(application, topic, until=TOMORROW)
    assert may(application, topic, now=TOMORROW - timedelta(microseconds=1))
    assert not may(application, topic, now=TOMORROW)


def test_permission_without_a_grant_allows_nothing(application: Application, topic: Topic) -> None:
    grant = give(application, topic)
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.EXPIRED)
    assert "subscribe_topic" in get_perms(application.service_account, topic)
    assert not may(application, topic)


def test_grant_without_the_permission_allows_nothing(
    application: Application, topic: Topic
) -> None:
    grant = give(application, topic)
    grant.topic.topicuserpermission_set.all().delete()
    assert not may(application, topic)


def test_revoked_grant_stops_at_once(application: Application, topic: Topic) -> None:
    grant = give(application, topic)
    ended = grants.revoke(grant, by=factories.make_admin(), reason="Contract ended.", now=NOW)
    assert (ended.state, ended.end_reason) == (GrantState.REVOKED, "Contract ended.")
    assert not may(application, topic)
    assert get_perms(application.service_account, topic) == []


def test_revoking_keeps_the_view_that_another_grant_needs(application: Application) -> None:
    topic = factories.make_topic(is_restricted=True)
    first = give(application, topic)
    give(application, topic, verb="publish")
    grants.revoke(first, by=factories.make_admin(), reason="Not read.", now=NOW)
    assert set(get_perms(application.service_account, topic)) == {"publish_topic", "view_topic"}


def test_revoking_a_team_grant_keeps_the_applications_own(topic: Topic) -> None:
    team = factories.make_team()
    application = factories.make_application(team=team)
    give(application, topic)
    grant = give(team, topic)
    grants.revoke(grant, by=factories.make_admin(), reason="Too wide.", now=NOW)
    assert may(application, topic)


def test_second_revocation_is_too_late(application: Application, topic: Topic) -> None:
    grant, admin = give(application, topic), factories.make_admin()
    grants.revoke(grant, by=admin, reason="Once.", now=NOW)
    with pytest.raises(IllegalMove) as caught:
        grants.revoke(grant, by=admin, reason="Twice.", now=NOW)
    assert caught.value.current == GrantState.REVOKED


def test_same_grant_twice_is_refused_and_names_the_first(
    application: Application, topic: Topic
) -> None:
    first = give(application, topic)
    with pytest.raises(ValidationError, match=str(first)):
        give(application, topic)


def test_grant_that_ran_out_does_not_stand_in_the_way(
    application: Application, topic: Topic
) -> None:
    first = give(application, topic, until=TOMORROW)
    second = give(application, topic, now=LATER)
    first.refresh_from_db()
    assert (first.state, second.state) == (GrantState.EXPIRED, GrantState.IN_FORCE)
    assert may(application, topic, now=LATER)


def test_extended_grant_holds_longer(application: Application, topic: Topic) -> None:
    grant = give(application, topic, until=TOMORROW)
    grants.extend(grant, until=LATER, by=factories.make_admin(), reason="Goes on.", now=NOW)
    assert may(application, topic, now=TOMORROW)


def test_ended_grant_cannot_be_extended(application: Application, topic: Topic) -> None:
    grant = give(application, topic, until=TOMORROW)
    with pytest.raises(ValidationError):
        grants.extend(grant, until=None, by=factories.make_admin(), reason="Late.", now=LATER)


def test_expiry_closes_what_ran_out_and_nothing_else(topic: Topic) -> None:
    short, long = factories.make_application(), factories.make_application()
    ends = give(short, topic, until=TOMORROW)
    give(long, topic, until=LATER)
    give(factories.make_application(), topic)
    assert grants.expire(now=TOMORROW) == 1
    assert grants.expire(now=TOMORROW) == 0
    ends.refresh_from_db()
    assert ends.state == GrantState.EXPIRED
    assert get_perms(short.service_account, topic) == []
    entry = LedgerEntry.objects.about(ends).latest("number")
    assert (entry.action, entry.actor_id) == (Action.GRANT_EXPIRE, None)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("verb", {"verb": "own"}),
        ("environment", {"environment": "moon"}),
        ("reason", {"reason": "  "}),
        ("until", {"until": NOW}),
    ],
)
def test_what_a_grant_cannot_say_is_refused_by_field(
    application: Application, topic: Topic, field: str, wrong: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        give(application, topic, **wrong)  # type: ignore[arg-type]  # one of them is a date
    assert set(caught.value.message_dict) == {field}


def test_admins_and_reviewers_of_the_owning_team_give_grants(people: People) -> None:
    topic = factories.make_topic(owner=people.team)
    ours = factories.make_person(role=roles.REVIEWER, team=people.team)
    for giver in (people.admin, ours):
        give(factories.make_application(), topic, by=giver)
    for other in (people.alice, people.reviewer, people.support, people.charlie):
        with pytest.raises(PermissionDenied):
            give(factories.make_application(), topic, by=other)
    assert Grant.objects.count() == 2


def test_ledger_says_who_gave_what_to_whom(application: Application, topic: Topic) -> None:
    grant = give(application, topic, until=TOMORROW)
    entry = LedgerEntry.objects.about(grant).get()
    assert entry.reason == "Orders go to a sheet."
    assert entry.after["topic"] == topic.name
    assert f"catalog.application:{application.pk}" in entry.related
    assert f"catalog.team:{application.team_id}" in entry.related
    assert [seal["table"] for seal in entry.snapshots] == ["governance.historicalgrant"]
    assert verification.verify() is None


def test_entitlements_are_read_in_a_fixed_number_of_queries(
    topic: Topic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        give(factories.make_application(), topic)
        give(factories.make_team(), topic)
    with django_assert_num_queries(6):
        known = access.entitlements(NOW)
    with django_assert_num_queries(0):
        known.allows(factories.make_uuid(), "publish", topic.pk, "staging", NOW)


def test_entitlements_know_no_stranger(topic: Topic) -> None:
    known = access.entitlements(NOW)
    stranger = factories.make_application()
    assert not known.allows(stranger.pk, "subscribe", topic.pk, "staging", NOW)
    assert access.entitlements(NOW).allows(stranger.pk, "subscribe", topic.pk, "staging", NOW)
    assert not access.entitlements(NOW).allows(stranger.pk, "own", topic.pk, "staging", NOW)


def test_application_sees_its_teams_grants(topic: Topic) -> None:
    team = factories.make_team()
    application = factories.make_application(team=team)
    grant = give(team, topic)
    other = give(factories.make_application(team=team), topic)
    account = application.service_account
    assert access.allows(account, Action.GRANT_VIEW, grant)
    assert not access.allows(account, Action.GRANT_VIEW, other)


@pytest.mark.parametrize(
    "until",
    [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        NOW + grants.LONGEST + timedelta(days=1),
        datetime(1, 1, 1, tzinfo=UTC),
        NOW,
    ],
)
def test_an_end_that_makes_no_sense_is_refused_with_a_sentence(
    application: Application, topic: Topic, until: datetime
) -> None:
    with pytest.raises(ValidationError) as caught:
        give(application, topic, until=until)
    assert list(caught.value.message_dict) == ["until"]
    grant = give(application, topic, until=TOMORROW)
    with pytest.raises(ValidationError):
        grants.extend(grant, until=until, by=factories.make_admin(), reason="Longer.", now=NOW)
    assert Grant.objects.get().until == TOMORROW
