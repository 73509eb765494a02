"""What Signalbox says of itself on its own topic: once, in its contract, and never in circles."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from catalog import schemas
from catalog.models import EventType, Region, Topic
from delivery import knowledge, portal_contracts, portal_events, signals
from delivery.models import Circuit, Delivery, Event, Notification, PortalEvent, Subscription
from delivery.portal_contracts import PortalEventType
from governance import deprecations, grants, portal_topic, roles
from governance.models import Grant, LedgerHead
from tests import factories
from tests.visitors import signed_in

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


def opened(subscription: Subscription) -> None:
    signals.circuit_opened.send(Circuit, thing=subscription, by=None, now=NOW)


def flow_on_it() -> Subscription:
    """Return the subscription of a flow that reacts to what the portal says."""
    portal_events.ensure_topic(now=NOW)
    return factories.make_subscription(topic=Topic.objects.get(name=portal_topic.NAME))


def test_topic_is_made_once_and_kept_as_people_left_it() -> None:
    portal_events.ensure_topic(now=NOW)
    entries = LedgerHead.objects.get().number
    portal_events.ensure_topic(now=NOW)
    assert LedgerHead.objects.get().number == entries
    assert Topic.objects.get().is_restricted
    assert set(EventType.objects.values_list("name", flat=True)) == set(PortalEventType)
    grant = Grant.objects.filter(environment="staging").get()
    grants.revoke(grant, by=factories.make_admin(), reason="Not here.", now=NOW)
    portal_events.ensure_topic(now=NOW)
    assert not Grant.objects.in_force(NOW).filter(environment="staging").exists()


def test_an_empty_installation_gets_a_place_for_its_publisher() -> None:
    assert not Region.objects.exists()
    assert portal_events.ensure_topic(now=NOW).region.pk == "here"


@pytest.mark.parametrize(
    "contract", list(portal_contracts.contracts()), ids=lambda one: str(one.name)
)
def test_every_example_keeps_its_contract(contract: portal_topic.Contract) -> None:
    validator = schemas.validator_for(contract.document)
    assert list(validator.iter_errors(json.loads(contract.example))) == []


def test_circuit_that_opens_reaches_a_flow() -> None:
    flow = flow_on_it()
    failing = factories.make_subscription()
    opened(failing)
    assert not Event.objects.exists()  # nothing is published within the fact's transaction
    assert portal_events.publish_waiting(now=NOW) == 1
    event = Event.objects.get()
    assert event.type.name == PortalEventType.CIRCUIT_OPENED
    assert event.subject == f"subscriptions/{failing.number}"
    assert Delivery.objects.get().subscription == flow
    waiting = PortalEvent.objects.get()
    assert (waiting.ended_at, waiting.refusal) == (NOW, "")


def test_flapping_says_it_once_an_hour() -> None:
    flow_on_it()
    failing = factories.make_subscription()
    for _ in range(5):
        opened(failing)
        portal_events.publish_waiting(now=NOW)
    assert Event.objects.count() == 1
    later = NOW + timedelta(hours=1)
    signals.circuit_opened.send(Circuit, thing=failing, by=None, now=later)
    portal_events.publish_waiting(now=later)
    assert Event.objects.count() == 2


def test_trouble_of_a_flow_on_it_never_comes_back_to_the_flow() -> None:
    flow = flow_on_it()
    opened(flow)
    signals.failure_opened.send(Circuit, thing=factories.make_failure_group(flow), by=None, now=NOW)
    assert not PortalEvent.objects.exists()
    assert portal_events.publish_waiting(now=NOW) == 0


def test_fact_that_is_taken_back_says_nothing() -> None:
    failing = factories.make_subscription()
    with transaction.atomic():
        opened(failing)
        transaction.set_rollback(True)
    assert not PortalEvent.objects.exists()


def test_refusal_is_kept_and_not_tried_for_ever() -> None:
    flow_on_it()
    grant = Grant.objects.in_force(NOW).get(verb="publish", environment="production")
    grants.revoke(grant, by=factories.make_admin(), reason="Too much noise.", now=NOW)
    opened(factories.make_subscription())
    assert portal_events.publish_waiting(now=NOW) == 0
    assert PortalEvent.objects.get().refusal.startswith("no-grant")
    assert not portal_events.is_any_waiting()


def test_every_fact_is_said_within_its_contract() -> None:
    flow_on_it()
    group = factories.make_failure_group()
    thing = group.subscription
    signals.failure_opened.send(Circuit, thing=group, by=None, now=NOW)
    opened(thing)
    signals.circuit_closed.send(Circuit, thing=thing, by=None, now=NOW)
    signals.delivery_failing.send(Subscription, thing=thing, by=None, now=NOW, attempts=4)
    signals.endpoint_failing.send(Circuit, thing=thing, by=None, now=NOW, percent=50)
    signals.subscription_disabled.send(Subscription, thing=thing, by=None, now=NOW)
    waiting = PortalEvent.objects.count()
    assert portal_events.publish_waiting(now=NOW) == waiting == 6


def test_grant_about_to_end_is_told_once_for_each_reminder() -> None:
    flow_on_it()
    grant = factories.make_grant(until=NOW + timedelta(days=10))
    assert grant.application is not None
    owner = factories.make_person("alice", team=grant.application.team)
    factories.make_grant(until=NOW + timedelta(days=40))  # nothing to say yet
    told = []
    for days in (0, 1, 7.5, 9.5):
        now = NOW + timedelta(days=days)
        grants.remind(now=now)
        grants.remind(now=now)
        told.append(Notification.objects.filter(user=owner, kind="grant-ending").count())
    assert told == [1, 1, 2, 3]
    assert PortalEvent.objects.filter(type=PortalEventType.GRANT_ENDING).count() == 3
    assert portal_events.publish_waiting(now=NOW) == 3


def test_version_about_to_end_is_told_to_who_pinned_it_once_for_each_reminder() -> None:
    flow_on_it()
    event_type = factories.make_event_type(topic=factories.make_topic())
    version = factories.make_version(
        event_type=event_type,
        live_in=(),
        deprecated_in=["production"],
        sunset_at=NOW + timedelta(days=20),
    )
    pinned = factories.make_subscription(topic=event_type.topic, version_pin=version.major)
    owner = factories.make_person("alice", team=pinned.application.team)
    stranger = factories.make_person("bob")
    told = []
    for days in (0, 1, 14, 19.5, 21):
        deprecations.remind(now=NOW + timedelta(days=days))
        told.append(Notification.objects.filter(user=owner, kind="sunset").count())
    assert told == [1, 1, 2, 3, 3]
    assert not Notification.objects.filter(user=stranger, kind="sunset").exists()
    assert portal_events.publish_waiting(now=NOW) == 3


def test_who_has_no_grant_does_not_see_it() -> None:
    portal_events.ensure_topic(now=NOW)
    page = reverse("catalog:topic-detail", args=[portal_topic.NAME])
    assert signed_in(factories.make_person(role=roles.CITIZEN)).get(page).status_code == 404
    assert signed_in(factories.make_person(role=roles.SUPPORT)).get(page).status_code == 200
