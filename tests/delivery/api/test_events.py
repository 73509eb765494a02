"""Events and deliveries by the machine API: what became of them, and for whom."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from delivery import knowledge
from delivery.models import RoutingDecision
from delivery.states import RuleEffect
from governance import roles
from tests import factories
from tests.asking import make_machine, person, pointers
from tests.delivery import owing
from tests.delivery.api.shop import TYPE, Shop, arrive

pytestmark = pytest.mark.django_db


def test_an_event_is_found_by_id_and_source_with_all_that_became_of_it(shop: Shop) -> None:
    subscription = shop.subscription()
    event = factories.make_event(event_type=shop.event_type)
    delivery = arrive(subscription, event)
    found = shop.machine.get("events", id=event.event_id, source=event.source).json()["results"]
    assert len(found) == 1
    story = found[0]
    assert story["id"] == str(event.pk)
    assert (story["envelope"]["id"], story["envelope"]["source"]) == (event.event_id, "/tests")
    assert story["envelope"]["data"]["order_id"] == "A-1001"
    (told,) = story["deliveries"]
    assert (told["id"], told["status"], told["subscription"], told["reason"]) == (
        str(delivery.pk),
        "delivered",
        str(subscription.pk),
        "",
    )
    assert [one["status_code"] for one in told["attempts"]] == [200]
    assert shop.machine.get(f"events/{event.pk}").json() == story


def test_an_event_tells_what_rules_decided_and_who_was_left_out(shop: Shop) -> None:
    mine = shop.subscription()
    left_out = shop.subscription(filter={"exact": {"subject": "never"}})
    others = factories.make_subscription(topic=shop.topic)
    event = factories.make_event(event_type=shop.event_type)
    arrive(mine, event)
    rule = factories.make_rule(shop.topic, concerns_subscription=mine)
    for to in (mine, others):
        RoutingDecision.objects.create(
            event=event, subscription=to, rule=rule, rule_version=2, effect=RuleEffect.ALLOWED
        )
    knowledge.refresh()

    told = shop.machine.get(f"events/{event.pk}/routing").json()
    (decision,) = told["decisions"]
    assert (decision["subscription"], decision["effect"]) == (str(mine.pk), "allowed")
    assert (decision["rule_version"], "version 2" in decision["sentence"]) == (2, True)
    assert shop.machine.get(f"events/{event.pk}").json()["decisions"] == [decision]
    reasons = {one["subscription"]: one["sentence"] for one in told["left_out"]}
    assert set(reasons) == {str(left_out.pk)}
    assert "filter" in reasons[str(left_out.pk)]

    admin = person(factories.make_person(role=roles.ADMIN))
    whole = admin.get(f"events/{event.pk}/routing").json()
    assert [one["rule"] for one in whole["decisions"]] == [str(rule.pk)] * 2
    assert make_machine().get(f"events/{event.pk}/routing").status_code == 404


def test_who_has_nothing_to_do_with_an_event_does_not_find_it(shop: Shop) -> None:
    event = factories.make_event(event_type=shop.event_type)
    stranger = make_machine()
    assert stranger.get("events", id=event.event_id).json()["results"] == []
    assert stranger.get(f"events/{event.pk}").status_code == 404


def test_sensitive_fields_are_masked_for_who_may_not_see_them(shop: Shop) -> None:
    event = factories.make_event(event_type=shop.event_type)
    support = person(factories.make_person(role=roles.SUPPORT))
    admin = person(factories.make_person(role=roles.ADMIN))
    masked = support.get(f"events/{event.pk}").json()
    assert masked["payload"] == "masked"
    assert "ada@example.com" not in json.dumps(masked)
    whole = admin.get(f"events/{event.pk}").json()
    assert (whole["payload"], whole["envelope"]["data"]["email"]) == ("whole", "ada@example.com")


def queries(shop: Shop, path: str) -> int:
    """Return how many a list ran; now and then one is of what is cached, and reads it anew."""
    with CaptureQueriesContext(connection) as captured:
        assert shop.machine.get(path).status_code == 200
    return len(captured)


def test_lists_of_events_and_deliveries_run_as_many_queries_for_many_rows(shop: Shop) -> None:
    subscription = shop.subscription()
    for path in ("events", "deliveries", "replays", "subscriptions"):
        counts = []
        for _round in range(2):
            for _each in range(3):
                arrive(subscription, factories.make_event(event_type=shop.event_type))
            replay = factories.make_replay(subscription)
            assert replay.matched == 0
            counts.append(min(queries(shop, path) for _again in range(3)))
        assert counts[1] <= counts[0] <= 14, path


def test_deliveries_are_filtered_by_how_they_stand(shop: Shop) -> None:
    subscription = shop.subscription()
    (tried, fresh) = owing.make_events(shop.version, 2)
    (retrying,) = owing.owe(subscription, [tried], attempts=2)
    (pending,) = owing.owe(subscription, [fresh])
    dead = arrive(subscription, factories.make_event(event_type=shop.event_type), status="dead")

    def ids(**query: str) -> set[str]:
        answer = shop.machine.get("deliveries", **query)
        assert answer.status_code == 200
        return {one["id"] for one in answer.json()["results"]}

    assert ids(status="retrying") == {str(retrying)}
    assert ids(status="pending") == {str(pending)}
    assert ids(status="dead") == {str(dead.pk)}
    assert len(ids(subscription=str(subscription.pk), event_type=TYPE)) == 3
    assert ids(until="2020-01-01T00:00:00Z") == set()
    one = shop.machine.get(f"deliveries/{retrying}").json()
    assert (one["status"], one["source"]) == ("retrying", "/shop")
    assert one["next_attempt_at"].endswith("Z")
    tries = shop.machine.get(f"deliveries/{dead.pk}/attempts").json()["results"]
    assert [(t["number"], t["duration_ms"]) for t in tries] == [(1, 12)]
    assert make_machine().get(f"deliveries/{dead.pk}/attempts").status_code == 404


def test_support_discards_a_delivery_with_a_reason_and_a_machine_may_not(shop: Shop) -> None:
    subscription = shop.subscription()
    (pk,) = owing.owe(subscription, owing.make_events(shop.version, 1))
    support = person(factories.make_person(role=roles.SUPPORT))
    where = f"deliveries/{pk}/discard"
    assert pointers(support.post(where)) == {"/reason"}
    assert shop.machine.post(where, {"reason": "x"}).status_code == 403
    done = support.post(where, {"reason": "A test order."})
    assert (done.status_code, done.json()["status"]) == (200, "discarded")
    again = support.post(where, {"reason": "A test order."})
    assert again.status_code == 409
