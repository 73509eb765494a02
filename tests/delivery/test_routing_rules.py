"""A rule in force sends an event elsewhere, within grants and regions, and leaves a record."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from delivery import knowledge, recording, routing
from delivery.models import Delivery, Event, QueueRow, RoutingDecision, RoutingRule
from delivery.states import DeliveryStatus, RuleAction, RuleEffect, SkipReason
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


def outcome(shop: Shop) -> dict[int, str]:
    """Publish an event; return what became of it, by the number of the subscription."""
    shop.publish()
    event = Event.objects.latest("id")
    rows = Delivery.objects.filter(event=event).values_list(
        "subscription__number", "status", "reason"
    )
    return {number: reason or status for number, status, reason in rows}


def test_deny_leaves_a_skipped_row_and_the_decision(shop: Shop) -> None:
    kept = factories.make_subscription(topic=shop.topic)
    other = factories.make_subscription(topic=shop.topic)
    rule = factories.make_rule(shop.topic, concerns_subscription=kept)
    assert outcome(shop) == {kept.number: SkipReason.RULE, other.number: DeliveryStatus.PENDING}
    decision = RoutingDecision.objects.get()
    assert (decision.rule, decision.rule_version) == (rule, 1)
    assert (decision.subscription_id, decision.effect) == (kept.pk, RuleEffect.DENIED)
    assert not QueueRow.objects.filter(subscription_id=kept.pk).exists()


def test_send_also_reaches_a_filter_that_leaves_it_out(shop: Shop) -> None:
    archive = factories.make_subscription(topic=shop.topic, filter={"exact": {"subject": "never"}})
    factories.make_rule(shop.topic, action=RuleAction.SEND_ALSO, to_subscription=archive)
    assert outcome(shop) == {archive.number: DeliveryStatus.PENDING}
    assert RoutingDecision.objects.get().effect == RuleEffect.ADDED


def test_send_also_reaches_one_that_asked_for_another_type(shop: Shop) -> None:
    other = factories.make_event_type(topic=shop.topic)
    archive = factories.make_subscription(topic=shop.topic, event_types=[other.name])
    factories.make_rule(shop.topic, action=RuleAction.SEND_ALSO, to_subscription=archive)
    assert outcome(shop) == {archive.number: DeliveryStatus.PENDING}


def test_send_instead_replaces_one_by_an_application(shop: Shop) -> None:
    usual = factories.make_subscription(topic=shop.topic)
    fraud = factories.make_subscription(topic=shop.topic, event_types=["com.acme.none"])
    factories.make_rule(
        shop.topic,
        action=RuleAction.SEND_INSTEAD,
        concerns_subscription=usual,
        to_application=fraud.application,
        condition="amount > `50`",
    )
    assert outcome(shop) == {usual.number: SkipReason.RULE, fraud.number: DeliveryStatus.PENDING}
    small = shop.envelope(data={"order_id": "A-2", "amount": 1})
    shop.publish(small)
    (row,) = Delivery.objects.filter(event__event_id=small.id)
    assert row.subscription == usual


def test_send_to_still_asks_for_a_grant(shop: Shop) -> None:
    stranger = factories.make_subscription(
        topic=shop.topic, is_granted=False, event_types=["com.acme.none"]
    )
    factories.make_rule(shop.topic, action=RuleAction.SEND_ALSO, to_subscription=stranger)
    assert outcome(shop) == {stranger.number: SkipReason.NO_GRANT}


def test_send_to_still_keeps_events_in_their_regions() -> None:
    shop = make_shop(regions=["eu"])
    us = factories.make_region("us", name="United States")
    outside = factories.make_subscription(
        factories.make_application(region=us), topic=shop.topic, event_types=["com.acme.none"]
    )
    factories.make_rule(shop.topic, action=RuleAction.SEND_INSTEAD, to_subscription=outside)
    assert outcome(shop) == {outside.number: SkipReason.RESIDENCY}


def test_a_pinned_subscription_is_not_sent_another_version(shop: Shop) -> None:
    pinned = factories.make_subscription(topic=shop.topic, version_pin=2)
    factories.make_rule(shop.topic, action=RuleAction.SEND_ALSO, to_subscription=pinned)
    assert outcome(shop) == {}


def test_rules_of_another_environment_type_or_state_do_nothing(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic)
    factories.make_rule(shop.topic, environment="staging")
    factories.make_rule(shop.topic, is_active=False)
    factories.make_rule(shop.topic, event_types=["com.acme.other"])
    factories.make_rule(shop.topic, regions=["us"])
    factories.make_rule()
    assert outcome(shop) == {made.number: DeliveryStatus.PENDING}
    assert not RoutingDecision.objects.exists()


def test_the_order_of_positions_decides(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic)
    factories.make_rule(shop.topic, position=20)
    factories.make_rule(
        shop.topic, action=RuleAction.ALLOW, position=10, concerns_subscription=made
    )
    assert outcome(shop) == {made.number: DeliveryStatus.PENDING}


def test_a_changed_rule_holds_from_the_next_event_on(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic)
    rule = factories.make_rule(shop.topic)
    assert outcome(shop) == {made.number: SkipReason.RULE}
    with governed(by=None, now=timezone.now()):
        row = RoutingRule.objects.get(pk=rule.pk)
        row.is_active = False
        row.save()
    shop.publisher.passes.clear()  # a publisher lives no longer than the reading that made it
    assert outcome(shop) == {made.number: DeliveryStatus.PENDING}


def test_a_repeated_event_is_decided_once(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    factories.make_rule(shop.topic)
    envelope = shop.envelope(id="same")
    shop.publish(envelope)
    assert shop.publish(envelope).is_duplicate
    assert RoutingDecision.objects.count() == 1


def test_the_explanation_names_rule_and_version(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    rule = factories.make_rule(shop.topic, name="Nobody gets it", version=3)
    shop.publish()
    (choice,) = routing.explain(Event.objects.with_names().get(), now=timezone.now())
    assert (choice.verdict, choice.reason) == (Verdict.SKIP, SkipReason.RULE)
    for word in (str(rule), "Nobody gets it", "version 3"):
        assert word in choice.sentence


def test_judging_one_subscription_again_asks_all_rules(shop: Shop) -> None:
    usual = factories.make_subscription(topic=shop.topic)
    added = factories.make_subscription(topic=shop.topic, filter={"exact": {"subject": "x"}})
    shop.publish()
    event = Event.objects.with_names().get()

    def verdict(pk: object) -> tuple[Verdict, str]:
        known = knowledge.refresh()
        text = '{"order_id": "A", "amount": 1}'
        return routing.judge_again(known, event, text, pk, now=timezone.now())  # type: ignore[arg-type]  # a key

    assert verdict(usual.pk) == (Verdict.DELIVER, "")
    assert verdict(added.pk) == (Verdict.FILTERED, "")
    factories.make_rule(
        shop.topic,
        action=RuleAction.SEND_INSTEAD,
        concerns_subscription=usual,
        to_subscription=added,
    )
    assert verdict(usual.pk) == (Verdict.SKIP, SkipReason.RULE)
    assert verdict(added.pk) == (Verdict.DELIVER, "")


def test_without_rules_publishing_runs_one_statement_and_routing_none(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    known = knowledge.refresh()
    assert known.event_types[shop.event_type.name].rules == {}
    shop.publish()
    with CaptureQueriesContext(connection) as routed:
        prepared = shop.prepare(shop.envelope(), known=known)
    assert list(routed) == []
    assert recording.decisions([prepared], set()) is None
    with CaptureQueriesContext(connection) as queries:
        shop.publish()
    statements = [one["sql"] for one in queries if "INTO delivery_" in one["sql"]]
    assert len(statements) == 1
    assert "routingdecision" not in statements[0]


def test_one_statement_more_records_what_rules_decided_of_all_events(shop: Shop) -> None:
    for _number in range(3):
        factories.make_subscription(topic=shop.topic)
    factories.make_rule(shop.topic)
    shop.publish()
    with CaptureQueriesContext(connection) as queries:
        shop.publish()
    assert sum("INTO delivery_routingdecision" in one["sql"] for one in queries) == 1
    assert RoutingDecision.objects.count() == 6
