"""Pages of events and deliveries: found by what one remembers, told as one life, masked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from delivery.models import Attempt, Delivery, Event, QueueRow, Replay, ReplayItem
from delivery.states import AttemptOutcome, DeliveryStatus
from governance import roles
from governance.models import LedgerEntry
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db
PAGE = reverse("delivery:event-list")
MOST_QUERIES = 32


@pytest.fixture
def support() -> Client:
    return signed_in(factories.make_person(role=roles.SUPPORT))


@pytest.fixture
def stranger() -> Client:
    return signed_in(factories.make_person(team=factories.make_team("strangers")))


def page_of(event: Event) -> str:
    return reverse("delivery:event-detail", args=[event.pk])


def delivery_page(delivery: Delivery) -> str:
    return reverse("delivery:delivery-detail", args=[delivery.pk])


def tried(delivery: Delivery, *, number: int = 1, status: int = 500) -> Attempt:
    is_good = 200 <= status < 300
    return Attempt.objects.create(
        delivery=delivery,
        subscription_id=delivery.subscription_id,
        number=number,
        started_at=timezone.now(),
        duration_ms=84,
        outcome=AttemptOutcome.DELIVERED if is_good else AttemptOutcome.FAILED,
        status_code=status,
        error_class="" if is_good else "http_status",
        response_excerpt="so it said",
    )


# Finding


def test_nobody_finds_events_without_signing_in() -> None:
    event = factories.make_event()
    for page in (PAGE, page_of(event)):
        answer = Client().get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("governance:sign-in"))


def test_stranger_finds_no_event_that_concerns_other_teams(stranger: Client) -> None:
    event = factories.make_event()
    assert stranger.get(page_of(event)).status_code == 404
    assert event.event_id not in stranger.get(PAGE).content.decode()


def test_publishers_team_finds_its_own_events() -> None:
    team = factories.make_team("sales")
    event = factories.make_event(application=factories.make_application(team=team))
    alice = signed_in(factories.make_person("alice", team=team))
    assert event.event_id in alice.get(PAGE).content.decode()
    assert alice.get(page_of(event)).status_code == 200


@pytest.mark.parametrize("what", ["event_id", "subject", "correlation_id", "trace_parent", "pk"])
def test_event_is_found_by_whatever_names_it(support: Client, what: str) -> None:
    wanted, other = factories.make_event(), factories.make_event()
    Event.objects.filter(pk=wanted.pk).update(
        subject="A-20103", trace_parent=f"00-{'ab' * 16}-{'cd' * 8}-01"
    )
    wanted.refresh_from_db()
    found = support.get(PAGE, {"q": str(getattr(wanted, what))}).content.decode()
    assert wanted.event_id in found
    assert other.event_id not in found


def test_trace_id_alone_finds_its_events(support: Client) -> None:
    event = factories.make_event()
    trace = event.trace_parent.split("-")[1]
    assert event.event_id in support.get(PAGE, {"q": trace}).content.decode()


def test_list_is_narrowed_by_type_source_publisher_status_and_subscription(
    support: Client,
) -> None:
    event, other = factories.make_event(), factories.make_event()
    Event.objects.filter(pk=event.pk).update(source="/shop/berlin")
    delivery = factories.make_delivery(event, status=DeliveryStatus.DEAD)
    for query in (
        {"type": event.type.name},
        {"source": "/shop/berlin"},
        {"application": event.application.slug},
        {"status": "dead"},
        {"subscription": delivery.subscription.number},
    ):
        found = support.get(PAGE, query).content.decode()
        assert event.event_id in found, query
        assert other.event_id not in found, query


def test_list_is_narrowed_by_time_in_the_viewers_zone(support: Client) -> None:
    event = factories.make_event()
    local = timezone.localtime(timezone.now())
    later = (local + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    earlier = (local - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert event.event_id not in support.get(PAGE, {"since": later}).content.decode()
    assert event.event_id in support.get(PAGE, {"since": earlier, "until": later}).content.decode()


def test_staging_and_production_never_mix(support: Client) -> None:
    event = factories.make_event(environment="staging")
    assert event.event_id not in support.get(PAGE).content.decode()
    assert event.event_id in support.get(PAGE, {"environment": "staging"}).content.decode()


def test_long_list_goes_on_by_cursor(
    support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    _subscription, version = make_world("http://127.0.0.1:9/")
    events = make_events(version, 60)
    with django_assert_max_num_queries(MOST_QUERIES):
        first = support.get(PAGE)
    assert len(first.context["rows"]) == 50
    rest = support.get(PAGE, {"after": first.context["next"]})
    assert [event for event, _ in rest.context["rows"]] == list(reversed(events[:10]))
    assert rest.context["next"] == ""


def test_nonsense_in_the_query_is_no_error(support: Client) -> None:
    factories.make_event()
    for query in ({"after": "x"}, {"since": "never"}, {"subscription": "x"}, {"status": "odd"}):
        assert support.get(PAGE, query).status_code == 200


# A life


def test_life_tells_arrival_failure_and_what_routing_left_out(support: Client) -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    [event] = make_events(version)
    delivery = factories.make_delivery(
        event, subscription=subscription, status=DeliveryStatus.DELIVERED, ended_at=timezone.now()
    )
    tried(delivery, number=1, status=503)
    tried(delivery, number=2, status=204)
    picky = factories.make_subscription(
        topic=subscription.topic, name="Big orders", filter={"subject": "never"}
    )
    page = support.get(page_of(event)).content.decode()
    assert f"Try 1 at {subscription.name} failed: 503" in page
    assert f"Arrived at {subscription.name}" in page
    assert picky.name in page
    assert "Received from" in page


def test_retry_that_is_still_to_come_stands_in_the_life(support: Client) -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    [event] = make_events(version)
    [pk] = owe(subscription, [event], due_at=timezone.now() + timedelta(minutes=5), attempts=1)
    tried(Delivery.objects.get(pk=pk))
    page = support.get(page_of(event)).content.decode()
    assert f"Next try at {subscription.name}" in page


def test_life_links_cause_and_effect_both_ways(support: Client) -> None:
    cause = factories.make_event()
    effect = factories.make_event()
    Event.objects.filter(pk=effect.pk).update(causation_id=cause.event_id)
    assert page_of(effect) in support.get(page_of(cause)).content.decode()
    assert page_of(cause) in support.get(page_of(effect)).content.decode()


def test_sensitive_fields_are_masked_for_support_and_shown_to_the_owner(support: Client) -> None:
    team = factories.make_team("sales")
    event = factories.make_event(application=factories.make_application(team=team))
    page = support.get(page_of(event)).content.decode()
    assert "ada@example.com" not in page
    assert "A-1001" in page
    assert "masked" in page
    owner = signed_in(factories.make_person("alice", team=team))
    assert "ada@example.com" in owner.get(page_of(event)).content.decode()


def test_event_outlives_its_data(support: Client) -> None:
    from delivery.models import Payload  # noqa: PLC0415 - only here

    event = factories.make_event()
    Payload.objects.filter(event_id=event.pk).delete()
    page = support.get(page_of(event))
    assert page.status_code == 200
    assert "no longer kept" in page.content.decode()


def test_life_costs_the_same_for_one_delivery_and_for_many(
    support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    [event] = make_events(version)
    for _ in range(12):
        tried(factories.make_delivery(event, subscription=subscription))
    support.get(page_of(event))  # what governance says is read once
    with django_assert_max_num_queries(MOST_QUERIES):
        assert support.get(page_of(event)).status_code == 200


# A delivery


def test_delivery_is_shown_to_the_receivers_team_and_no_stranger(stranger: Client) -> None:
    delivery = factories.make_delivery()
    assert Client().get(delivery_page(delivery)).status_code == 302
    assert stranger.get(delivery_page(delivery)).status_code == 404
    team = delivery.subscription.application.team
    assert signed_in(factories.make_person(team=team)).get(delivery_page(delivery)).status_code == (
        200
    )


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (DeliveryStatus.PENDING, "waits for"),
        (DeliveryStatus.DELIVERED, "arrived at"),
        (DeliveryStatus.DEAD, "has not reached"),
        (DeliveryStatus.SKIPPED, "is not sent to"),
        (DeliveryStatus.DISCARDED, "is not sent to"),
    ],
)
def test_delivery_says_in_words_how_it_stands(
    support: Client,
    status: str,
    says: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    ended = None if status == DeliveryStatus.PENDING else timezone.now()
    delivery = factories.make_delivery(status=status, ended_at=ended)
    tried(delivery)
    with django_assert_max_num_queries(MOST_QUERIES):
        page = support.get(delivery_page(delivery))
    assert page.status_code == 200
    assert says in page.content.decode()


def test_request_is_shown_as_curl_without_its_secrets(support: Client) -> None:
    from delivery.endpoints import Credentials, sealed  # noqa: PLC0415 - only here
    from delivery.models import Endpoint  # noqa: PLC0415 - only here

    delivery = factories.make_delivery()
    endpoint = delivery.subscription.endpoint
    assert endpoint is not None
    Endpoint.objects.filter(pk=endpoint.pk).update(
        sealed_auth=sealed(Credentials(headers={"x-token": "very-secret"}))
    )
    page = support.get(delivery_page(delivery)).content.decode()
    assert "very-secret" not in page
    assert "x-token" in page
    assert "curl -X POST" in page
    assert "ada@example.com" not in page


def test_discarding_ends_the_delivery_with_its_reason_and_an_entry(support: Client) -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    [pk] = owe(subscription, make_events(version))
    page = reverse("delivery:delivery-discard", args=[pk])
    assert support.post(page, {"reason": ""}).status_code == 200
    assert "a long story" in support.post(page, {"reason": "a long story" * 40}).content.decode()
    assert Delivery.objects.get(pk=pk).status == DeliveryStatus.PENDING
    support.post(page, {"reason": "Booked by hand."})
    ended = Delivery.objects.get(pk=pk)
    assert (ended.status, ended.reason) == (DeliveryStatus.DISCARDED, "Booked by hand.")
    assert not QueueRow.objects.filter(pk=pk).exists()
    assert LedgerEntry.objects.filter(action="delivery:discard").count() == 1
    assert support.post(page, {"reason": "Again."}).status_code == 409


def test_stranger_discards_nothing(stranger: Client) -> None:
    delivery = factories.make_delivery()
    page = reverse("delivery:delivery-discard", args=[delivery.pk])
    assert stranger.post(page, {"reason": "no"}).status_code == 404


def test_publish_command_can_be_pasted(support: Client) -> None:
    event = factories.make_event()
    page = support.get(page_of(event))
    body = page.context["command"].split("--data-raw '", 1)[1].removesuffix("'")
    document = json.loads(body)
    assert document["id"] == event.event_id
    assert document["data"]["order_id"] == "A-1001"


def test_life_tells_of_replays_that_made_no_delivery_yet_or_never(support: Client) -> None:
    target, version = make_world("http://127.0.0.1:9/hook")
    [event] = make_events(version)
    waits, done = factories.make_replay(), factories.make_replay()
    Replay.objects.filter(pk=waits.pk).update(state="awaiting_approval")
    ReplayItem.objects.create(replay=waits, event_id=event.pk, subscription=target)
    ReplayItem.objects.create(
        replay=done,
        event_id=event.pk,
        subscription=target,
        refused="no_grant",
        result="refused",
        ended_at=timezone.now(),
    )
    told = text_of(support.get(page_of(event)))
    assert f"Replay {waits} was ordered" in told
    assert "A second person has to approve the replay." in told
    assert f"{done} left out {target.name}" in told
    assert "The application has no grant for the topic." in told
    owner = signed_in(factories.make_person(team=event.application.team))
    assert str(waits) not in text_of(owner.get(page_of(event)))


def test_timeline_begins_with_what_the_event_was_made_of(support: Client) -> None:
    cause = factories.make_event()
    effect = factories.make_event(event_type=cause.type)
    Event.objects.filter(pk=effect.pk).update(causation_id=cause.event_id)
    [first, *_others] = support.get(page_of(effect)).context["moments"]
    assert first["title"] == f"{cause.type.title} came first"
    assert first["url"] == page_of(cause)


def test_routing_names_whom_it_left_out_and_why(support: Client) -> None:
    event = factories.make_event()
    left = factories.make_subscription(topic=event.type.topic, name="Came too late")
    told = {one["title"]: one["text"] for one in support.get(page_of(event)).context["moments"]}
    assert f"{left.name}: " in str(told["Routed"])
