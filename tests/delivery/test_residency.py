"""An event leaves its regions by no way: endpoint, fallback, rule, replay, test event, feed, page.

A refusal is a row that says why. Each way has its test here, with the real receiver where it ends
in a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import Application, Region
from delivery import feed, knowledge, pings, replays, subscriptions, targets
from delivery.dispatch import Engine
from delivery.models import Circuit, Delivery, Endpoint, Event, QueueRow, Subscription
from delivery.models.deliveries import NEVER
from delivery.replay_selections import Selection
from delivery.states import CircuitState, DeliveryMode, DeliveryStatus, SkipReason
from governance import access, topics
from governance.actions import Action
from governance.governed import governed
from tests import factories
from tests.delivery.owing import make_events, owe
from tests.delivery.publishers import Shop, make_shop
from tests.delivery.receiver import Receiver
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@dataclass(frozen=True, kw_only=True)
class World:
    """A shop in Europe, and a subscriber in America."""

    shop: Shop
    outside: Subscription
    application: Application


@pytest.fixture
def us() -> Region:
    return factories.make_region("us", name="United States")


@pytest.fixture
def world(receiver: Receiver, us: Region) -> World:
    shop = make_shop()
    application = factories.make_application(region=us)
    outside = factories.make_subscription(application, topic=shop.topic, url=receiver.url())
    return World(shop=shop, outside=outside, application=application)


def publish_for_europe(world: World) -> Event:
    world.shop.publish(world.shop.envelope(extensions={"regions": "eu"}))
    return Event.objects.with_names().latest("id")


def bind(shop: Shop) -> None:
    """Bind the topic to Europe, after its subscribers connected."""
    admin = factories.make_admin()
    topics.change(shop.topic, by=admin, now=timezone.now(), reason="The law.", regions=["eu"])


def end_of(subscription: Subscription) -> tuple[str, str]:
    row = Delivery.objects.get(subscription=subscription)
    return row.status, row.reason


KEPT = (DeliveryStatus.SKIPPED, SkipReason.RESIDENCY)


def test_a_marked_event_is_not_routed_out(world: World) -> None:
    publish_for_europe(world)
    assert end_of(world.outside) == KEPT
    assert not QueueRow.objects.exists()


def test_what_is_queued_when_the_topic_is_bound_does_not_go_out(
    world: World, engine: Engine, receiver: Receiver
) -> None:
    world.shop.publish()
    bind(world.shop)
    assert engine.drain(seconds=10) is False
    assert end_of(world.outside) == KEPT
    assert receiver.got == []


def test_a_fallback_in_another_region_is_not_used(
    world: World, engine: Engine, receiver: Receiver, us: Region
) -> None:
    inside = factories.make_subscription(topic=world.shop.topic, url="http://127.0.0.1:9/dead")
    with governed(by=None, now=timezone.now()):
        inside.fallback_endpoint = Endpoint.objects.create(
            application=inside.application,
            url=receiver.url(),
            region=us,
            changed_at=timezone.now(),
        )
        inside.save()
    Circuit.objects.filter(subscription=inside).update(
        state=CircuitState.OPEN,
        opened_at=timezone.now(),
        next_probe_at=timezone.now() + timedelta(hours=1),
    )
    target = targets.read(None, now=timezone.now()).targets[inside.pk]
    assert target.fallback is None
    publish_for_europe(world)
    engine.drain(seconds=5)
    assert receiver.got == []
    assert Delivery.objects.get(subscription=inside).status == DeliveryStatus.PENDING


def test_a_fallback_moves_with_its_endpoint(us: Region) -> None:
    made = factories.make_subscription(url="https://93.184.216.34/main")
    admin = factories.make_admin()
    change: dict[str, Any] = {"by": admin, "now": timezone.now()}
    made = subscriptions.change(made, fallback_url="https://93.184.216.34/second", **change)
    made = subscriptions.change(made, endpoint_region="us", **change)
    assert made.fallback_endpoint is not None
    made.fallback_endpoint.refresh_from_db()
    assert made.fallback_endpoint.region_id == "us"


@pytest.mark.parametrize("action", ["send_also", "send_instead"])
def test_no_rule_sends_it_out(world: World, action: str) -> None:
    factories.make_rule(world.shop.topic, action=action, to_subscription=world.outside)
    publish_for_europe(world)
    assert end_of(world.outside) == KEPT


def test_no_replay_sends_it_out(world: World) -> None:
    inside = factories.make_subscription(topic=world.shop.topic)
    event = publish_for_europe(world)
    delivery = Delivery.objects.get(event=event, subscription=inside)
    ended = {"status": DeliveryStatus.DELIVERED, "ended_at": timezone.now()}
    Delivery.objects.filter(pk=delivery.pk).update(**ended)
    seen = replays.preview(
        Selection(deliveries=(delivery.pk,)),
        environment="production",
        subscription=world.outside,
        by=factories.make_admin(),
        now=timezone.now(),
    )
    assert (seen.will_send, dict(seen.refused)) == (0, {"residency": 1})


def test_a_replay_under_way_when_the_topic_is_bound_is_stopped(
    world: World, engine: Engine, receiver: Receiver
) -> None:
    events = make_events(world.shop.version)
    owe(world.outside, events)
    QueueRow.objects.update(is_replay=True)
    bind(world.shop)
    engine.drain(seconds=10)
    assert end_of(world.outside) == KEPT
    assert receiver.got == []


def test_a_test_event_holds_nothing_that_happened(world: World, receiver: Receiver) -> None:
    publish_for_europe(world)
    bind(world.shop)
    admin = factories.make_admin()
    pings.ping(world.outside, by=admin, now=timezone.now())
    for got in receiver.got:
        assert b"A-1001" not in got.body


def make_feed(world: World) -> Subscription:
    return factories.make_subscription(
        world.application, topic=world.shop.topic, mode=DeliveryMode.PULL
    )


def test_a_feed_is_not_routed_what_is_marked(world: World) -> None:
    made = make_feed(world)
    publish_for_europe(world)
    assert end_of(made) == KEPT


def test_a_feed_hands_out_nothing_once_the_topic_is_bound(world: World) -> None:
    made = make_feed(world)
    world.shop.publish()
    bind(world.shop)
    made = Subscription.objects.with_names().get(pk=made.pk)
    account = world.application.service_account
    page = feed.read(made, by=account, now=timezone.now())
    assert page.items == ()
    assert end_of(made) == KEPT
    assert not QueueRow.objects.filter(subscription_id=made.pk).exists()


def test_a_feed_hands_out_what_may_leave_and_keeps_the_rest(world: World) -> None:
    made = make_feed(world)
    free, marked = make_events(world.shop.version), make_events(world.shop.version, regions=["eu"])
    owe(made, [*free, *marked], due_at=NEVER)
    account = world.application.service_account
    page = feed.read(made, by=account, now=timezone.now())
    assert [item.event_id for item in page.items] == [free[0].pk]
    kept = Delivery.objects.get(event=marked[0], subscription=made)
    assert (kept.status, kept.reason) == KEPT


def test_who_may_not_have_it_does_not_read_its_data_on_a_page(world: World) -> None:
    event = publish_for_europe(world)
    theirs = factories.make_person(team=world.application.team)
    service = world.application.service_account
    for who in (theirs, service):
        assert access.allows(who, Action.EVENT_VIEW, event)  # they see that it was kept away
        assert not access.allows(who, Action.PAYLOAD_VIEW, event)
        assert not access.allows(who, Action.SENSITIVE_VIEW, event)
    page = text_of(signed_in(theirs).get(f"/events/{event.pk}/"))
    assert "A-1001" not in page
    assert "The event is bound to other regions" in page
    told = signed_in(theirs).get(f"/api/v1/events/{event.pk}").json()
    assert "A-1001" not in str(told)
    assert told["deliveries"][0]["reason"] == SkipReason.RESIDENCY


def test_the_sample_of_a_type_shows_them_no_event_either(world: World) -> None:
    publish_for_europe(world)
    theirs = factories.make_person(team=world.application.team)
    name = world.shop.event_type.name
    page = text_of(signed_in(theirs).get(f"/catalog/events/{name}/"))
    assert "59.9" not in page or "A-1001" in str(world.shop.version.example)
