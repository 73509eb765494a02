"""A choice is tried on recorded events: what would have come, what not, and why."""

from __future__ import annotations

import json

import pytest
from django.utils import timezone

from catalog.models import User
from delivery import filters, knowledge, tryouts
from delivery.models import Subscription
from governance import roles
from tests import factories
from tests.delivery.publishers import Shop, make_shop
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def shop() -> Shop:
    """Return a shop with four orders: two large ones, with an address of their buyer."""
    made = make_shop()
    for amount in (10, 20, 100, 200):
        data = {"order_id": f"A-{amount}", "amount": amount, "email": "ada@example.com"}
        made.publish(made.envelope(subject=f"EU-{amount}", data=data))
    return made


@pytest.fixture
def owner(shop: Shop) -> User:
    return factories.make_person(team=shop.topic.owner)


def tried(shop: Shop, viewer: User, wanted: object, **fields: object) -> tryouts.TryOut:
    choice = tryouts.Choice(
        topic=shop.topic,
        environment="production",
        filter=wanted,
        **fields,  # type: ignore[arg-type]  # fields by name
    )
    return tryouts.of(choice, viewer=viewer, now=timezone.now())


def test_a_filter_is_tried_on_the_latest_events(shop: Shop, owner: User) -> None:
    found = tried(shop, owner, {"jmespath": "amount >= `100`"})
    assert (found.matched, found.total) == (2, 4)
    assert [trial.would_come for trial in found.trials] == [True, True, False, False]
    assert found.sentence.startswith("It would have received 2 of the last 4 events, because:")
    assert all(trial.sentence for trial in found.trials)


def test_attributes_types_and_pins_count_too(shop: Shop, owner: User) -> None:
    assert tried(shop, owner, {"prefix": {"subject": "EU-1"}}).matched == 2
    assert tried(shop, owner, None).matched == 4
    assert tried(shop, owner, None, event_types=("com.acme.other",)).matched == 0
    assert tried(shop, owner, None, version_pin=7).matched == 0


def test_events_whose_data_one_may_not_see_are_not_tried(shop: Shop) -> None:
    stranger = factories.make_person(team=factories.make_team())
    found = tried(shop, stranger, {"jmespath": "amount >= `100`"})
    assert (found.total, found.matched) == (0, 0)
    assert found.sentence == "No event is recorded here yet whose data you may see."


def test_a_condition_finds_nothing_out_about_masked_fields(shop: Shop, owner: User) -> None:
    wanted = {"jmespath": "email == 'ada@example.com'"}
    assert tried(shop, owner, wanted).matched == 4
    reviewer = factories.make_person(role=roles.REVIEWER)
    found = tried(shop, reviewer, wanted)
    assert (found.total, found.matched, found.is_masked) == (4, 0, True)


def test_a_topic_bound_to_regions_can_be_tried(owner: User) -> None:
    shop = make_shop(regions=["eu"])
    shop.publish(shop.envelope(extensions={"regions": "eu"}))
    viewer = factories.make_person(team=shop.topic.owner)
    assert tried(shop, viewer, None).matched == 1


def test_a_filter_that_cannot_be_read_is_refused(shop: Shop, owner: User) -> None:
    with pytest.raises(filters.InvalidFilter):
        tried(shop, owner, {"exact": 3})


def test_it_asks_as_many_questions_for_four_as_for_forty(
    shop: Shop, owner: User, django_assert_max_num_queries: object
) -> None:
    for _number in range(30):
        shop.publish()
    knowledge.refresh()
    with django_assert_max_num_queries(16):  # type: ignore[operator]  # a fixture
        assert tried(shop, owner, {"jmespath": "amount"}).total == 34


def test_the_edit_page_tries_without_saving(shop: Shop, owner: User) -> None:
    made = factories.make_subscription(topic=shop.topic, filter={"exact": {"subject": "x"}})
    browser = signed_in(factories.make_admin())
    page = text_of(browser.get(f"/subscriptions/{made.number}/edit/"))
    address = f"/subscriptions/try-out/?subscription={made.number}"
    assert address in page
    sent = {"field": "amount", "operator": "above", "value": "50"}
    answer = text_of(browser.post(address, sent, headers={"HX-Request": "true"}))
    assert "It would have received 2 of the last 4 events" in answer
    assert "<html" not in answer
    assert "<html" in text_of(browser.post(address, sent))
    assert Subscription.objects.get(pk=made.pk).filter == {"exact": {"subject": "x"}}


def test_the_wizard_tries_by_the_name_of_the_type(shop: Shop, owner: User) -> None:
    browser = signed_in(owner)
    sent = {"event_type": shop.event_type.name, "environment": "production", "filter": "{"}
    assert "This is not JSON" in text_of(browser.post("/subscriptions/try-out/", sent))
    sent["filter"] = json.dumps({"exact": {"subject": "EU-10"}})
    assert "received 1 of the last 4" in text_of(browser.post("/subscriptions/try-out/", sent))
    sent["filter"] = json.dumps({"exact": 3})
    assert "Name the attributes" in text_of(browser.post("/subscriptions/try-out/", sent))


def test_what_may_not_be_seen_cannot_be_tried(shop: Shop) -> None:
    made = factories.make_subscription(topic=shop.topic)
    stranger = signed_in(factories.make_person(team=factories.make_team()))
    address = f"/subscriptions/try-out/?subscription={made.number}"
    assert stranger.post(address, {}).status_code == 404
    assert stranger.post("/subscriptions/try-out/", {"event_type": "none"}).status_code == 404
    assert stranger.get("/subscriptions/try-out/").status_code == 405


def test_the_api_answers_counts_reasons_and_events(shop: Shop, owner: User) -> None:
    sent = {"topic": shop.topic.name, "filter": {"jmespath": "amount >= `100`"}}
    browser = signed_in(owner)
    door = "/api/v1/subscriptions/try-out"
    answer = browser.post(door, sent, content_type="application/json")
    assert answer.status_code == 200, text_of(answer)
    told = answer.json()
    assert (told["matched"], told["total"]) == (2, 4)
    assert told["reasons"][0]["count"] == 2
    assert {event["would_receive"] for event in told["events"]} == {True, False}
    for bad in ({}, {"topic": "none"}, {**sent, "filter": {"exact": 3}}, {**sent, "limit": 0}):
        assert browser.post(door, bad, content_type="application/json").status_code == 422
