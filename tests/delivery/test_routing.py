"""To whom an event goes, to whom not, and that both are told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from delivery import backlogs, knowledge, recording, routing, subscriptions
from delivery.cloudevents import Envelope, ExtensionValue
from delivery.models import Delivery, Event, FilteredCount, QueueRow, Subscription
from delivery.states import DeliveryStatus, SkipReason
from delivery.verdicts import Verdict
from governance.governed import governed
from tests import factories
from tests.delivery.publishers import Shop, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def verdicts(shop: Shop) -> dict[int, str]:
    """Publish an event and return what its page says of each subscription, by number."""
    shop.publish()
    event = Event.objects.with_names().latest("id")
    found = routing.explain(event, now=timezone.now())
    assert all(choice.sentence for choice in found)
    return {choice.subscription.number: str(choice.verdict) for choice in found}


def test_every_subscription_of_the_topic_gets_a_row(shop: Shop) -> None:
    made = [factories.make_subscription(topic=shop.topic) for _ in range(3)]
    factories.make_subscription()
    assert shop.publish().deliveries == 3
    assert set(Delivery.objects.values_list("subscription_id", flat=True)) == {
        one.pk for one in made
    }
    assert QueueRow.objects.count() == 3


def test_environments_do_not_mix(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic, environment="staging")
    assert shop.publish().deliveries == 0
    assert not Delivery.objects.exists()


def test_types_and_pins_pick_without_a_row(shop: Shop) -> None:
    other = factories.make_event_type(topic=shop.topic)
    wants_other = factories.make_subscription(topic=shop.topic, event_types=[other.name])
    pinned = factories.make_subscription(topic=shop.topic, version_pin=2)
    fits = factories.make_subscription(
        topic=shop.topic, event_types=[shop.event_type.name], version_pin=1
    )
    assert verdicts(shop) == {
        wants_other.number: Verdict.OTHER_TYPE,
        pinned.number: Verdict.OTHER_VERSION,
        fits.number: Verdict.DELIVER,
    }
    assert Delivery.objects.get().subscription == fits


def test_what_a_filter_leaves_out_is_counted_and_makes_no_row(shop: Shop) -> None:
    picky = factories.make_subscription(topic=shop.topic, filter={"jmespath": "amount > `100`"})
    assert verdicts(shop) == {picky.number: Verdict.FILTERED}
    shop.publish()
    assert not Delivery.objects.exists()
    assert sum(FilteredCount.objects.values_list("count", flat=True)) == 2
    assert set(FilteredCount.objects.values_list("subscription_id", flat=True)) == {picky.pk}


def test_a_duplicate_is_not_counted_as_filtered_again(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic, filter={"exact": {"subject": "never"}})
    sent = shop.envelope()
    shop.publish(sent)
    shop.publish(sent)
    assert FilteredCount.objects.get().count == 1


def test_without_a_grant_the_delivery_is_skipped_and_says_so(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic, is_granted=False)
    assert verdicts(shop) == {made.number: Verdict.SKIP}
    skipped = Delivery.objects.get()
    assert (skipped.status, skipped.reason) == (DeliveryStatus.SKIPPED, SkipReason.NO_GRANT)
    assert skipped.ended_at is not None
    assert not QueueRow.objects.exists()


def test_an_event_never_goes_to_an_endpoint_outside_its_regions(shop: Shop) -> None:
    us = factories.make_region("us", name="United States")
    inside = factories.make_subscription(topic=shop.topic)
    outside = factories.make_subscription(factories.make_application(region=us), topic=shop.topic)
    sent = shop.envelope(extensions={"regions": "eu"})
    assert shop.publish(sent).deliveries == 1
    rows = dict(Delivery.objects.values_list("subscription_id", "status"))
    assert rows == {inside.pk: DeliveryStatus.PENDING, outside.pk: DeliveryStatus.SKIPPED}
    assert Delivery.objects.get(subscription=outside).reason == SkipReason.RESIDENCY
    assert Event.objects.get().regions == ["eu"]


def test_a_bound_topic_keeps_every_event_inside() -> None:
    shop = make_shop(regions=["eu"])
    us = factories.make_region("us", name="United States")
    factories.make_subscription(factories.make_application(region=us), topic=shop.topic)
    assert shop.publish().deliveries == 0
    assert Delivery.objects.get().reason == SkipReason.RESIDENCY


def test_a_chain_of_causes_is_stopped_at_the_limit_and_shown(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    cause = ""
    counts = []
    for _ in range(19):
        extensions: dict[str, ExtensionValue] = {"causationid": cause} if cause else {}
        sent = shop.envelope(extensions=extensions)
        counts.append(shop.publish(sent).deliveries)
        cause = sent.id
    assert counts == [1] * 17 + [0] * 2
    last = Event.objects.latest("id")
    assert last.hops == 17
    stopped = Delivery.objects.get(event=last)
    assert (stopped.status, stopped.reason) == (DeliveryStatus.SKIPPED, SkipReason.HOP_LIMIT)


def test_a_huge_number_of_hops_is_stopped_and_not_an_error(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    assert shop.publish(shop.envelope(extensions={"hops": 2_000_000_000})).deliveries == 0


def test_only_ordered_subscriptions_carry_the_key() -> None:
    shop = make_shop(ordering_key="order_id")
    ordered = factories.make_subscription(topic=shop.topic, is_ordered=True)
    factories.make_subscription(topic=shop.topic)
    shop.publish()
    keys = dict(QueueRow.objects.values_list("subscription_id", "order_key"))
    assert keys.pop(ordered.pk) == "A-1001"
    assert set(keys.values()) == {None}


def test_events_that_come_together_are_owed_in_their_order() -> None:
    shop = make_shop(ordering_key="partitionkey")
    factories.make_subscription(topic=shop.topic, is_ordered=True)
    events = [
        shop.prepare(shop.envelope(id=str(number), extensions={"partitionkey": "a"}))
        for number in range(30)
    ]
    owed = json.loads(recording.parameters(events, {})["owed"])
    assert [row["event_id"] for row in sorted(owed, key=lambda row: row["id"])] == [
        str(event.id) for event in events
    ]


def test_paused_and_disabled_subscriptions_go_on_collecting(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic)
    owner = factories.make_person(team=made.application.team)
    subscriptions.pause(made, by=owner, now=timezone.now())
    shop.publish()
    assert backlogs.of_one(made).count == 1


def test_an_ended_subscription_gets_nothing_more(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic)
    with governed(by=None, now=timezone.now()):
        standing = Subscription.objects.get(pk=made.pk)
        standing.ended_at = timezone.now() - timedelta(seconds=1)
        standing.save()
    assert shop.publish().deliveries == 0


def test_the_explanation_of_a_filter_names_the_attribute(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic, filter={"exact": {"subject": "EU"}})
    shop.publish(shop.envelope(subject="US"))
    (choice,) = routing.explain(Event.objects.with_names().get(), now=timezone.now())
    assert "subject" in choice.sentence
    assert "US" in choice.sentence


def test_an_event_without_data_is_routed_and_explained(shop: Shop) -> None:
    event_type = factories.make_event_type(topic=shop.topic)
    factories.make_version(event_type=event_type, document=True)
    factories.make_subscription(topic=shop.topic)
    shop.publish(Envelope(id="1", source="/shop", type=event_type.name))
    (choice,) = routing.explain(Event.objects.with_names().get(), now=timezone.now())
    assert choice.verdict == Verdict.DELIVER
