"""Claims: leased once, the first of a key only, and back when a lease has run out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery import claiming, retention
from delivery.claiming import Wanted, Which
from delivery.models import Delivery, Payload, QueueRow
from tests.delivery.owing import make_events, make_world, owe

pytestmark = pytest.mark.django_db


def test_what_is_leased_is_not_claimed_again_until_the_lease_ends() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    owe(subscription, make_events(version, 3))
    now = timezone.now()
    wanted = [Wanted(subscription_id=subscription.pk, room=10, lease_seconds=60)]
    first = claiming.claim(wanted, now=now)
    assert len(first) == 3
    assert claiming.claim(wanted, now=now + timedelta(seconds=59)) == []
    again = claiming.claim(wanted, now=now + timedelta(seconds=61))
    assert {one.delivery_id for one in again} == {one.delivery_id for one in first}
    # Whoever held it first can no longer give it back.
    claiming.release(first)
    assert QueueRow.objects.filter(lease=again[0].lease).count() == 3


def test_only_the_first_of_a_key_is_claimed() -> None:
    subscription, version = make_world("http://127.0.0.1:9/", is_ordered=True)
    ids = owe(subscription, make_events(version, 6), keys=["a", "b"])
    wanted = Wanted(
        subscription_id=subscription.pk, room=10, lease_seconds=60, which=Which.FIRST_OF_KEY
    )
    taken = claiming.claim([wanted], now=timezone.now())
    assert [one.delivery_id for one in taken] == ids[:2]


def test_a_large_backlog_in_front_hides_nobody() -> None:
    large, version = make_world("http://127.0.0.1:9/")
    owe(large, make_events(version, claiming.LOOK_ROWS + 10), due_at=timezone.now())
    small, version = make_world("http://127.0.0.1:9/")
    owe(small, make_events(version))
    found = claiming.due_subscriptions(
        [large.pk, small.pk], since=claiming.LONG_AGO, now=timezone.now()
    )
    assert set(found) == {large.pk, small.pk}


def test_a_backlog_is_ended_in_batches_but_not_what_is_out() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    owe(subscription, make_events(version, 5))
    now = timezone.now()
    claiming.claim([Wanted(subscription_id=subscription.pk, room=1, lease_seconds=60)], now=now)
    ended = [
        claiming.skip_backlog([subscription.pk], reason="no_grant", now=now, limit=3)
        for _ in range(3)
    ]
    assert ended == [3, 1, 0]
    assert Delivery.objects.filter(status="skipped", reason="no_grant").count() == 4


def test_retention_deletes_payloads_but_not_of_what_is_owed() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    owed, free = make_events(version, 2)
    owe(subscription, [owed])
    later = timezone.now() + timedelta(days=subscription.topic.retention_days + 1)
    assert retention.keep(now=later).payloads == 1
    assert list(Payload.objects.values_list("event_id", flat=True)) == [owed.pk]
    assert free.pk != owed.pk
