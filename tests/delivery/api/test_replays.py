"""Replays by the machine API."""

from __future__ import annotations

import pytest
from django.utils import timezone

from delivery.models import Replay
from tests import factories
from tests.asking import pointers
from tests.delivery.api.shop import Shop, arrive

pytestmark = pytest.mark.django_db


def test_a_replay_is_previewed_ordered_watched_and_cancelled(shop: Shop) -> None:
    subscription = shop.subscription()
    dead = arrive(subscription, factories.make_event(event_type=shop.event_type), status="dead")
    since = timezone.now().replace(hour=0, minute=0).isoformat()
    wish: dict[str, object] = {
        "filter": {"subscription": str(subscription.pk), "since": since, "status": "dead"},
        "reason": "The receiver was mended.",
        "dry_run": True,
    }
    tried = shop.machine.post("replays", wish)
    assert (tried.status_code, tried.json()["matched"], tried.json()["id"]) == (200, 1, None)
    assert not Replay.objects.exists()

    made = shop.machine.post("replays", {**wish, "dry_run": False})
    assert made.status_code == 201
    assert (made.json()["matched"], made.json()["status"]) == (1, "queued")
    watched = shop.machine.get(f"replays/{made.json()['id']}").json()
    assert (watched["waiting"], watched["refused"], watched["matched"]) == (1, 0, 1)
    cancelled = shop.machine.post(f"replays/{made.json()['id']}/cancel")
    assert cancelled.json()["status"] == "cancelled"
    assert shop.machine.post(f"replays/{made.json()['id']}/cancel").status_code == 409

    one = shop.machine.post(f"deliveries/{dead.pk}/replay", {"reason": "Mended."})
    assert (one.status_code, one.json()["matched"]) == (201, 1)


def test_faults_of_a_replay_point_into_its_filter(shop: Shop) -> None:
    assert pointers(shop.machine.post("replays", {"filter": {"odd": 1}, "reason": "x"})) == {
        "/filter/odd"
    }
    assert pointers(shop.machine.post("replays", {"filter": {}, "reason": "x"})) == {"/filter"}
    unknown = {"filter": {"topic": "no.such"}, "reason": "x"}
    assert pointers(shop.machine.post("replays", unknown)) == {"/filter/topic"}
    assert pointers(shop.machine.post("replays", {"reason": "x"})) == {"/filter"}
