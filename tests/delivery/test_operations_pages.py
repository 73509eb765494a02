"""Operations: from roll-ups, for those who run the portal, at the same cost for any load."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from delivery import rollups
from delivery.models import Circuit, RollupMark
from delivery.rollups import LATENCY_BOUNDS_MS
from governance import roles
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.rolled import count
from tests.visitors import signed_in

pytestmark = pytest.mark.django_db
PAGE = reverse("delivery:operations")
MOST_QUERIES = 32


@pytest.fixture
def support() -> Client:
    return signed_in(factories.make_person(role=roles.SUPPORT))


def test_operations_are_for_those_who_run_the_portal() -> None:
    answer = Client().get(PAGE)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("governance:sign-in"))
    assert signed_in(factories.make_person()).get(PAGE).status_code == 403


def test_empty_portal_says_that_nothing_is_wrong(support: Client) -> None:
    page = support.get(PAGE).content.decode()
    assert "No try failed" in page
    assert "Every circuit is closed" in page
    assert "Nothing arrived in this time." in page


@pytest.mark.parametrize("period", ["1h", "24h", "7d", "30d", "nonsense"])
def test_every_period_is_drawn_from_rollups(
    support: Client,
    period: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    subscription, _version = make_world("http://127.0.0.1:9/")
    latencies = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    latencies[4] = 970
    count(
        subscription,
        delivered=970,
        first_try=960,
        failed_attempts=30,
        latency_counts=latencies,
        errors={"http_status": 20, "dns": 6, "reset": 3, "refused": 1},
    )
    with django_assert_max_num_queries(MOST_QUERIES):
        page = support.get(PAGE, {"period": period})
    assert page.status_code == 200
    if period != "30d":  # drawn from days
        assert page.context["figures"][0]["figure"] == "970"


def test_causes_are_counted_with_their_subscriptions(support: Client) -> None:
    one, _version = make_world("http://127.0.0.1:9/")
    other = factories.make_subscription(topic=one.topic)
    count(one, failed_attempts=30, errors={"dns": 30})
    count(other, failed_attempts=10, errors={"dns": 7, "reset": 3})
    causes = support.get(PAGE).context["causes"]
    assert [(cause.error_class, cause.tries, cause.subscriptions) for cause, _, _ in causes] == [
        ("dns", 37, 2),
        ("reset", 3, 1),
    ]


def test_what_waits_is_counted_by_age_in_this_environment_only(support: Client) -> None:
    here, version = make_world("http://127.0.0.1:9/")
    there = factories.make_subscription(topic=here.topic, environment="staging")
    owe(here, make_events(version, 3))
    owe(there, make_events(version, 5))
    page = support.get(PAGE)
    assert page.context["figures"][3]["figure"] == "3"
    assert here.name in page.context["figures"][4]["delta"]
    assert page.context["charts"][-1].lines[0].values[0] == 3


def test_open_circuit_and_dead_letters_stand_on_the_page(support: Client) -> None:
    group = factories.make_failure_group()
    Circuit.objects.filter(subscription=group.subscription).update(
        state="open", opened_at=timezone.now(), last_failure_at=timezone.now(), last_status="500"
    )
    page = support.get(PAGE).content.decode()
    assert "0 of 1 subscriptions deliver" in page
    assert group.subscription.name in page
    assert "Circuits that are not closed" in page


def test_one_topic_can_be_looked_at_alone(support: Client) -> None:
    one, _version = make_world("http://127.0.0.1:9/")
    other, _version = make_world("http://127.0.0.1:9/")
    count(one, delivered=5)
    count(other, delivered=7)
    page = support.get(PAGE, {"topic": one.topic.name})
    assert page.context["figures"][0]["figure"] == "5"


def test_silent_workers_are_said(support: Client) -> None:
    assert "have never been heard of" in support.get(PAGE).content.decode()
    RollupMark.objects.update_or_create(
        name=rollups.MARK, defaults={"at": timezone.now() - timedelta(seconds=8)}
    )
    states = {word: state for state, word, _ in support.get(PAGE).context["parts"]}
    assert states["Workers and scheduler"] == "ok"
