"""Hooks, as workflow builders subscribe by them."""

from __future__ import annotations

import pytest

from delivery.models import Subscription
from tests import factories
from tests.asking import PROBLEM, make_machine, pointers
from tests.delivery.api.shop import TYPE, URL, Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("member", ["target_url", "hookUrl"])
def test_a_builder_subscribes_by_a_hook_and_ends_it_again(shop: Shop, member: str) -> None:
    made = shop.machine.post("hooks", {member: URL, "event_type": TYPE, "extra": 1})
    assert made.status_code == 201
    assert set(made.json()) == {"id", "secret"}
    assert made.json()["secret"].startswith("whsec_")
    subscription = Subscription.objects.get(pk=made.json()["id"])
    assert (subscription.is_hook, subscription.event_types) == (True, [TYPE])

    assert shop.machine.delete(f"hooks/{subscription.pk}").status_code == 204
    assert shop.machine.delete(f"hooks/{subscription.pk}").status_code == 404


def test_subscribing_again_answers_the_hook_that_stands(shop: Shop) -> None:
    wish = {"hookUrl": URL, "event_type": TYPE, "filter": {"exact": {"subject": "EU"}}}
    first = shop.machine.post("hooks", wish).json()
    assert shop.machine.post("hooks", wish).json() == first


def test_what_a_hook_lacks_is_said_at_the_member_that_the_builder_sent(shop: Shop) -> None:
    assert pointers(shop.machine.post("hooks", {"event_type": TYPE})) == {"/target_url"}
    private = shop.machine.post("hooks", {"hookUrl": "http://10.0.0.1/x", "event_type": TYPE})
    assert private.status_code == 422
    assert pointers(private) == {"/target_url"}
    unknown = shop.machine.post("hooks", {"hookUrl": URL, "event_type": "com.acme.no.such"})
    assert (unknown.status_code, unknown["Content-Type"]) == (404, PROBLEM)


def test_another_application_may_not_end_a_hook(shop: Shop) -> None:
    made = shop.machine.post("hooks", {"target_url": URL, "event_type": TYPE}).json()
    assert make_machine().delete(f"hooks/{made['id']}").status_code == 404


def test_samples_are_a_plain_list_of_whole_events(shop: Shop) -> None:
    (example,) = shop.machine.get("hooks/sample", event_type=TYPE).json()
    assert example["data"] == factories.SAMPLE
    factories.make_event(
        event_type=shop.event_type, application=shop.machine.application, data={"order_id": "A-7"}
    )
    (latest,) = shop.machine.get("hooks/sample", event_type=TYPE).json()
    assert (latest["type"], latest["data"]) == (TYPE, {"order_id": "A-7"})
