"""A grant that ends stops what went by it, where people see it; a new one lets it go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from delivery import subscriptions
from delivery.models import Subscription
from delivery.states import DisableReason, SubscriptionState
from governance import grants, verification
from governance.models import Grant, LedgerEntry
from tests import factories
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db


def state_of(subscription: Subscription) -> tuple[str, str]:
    found = Subscription.objects.get(pk=subscription.pk)
    return found.state, found.state_reason


STOPPED = (SubscriptionState.DISABLED, DisableReason.NO_GRANT)
GOING = (SubscriptionState.ACTIVE, "")


@pytest.fixture
def subscription() -> Subscription:
    return factories.make_subscription()


@pytest.fixture
def grant(subscription: Subscription) -> Grant:
    return Grant.objects.get(application=subscription.application)


def end(grant: Grant) -> None:
    grants.revoke(grant, by=factories.make_admin(), reason="It ends.", now=timezone.now())


def test_a_revoked_grant_stops_its_subscriptions_and_no_others(
    subscription: Subscription, grant: Grant
) -> None:
    other = factories.make_subscription(topic=subscription.topic)
    end(grant)
    assert state_of(subscription) == STOPPED
    assert state_of(other) == GOING
    assert LedgerEntry.objects.filter(
        action="subscription:disable", subject_id=str(subscription.pk)
    ).exists()
    assert verification.verify() is None


def test_a_grant_that_runs_out_stops_them_too(subscription: Subscription, grant: Grant) -> None:
    now = timezone.now()
    soon = now + timedelta(hours=1)
    grants.extend(grant, until=soon, by=factories.make_admin(), reason="A pilot.", now=now)
    assert grants.expire(now=soon + timedelta(minutes=1)) == 1
    assert state_of(subscription) == STOPPED


def test_its_page_says_why_and_what_to_do(subscription: Subscription, grant: Grant) -> None:
    end(grant)
    owner = factories.make_person(team=subscription.application.team)
    page = reverse("delivery:subscription-detail", args=[subscription.number])
    told = text_of(signed_in(owner).get(page))
    assert "No grant" in told
    assert "ask for access on the topic" in told


def test_a_new_grant_lets_it_go_on_by_itself(subscription: Subscription, grant: Grant) -> None:
    end(grant)
    factories.make_grant(subscription.application, topic=subscription.topic)
    assert state_of(subscription) == GOING


def test_a_teams_grant_keeps_its_applications_going(
    subscription: Subscription, grant: Grant
) -> None:
    team = subscription.application.team
    teams = factories.make_grant(team, topic=subscription.topic)
    end(grant)
    assert state_of(subscription) == GOING
    end(teams)
    assert state_of(subscription) == STOPPED


def test_what_a_person_paused_stays_paused(subscription: Subscription, grant: Grant) -> None:
    owner = factories.make_person(team=subscription.application.team)
    subscriptions.pause(subscription, by=owner, now=timezone.now())
    end(grant)
    factories.make_grant(subscription.application, topic=subscription.topic)
    assert state_of(subscription)[0] == SubscriptionState.PAUSED


def test_what_was_disabled_for_another_reason_stays_so(
    subscription: Subscription, grant: Grant
) -> None:
    subscriptions.disable(subscription, because=DisableReason.FAILING, now=timezone.now())
    end(grant)
    factories.make_grant(subscription.application, topic=subscription.topic)
    assert state_of(subscription) == (SubscriptionState.DISABLED, DisableReason.FAILING)
