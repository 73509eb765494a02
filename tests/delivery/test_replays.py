"""Replays: what a preview counts, what is sent, and what becomes of the letters."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import failures, replay_running, replays, subscriptions
from delivery.dispatch import Engine
from delivery.models import (
    Circuit,
    DeadLetter,
    Delivery,
    FailureGroup,
    Notification,
    Payload,
    QueueRow,
    Replay,
    ReplayItem,
    Subscription,
)
from delivery.replay_selections import Selection, of_group
from governance import grants, roles, verification
from governance.models import Grant
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def support() -> User:
    return factories.make_person(role=roles.SUPPORT)


def die(engine: Engine, receiver: Receiver, count: int = 3) -> tuple[Subscription, FailureGroup]:
    """Return a subscription with so many dead letters in one group."""
    receiver.reply = lambda _got, _before: Reply(status=422, body="unknown field")
    subscription, version = make_world(receiver.url(), concurrency=2)
    owe(subscription, make_events(version, count))
    engine.drain(seconds=5)
    receiver.reply = lambda _got, _before: Reply()
    receiver.got.clear()
    return subscription, FailureGroup.objects.get()


def run(engine: Engine, replay: Replay) -> None:
    """Take steps until the replay has ended or waits, at most some."""
    for _ in range(20):
        replay_running.run_all(now=timezone.now())
        engine.drain(seconds=2)
        replay.refresh_from_db()
        if replay.state not in ("queued", "running"):
            return
        time.sleep(0.2)


def test_replayed_letters_arrive_and_their_group_is_resolved(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    _subscription, group = die(engine, receiver)
    originals = {f"msg_{pk}" for pk in DeadLetter.objects.values_list("event_id", flat=True)}
    now = timezone.now()
    seen = replays.preview(of_group(group), environment="production", by=support, now=now)
    assert (seen.matched, seen.will_send, seen.refused) == (3, 3, {})
    assert not seen.needs_approval
    replay = replays.start(
        of_group(group), environment="production", reason="Field mended", by=support, now=now
    )
    run(engine, replay)
    assert replay.state == "done"
    assert set(receiver.ids()) == originals
    progress = replays.progress(replay)
    assert (progress.arrived, progress.failed, progress.refused) == (3, 0, 0)
    group.refresh_from_db()
    assert (group.state, group.open_count, group.count) == ("resolved", 0, 3)
    assert group.resolution.startswith("Replayed, arrived ")
    assert not DeadLetter.objects.filter(resolved_at__isnull=True).exists()
    made = Delivery.objects.filter(replay_id=replay.pk)
    assert {one.repeats_id for one in made} == set(
        DeadLetter.objects.values_list("delivery_id", flat=True)
    )
    assert Notification.objects.filter(user=support, kind="replay-ended").exists()
    assert verification.verify() is None


def test_a_replay_that_fails_is_one_attempt_and_keeps_one_letter(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    subscription, group = die(engine, receiver, 1)
    before = Circuit.objects.get(pk=subscription.pk).breaker
    receiver.reply = lambda _got, _before: Reply(status=500)
    replay = replays.start(
        of_group(group),
        environment="production",
        reason="Try",
        by=support,
        now=timezone.now(),
    )
    run(engine, replay)
    assert len(receiver.got) == 1
    assert replays.progress(replay).failed == 1
    letter = DeadLetter.objects.get()
    assert (letter.attempts, letter.status_code, letter.resolved_at) == (2, 500, None)
    assert Circuit.objects.get(pk=subscription.pk).breaker == before


def test_the_preview_says_what_is_left_out_and_why(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    subscription, group = die(engine, receiver, 4)
    letters = list(DeadLetter.objects.order_by("event_id"))
    Payload.objects.filter(event_id=letters[0].event_id).delete()
    arrived = Delivery.objects.get(pk=letters[1].delivery_id)
    Delivery.objects.create(
        event_id=arrived.event_id,
        subscription=subscription,
        environment="production",
        status="delivered",
        ended_at=timezone.now(),
    )
    seen = replays.preview(
        of_group(group), environment="production", by=support, now=timezone.now(), rate=1
    )
    assert (seen.matched, seen.will_send, seen.arrived, seen.seconds) == (4, 2, 1, 2)
    assert seen.refused == {"expunged": 1, "arrived": 1}
    grant = Grant.objects.get(application=subscription.application)
    grants.revoke(grant, by=factories.make_admin(), reason="End", now=timezone.now())
    seen = replays.preview(
        of_group(group), environment="production", by=support, now=timezone.now()
    )
    assert seen.refused == {"expunged": 1, "arrived": 1, "no_grant": 2}


def test_a_stranger_may_replay_nothing_and_an_owner_their_own(
    engine: Engine, receiver: Receiver
) -> None:
    subscription, group = die(engine, receiver, 2)
    stranger = factories.make_person(team=factories.make_team())
    owner = factories.make_person(team=subscription.application.team)
    with pytest.raises(ValidationError):
        replays.start(
            of_group(group), environment="production", reason="x", by=stranger, now=timezone.now()
        )
    seen = replays.preview(of_group(group), environment="production", by=owner, now=timezone.now())
    assert seen.matched == 2


def test_a_large_replay_needs_a_second_person(
    engine: Engine, receiver: Receiver, support: User, settings: LazySettings
) -> None:
    settings.DELIVERY_REPLAY_APPROVAL_ABOVE = 1
    _subscription, group = die(engine, receiver, 2)
    admin = factories.make_admin()
    replay = replays.start(
        of_group(group), environment="production", reason="All", by=admin, now=timezone.now()
    )
    assert replay.state == "awaiting_approval"
    run(engine, replay)
    assert receiver.got == []
    with pytest.raises(PermissionDenied):
        replays.approve(replay, by=admin, now=timezone.now())
    replays.approve(replay, by=factories.make_admin(), now=timezone.now())
    run(engine, replay)
    assert replay.state == "done"
    assert len(receiver.ids()) == 2


def test_a_cancelled_replay_sends_nothing_more(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    subscription, group = die(engine, receiver, 3)
    replay = replays.start(
        of_group(group),
        environment="production",
        reason="Try",
        by=support,
        now=timezone.now(),
        rate=1,
    )
    replay_running.run_all(now=timezone.now())
    assert QueueRow.objects.filter(subscription_id=subscription.pk, is_replay=True).count() == 1
    replay = replays.cancel(replay, by=support, now=timezone.now())
    engine.drain(seconds=2)
    assert receiver.got == []
    assert set(ReplayItem.objects.values_list("result", flat=True)) == {"refused", "discarded"}
    with pytest.raises(IllegalMove):
        replays.cancel(replay, by=support, now=timezone.now())


def test_one_first_holds_the_rest_when_it_does_not_arrive(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    _subscription, group = die(engine, receiver, 3)
    receiver.reply = lambda _got, _before: Reply(status=422)
    replay = replays.start(
        of_group(group),
        environment="production",
        reason="Try",
        by=support,
        now=timezone.now(),
        one_first=True,
    )
    run(engine, replay)
    assert replay.state == "paused"
    assert len(receiver.got) == 1
    receiver.reply = lambda _got, _before: Reply()
    replays.resume(replay, by=support, now=timezone.now())
    run(engine, replay)
    assert replay.state == "done"
    assert replays.progress(replay).arrived == 2


def test_a_topic_is_sent_to_a_new_subscription(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    subscription, version = make_world(receiver.url())
    make_events(version, 5)
    selection = Selection(topic=subscription.topic_id, since=timezone.now() - timedelta(hours=1))
    replay = replays.start(
        selection,
        environment="production",
        reason="Backfill",
        by=support,
        now=timezone.now(),
        subscription=subscription,
    )
    run(engine, replay)
    assert len(receiver.ids()) == 5


def test_a_replay_waits_for_a_paused_subscription(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    subscription, group = die(engine, receiver, 1)
    subscriptions.pause(subscription, by=support, now=timezone.now())
    now = timezone.now()
    seen = replays.preview(of_group(group), environment="production", by=support, now=now)
    assert list(seen.waiting_for) == [subscription]


def test_a_selection_reads_back_what_it_wrote() -> None:
    selection = Selection(
        deliveries=(factories.make_uuid(),), status="dead", since=timezone.now(), event_type="a.b.c"
    )
    assert Selection.of(selection.as_json()) == selection
    with pytest.raises(ValidationError):
        Selection.of({"status": "no such", "colour": "red"})


def test_a_group_is_taken_noted_and_resolved(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    _subscription, group = die(engine, receiver, 2)
    now = timezone.now()
    group = failures.assign(group, to=support, by=support, now=now)
    assert (group.state, group.assignee) == ("assigned", support)
    failures.note(group, text="It knows no delivery window.", by=support, now=now)
    assert [entry.reason for entry in failures.notes(group)] == ["It knows no delivery window."]
    group = failures.resolve(group, how="Address put back", by=support, now=now)
    assert (group.state, group.open_count) == ("resolved", 0)
    with pytest.raises(IllegalMove):
        failures.resolve(group, how="Again", by=support, now=now)
    stranger = factories.make_person()
    with pytest.raises(PermissionDenied):
        failures.reopen(group, reason="x", by=stranger, now=now)


def test_a_resolved_failure_that_comes_back_is_open_again(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    subscription, group = die(engine, receiver, 1)
    failures.resolve(group, how="Mended", by=support, now=timezone.now())
    receiver.reply = lambda _got, _before: Reply(status=422, body="unknown field")
    version = group.subscription.topic.event_types.get().versions.get()
    owe(subscription, make_events(version))
    engine.drain(seconds=3)
    group.refresh_from_db()
    assert (group.state, group.count, group.open_count) == ("open", 2, 1)


def test_a_discarded_letter_says_why_and_closes_its_group(
    engine: Engine, receiver: Receiver, support: User
) -> None:
    _subscription, group = die(engine, receiver, 1)
    delivery = Delivery.objects.get()
    delivery = failures.discard(delivery, reason="A test order", by=support, now=timezone.now())
    assert (delivery.status, delivery.reason) == ("discarded", "A test order")
    group.refresh_from_db()
    assert (group.state, group.open_count) == ("resolved", 0)
    with pytest.raises(IllegalMove):
        failures.discard(delivery, reason="Again", by=support, now=timezone.now())


def test_a_replay_that_breaks_holds_up_no_other(
    engine: Engine, receiver: Receiver, support: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _subscription, group = die(engine, receiver, 2)
    now = timezone.now()
    broken, sound = (
        replays.start(
            of_group(group),
            environment="production",
            reason="Try",
            by=support,
            now=now,
            includes_arrived=also,
        )
        for also in (False, True)
    )
    step = replay_running.step

    def breaks(pk: UUID, *, now: datetime) -> list[UUID]:
        if pk == broken.pk:
            raise ValueError
        return step(pk, now=now)

    monkeypatch.setattr(replay_running, "step", breaks)
    run(engine, sound)
    assert sound.state == "done"
