"""Circuits in rows: opened, probed by one, warned about, given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from delivery import circuits, health
from delivery.circuits import Answers
from delivery.models import Circuit, Notification, QueueRow, Subscription
from delivery.states import DisableReason
from tests import factories
from tests.delivery.owing import make_events, make_world, owe

pytestmark = pytest.mark.django_db

FAILED = Answers(results=[False] * 10, last_status="500")


def test_ten_failures_in_a_row_open_it_and_tell_the_owners() -> None:
    subscription, _version = make_world("http://127.0.0.1:9/")
    owner = factories.make_person(team=subscription.application.team)
    now = timezone.now()
    (news,) = health.report({subscription.pk: FAILED}, now=now)
    assert news.opened
    circuit = Circuit.objects.get(pk=subscription.pk)
    assert (circuit.state, circuit.last_status) == ("open", "500")
    assert circuit.next_probe_at is not None
    assert circuit.next_probe_at > now
    assert Notification.objects.filter(user=owner, kind="circuit").count() == 1


def test_one_worker_gets_the_probe() -> None:
    subscription, _version = make_world("http://127.0.0.1:9/")
    now = timezone.now()
    circuits.report({subscription.pk: FAILED}, now=now)
    assert not circuits.try_probe(subscription.pk, now=now)
    later = now + timedelta(seconds=31)
    assert circuits.try_probe(subscription.pk, now=later)
    assert not circuits.try_probe(subscription.pk, now=later)


def test_time_behind_an_open_circuit_does_not_age_a_delivery() -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    now = timezone.now()
    owe(subscription, make_events(version), first_attempt_at=now - timedelta(hours=1), attempts=1)
    circuits.report({subscription.pk: FAILED}, now=now)
    later = now + timedelta(minutes=10)
    assert circuits.try_probe(subscription.pk, now=later)
    (news,) = circuits.report({subscription.pk: Answers(results=[True])}, now=later)
    assert news.closed
    assert QueueRow.objects.get().waited_seconds == pytest.approx(600, abs=2)


def test_days_without_a_success_warn_three_times_and_then_disable() -> None:
    subscription, _version = make_world("http://127.0.0.1:9/")
    start = timezone.now()
    warned = []
    for hour in range(0, 122, 2):
        for news in health.report(
            {subscription.pk: Answers(results=[False])}, now=start + timedelta(hours=hour)
        ):
            warned += [news.warn_percent] if news.warn_percent else []
    assert warned == [50, 70, 90]
    subscription = Subscription.objects.get(pk=subscription.pk)
    assert (subscription.state, subscription.state_reason) == ("disabled", DisableReason.FAILING)


def test_a_hook_whose_receiver_is_gone_is_ended() -> None:
    subscription, _version = make_world("http://127.0.0.1:9/", is_hook=True)
    health.end_sending(subscription.pk, because=DisableReason.GONE, now=timezone.now())
    subscription.refresh_from_db()
    assert subscription.ended_at is not None


def test_tokens_hold_a_rate_and_can_be_given_back() -> None:
    subscription, _version = make_world("http://127.0.0.1:9/")
    now = timezone.now()
    take = circuits.take_tokens
    assert take(subscription.pk, 50, per_second=100, now=now) == 10
    assert take(subscription.pk, 50, per_second=100, now=now) == 0
    circuits.give_back(subscription.pk, 4)
    assert take(subscription.pk, 50, per_second=100, now=now) == 4
    soon = now + timedelta(milliseconds=50)
    assert take(subscription.pk, 50, per_second=100, now=soon) == 5
