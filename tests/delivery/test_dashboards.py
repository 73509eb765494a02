"""Dashboards of a topic, an application and a subscription: to owners, each only its own."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from delivery.models import Subscription
from governance import roles
from tests import factories
from tests.delivery.rolled import count
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db
MOST_QUERIES = 32


def pages_of(subscription: Subscription) -> dict[str, str]:
    return {
        "topic": reverse("delivery:topic-traffic", args=[subscription.topic.name]),
        "application": reverse(
            "delivery:application-traffic", args=[subscription.application.slug]
        ),
        "subscription": reverse("delivery:subscription-traffic", args=[subscription.number]),
    }


def test_each_shows_its_own_traffic_only() -> None:
    mine, other = factories.make_subscription(), factories.make_subscription()
    count(mine, delivered=5, retries=2, backlog=40, oldest_seconds=90, errors={"dns": 3})
    count(other, delivered=7)
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    for name, page in pages_of(mine).items():
        answer = support.get(page, {"period": "1h"})
        assert answer.context["figures"][0]["figure"] == "5", name
        text = text_of(answer)
        assert "At most 40 deliveries waited at one moment." in text
        assert "The oldest had waited 1 min 30 s." in text
        assert "2 tries were not the first" in text


@pytest.mark.parametrize("period", ["1h", "24h", "7d", "30d", "nonsense"])
def test_every_period_costs_the_same(
    period: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    subscription = factories.make_subscription()
    count(subscription, delivered=970, failed_attempts=30, errors={"http_status": 30})
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    for page in pages_of(subscription).values():
        with django_assert_max_num_queries(MOST_QUERIES):
            assert support.get(page, {"period": period}).status_code == 200


def test_owners_see_their_own_and_strangers_nothing() -> None:
    subscription = factories.make_subscription()
    pages = pages_of(subscription)
    owner = signed_in(factories.make_person(team=subscription.application.team))
    keeper = signed_in(factories.make_person(team=subscription.topic.owner))
    stranger = signed_in(factories.make_person())
    found = {
        name: tuple(one.get(page).status_code for one in (owner, keeper, stranger))
        for name, page in pages.items()
    }
    assert found == {
        "topic": (403, 200, 403),
        "application": (200, 403, 403),
        # Who owns the topic may see the subscription, and not how it fares.
        "subscription": (200, 403, 404),
    }
    assert all(must_sign_in(page) for page in pages.values())


def test_tab_stands_on_the_page_for_those_who_may_open_it() -> None:
    subscription = factories.make_subscription()
    owner = signed_in(factories.make_person(team=subscription.application.team))
    page = reverse("catalog:application-detail", args=[subscription.application.slug])
    traffic = pages_of(subscription)["application"]
    assert traffic in text_of(owner.get(page))
    assert traffic not in text_of(signed_in(factories.make_person()).get(page))


def test_restricted_topic_is_unknown_to_a_stranger() -> None:
    topic = factories.make_topic("secret.payroll", is_restricted=True)
    page = reverse("delivery:topic-traffic", args=[topic.name])
    assert signed_in(factories.make_person()).get(page).status_code == 404


def test_ended_subscription_has_no_dashboard() -> None:
    subscription = factories.make_subscription()
    Subscription.objects.filter(pk=subscription.pk).update(ended_at=timezone.now())
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    assert support.get(pages_of(subscription)["subscription"]).status_code == 404
