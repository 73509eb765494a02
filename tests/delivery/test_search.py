"""The search of the bar, the counts beside the navigation, and the news of a person."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import User
from delivery import notifications
from delivery.models import Event, Notification
from delivery.news_kinds import NewsKind
from delivery.pages import frame_counts
from governance import roles
from tests import factories
from tests.visitors import signed_in

pytestmark = pytest.mark.django_db
PAGE = reverse("delivery:search")
NEWS = reverse("delivery:notification-list")
MOST_QUERIES = 32


@pytest.fixture
def admin() -> Client:
    return signed_in(factories.make_admin())


@pytest.fixture
def stranger() -> Client:
    return signed_in(factories.make_person(team=factories.make_team("strangers")))


def test_nobody_searches_without_signing_in() -> None:
    for page in (PAGE, NEWS):
        answer = Client().get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("governance:sign-in"))


def test_words_find_things_of_every_kind(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    topic = factories.make_topic("walrus.orders", title="Walrus orders")
    event_type = factories.make_event_type("com.acme.walrus.order.created", topic=topic)
    factories.make_version(event_type=event_type)
    application = factories.make_application("walrus-shop")
    factories.make_subscription(application, topic=topic, name="Walrus sheet")
    factories.make_change_request(topic=topic)
    event = factories.make_event(event_type=event_type)
    Event.objects.filter(pk=event.pk).update(subject="walrus")
    with django_assert_max_num_queries(MOST_QUERIES):
        page = admin.get(PAGE, {"q": "walrus"})
    found = {str(group["title"]): group["rows"] for group in page.context["groups"]}
    assert set(found) == {
        "Event types", "Topics", "Applications", "Subscriptions", "Changes", "Events",
    }  # fmt: skip
    assert all(len(rows) == 1 for rows in found.values())


def test_number_leads_straight_to_the_thing(admin: Client) -> None:
    group = factories.make_failure_group()
    replay = factories.make_replay()
    change = factories.make_change_request()
    asked = factories.make_access_request()
    grant = factories.make_grant()
    for words, page in (
        (f"F-{group.number}", reverse("delivery:failure-detail", args=[group.number])),
        (f"r-{replay.number}", reverse("delivery:replay-detail", args=[replay.number])),
        (f"CR {change.number}", reverse("governance:change-request-detail", args=[change.number])),
        (f"ar{asked.number}", reverse("governance:access-request-detail", args=[asked.number])),
        (
            f"S-{group.subscription.number}",
            reverse("delivery:subscription-detail", args=[group.subscription.number]),
        ),
        (f"G-{grant.number}", f"{reverse('governance:access')}?grant={grant.number}&"),
        ("#1", reverse("governance:ledger-entry", args=[1])),
    ):
        answer = admin.get(PAGE, {"q": words})
        assert answer.status_code == 302, words
        assert answer["Location"].startswith(page)
        assert admin.get(answer["Location"]).status_code == 200


def test_id_leads_to_the_event_or_delivery(admin: Client) -> None:
    delivery = factories.make_delivery()
    event_page = reverse("delivery:event-detail", args=[delivery.event_id])
    delivery_page = reverse("delivery:delivery-detail", args=[delivery.pk])
    assert admin.get(PAGE, {"q": str(delivery.event_id)})["Location"] == event_page
    assert admin.get(PAGE, {"q": f"msg_{delivery.event_id}"})["Location"] == event_page
    assert admin.get(PAGE, {"q": str(delivery.pk)})["Location"] == delivery_page


def test_stranger_learns_nothing_from_numbers_and_words(stranger: Client) -> None:
    delivery = factories.make_delivery()
    group = factories.make_failure_group(delivery.subscription)
    for words in (
        f"F-{group.number}", f"S-{group.subscription.number}", str(delivery.pk),
        delivery.event.event_id, "CR-999999",
    ):  # fmt: skip
        page = stranger.get(PAGE, {"q": words})
        assert page.status_code == 200, words
        assert "Nothing that you may see matches" in page.content.decode()


def test_restricted_topic_is_absent_for_a_stranger(stranger: Client) -> None:
    topic = factories.make_topic("secret.payroll", is_restricted=True)
    factories.make_version(event_type=factories.make_event_type("com.acme.secret.x", topic=topic))
    assert stranger.get(PAGE, {"q": "secret"}).context["groups"] == []


def test_empty_search_explains_itself(admin: Client) -> None:
    page = admin.get(PAGE)
    assert page.status_code == 200
    assert "lead straight there" in page.content.decode()


# Counts


def test_counts_are_those_that_the_person_can_act_on() -> None:
    support, reviewer = (
        factories.make_person(role=roles.SUPPORT),
        factories.make_person(role=roles.REVIEWER),
    )
    stranger = factories.make_person(team=factories.make_team("strangers"))
    factories.make_failure_group()
    factories.make_change_request()
    factories.make_access_request()
    assert frame_counts.failures(support, "production") == 1
    assert frame_counts.failures(support, "staging") == 0
    assert frame_counts.failures(stranger, "production") == 0
    assert frame_counts.changes(reviewer, "production") == 1
    assert frame_counts.changes(stranger, "production") == 0
    assert frame_counts.requests(factories.make_admin(), "production") == 1
    assert frame_counts.requests(stranger, "production") == 0


def test_navigation_shows_the_counts() -> None:
    factories.make_failure_group()
    page = signed_in(factories.make_person(role=roles.SUPPORT)).get(PAGE).content.decode()
    assert '<span class="count" data-tone="bad">1</span>' in page


# News


def tell(person: User, *, key: str, path: str = "") -> Notification:
    notifications.notify(
        [person],
        kind=NewsKind.FAILURE,
        key=key,
        text=f"Walrus {key}",
        path=path,
        now=timezone.now(),
    )
    return notifications.of(person).get(key=f"failure:{key}")


def test_news_are_read_one_by_one_and_all_at_once() -> None:
    alice = factories.make_person("alice")
    client = signed_in(alice)
    first = tell(alice, key="a", path=reverse("delivery:failure-list"))
    tell(alice, key="b")
    tell(alice, key="c")
    page = client.get(NEWS).content.decode()
    assert "Walrus a" in page
    assert "3 are new" in page
    opened = client.post(reverse("delivery:notification-read", args=[first.pk]), {"open": "1"})
    assert opened["Location"] == reverse("delivery:failure-list")
    assert notifications.unread(alice) == 2
    client.post(reverse("delivery:notifications-read"))
    assert notifications.unread(alice) == 0
    assert "Nothing new" in client.get(NEWS).content.decode()


def test_nobody_sees_or_reads_the_news_of_others(stranger: Client) -> None:
    alice = factories.make_person("alice")
    news = tell(alice, key="a")
    assert "Walrus" not in stranger.get(NEWS).content.decode()
    page = reverse("delivery:notification-read", args=[news.pk])
    assert stranger.post(page).status_code == 404
    assert notifications.unread(alice) == 1


def test_news_never_lead_away_from_the_portal() -> None:
    alice = factories.make_person("alice")
    news = tell(alice, key="a", path="https://elsewhere.example/")
    page = reverse("delivery:notification-read", args=[news.pk])
    assert signed_in(alice).post(page, {"open": "1"})["Location"] == NEWS
