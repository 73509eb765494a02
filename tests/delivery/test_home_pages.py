"""Home: each person sees what waits for them, and nobody what is not theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from delivery import failures
from delivery.models import Circuit, Rollup
from delivery.models.counts import Grain
from governance import roles
from tests import factories
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = reverse("delivery:home")
MOST_QUERIES = 45


def test_home_is_for_people_who_are_signed_in() -> None:
    assert must_sign_in(PAGE)


def test_quiet_portal_needs_nobody() -> None:
    page = text_of(signed_in(factories.make_person("alice")).get(PAGE))
    assert "Nothing needs you, Alice" in page
    assert "Nothing was delivered in the last 24 hours." in page


def test_owner_and_support_are_told_of_a_failure_and_a_stranger_is_not() -> None:
    group = factories.make_failure_group()
    link = reverse("delivery:failure-detail", args=[group.number])
    owner = factories.make_person("alice", team=group.subscription.application.team)
    support = factories.make_person("sue", role=roles.SUPPORT)
    for person in (owner, support):
        page = text_of(signed_in(person).get(PAGE))
        assert "One thing needs you" in page
        assert f"1 event has not reached {group.subscription.name}" in page
        assert link in page
    assert link not in text_of(signed_in(factories.make_person("charlie")).get(PAGE))


def test_each_kind_of_need_has_its_button() -> None:
    admin = factories.make_admin()
    asked = factories.make_access_request()
    change = factories.make_change_request()
    subscription = factories.make_subscription()
    Circuit.objects.filter(subscription=subscription).update(
        state="open", opened_at=timezone.now(), last_failure_at=timezone.now()
    )
    page = text_of(signed_in(admin).get(PAGE))
    assert reverse("governance:access-request-detail", args=[asked.number]) in page
    assert reverse("governance:change-request-detail", args=[change.number]) in page
    assert reverse("delivery:subscription-detail", args=[subscription.number]) in page


def test_staging_has_a_home_of_its_own() -> None:
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    factories.make_failure_group()
    assert "Nothing needs you" in text_of(support.get(PAGE, {"environment": "staging"}))


def test_resolved_failure_is_shown_with_what_was_done() -> None:
    support = factories.make_person(role=roles.SUPPORT)
    group = factories.make_failure_group()
    failures.resolve(group, how="The address was mended.", by=support, now=timezone.now())
    assert "The address was mended." in text_of(signed_in(support).get(PAGE))


def test_last_day_is_said_in_numbers() -> None:
    subscription = factories.make_subscription()
    Rollup.objects.create(
        grain=Grain.HOUR,
        at=timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1),
        environment="production",
        topic_id=subscription.topic_id,
        subscription_id=subscription.pk,
        application_id=subscription.application_id,
        delivered=200,
        first_try=150,
    )
    page = text_of(signed_in(factories.make_person()).get(PAGE))
    assert "200 deliveries arrived in the last 24 hours, 75.0 % of them at the first try." in page


def test_home_costs_the_same_for_many_needs(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(6):
        factories.make_failure_group()
        factories.make_access_request()
        factories.make_change_request()
    admin = signed_in(factories.make_admin())
    with django_assert_max_num_queries(MOST_QUERIES):
        assert admin.get(PAGE).status_code == 200
