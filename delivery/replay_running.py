"""The steps of a replay: its items become deliveries at its pace, each checked again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.ids import instant_of, uuid7
from delivery import configuration, replay_checks, signals
from delivery.models import Delivery, Event, QueueRow, Replay, ReplayItem, Subscription
from delivery.models.deliveries import COLLECTING
from delivery.replay_checks import Refusal
from delivery.replay_selections import Candidate
from delivery.states import DeliveryStatus, ReplayState
from governance.governed import governed, record

logger = logging.getLogger(__name__)

ENDED = "replay:end"
HELD = "replay:hold"
_GOING = (ReplayState.QUEUED, ReplayState.RUNNING)
# Steps come about once a second; after a longer gap only so much is made up for.
LONGEST_GAP_SECONDS = 2.0
# So many seconds' worth may be under way: a receiver that cannot keep up slows its replay down.
MOST_UNDER_WAY_SECONDS = 10


def run_all(*, now: datetime) -> list[UUID]:
    """Take the next step of every replay that is going; return the subscriptions to wake."""
    woken: list[UUID] = []
    ids = Replay.objects.filter(state__in=_GOING).order_by("number").values_list("pk", flat=True)
    for pk in ids:
        try:
            woken += step(pk, now=now)
        except Exception:
            # One that cannot go on must not hold up those behind it; it is tried again.
            logger.exception("The replay %s could not take its step.", pk)
    return woken


def step(pk: UUID, *, now: datetime) -> list[UUID]:
    """Queue what is next, or end the replay; one worker at a time. Returns whom to wake."""
    with governed(by=None, now=now):
        replay = (
            Replay.objects.select_for_update(skip_locked=True)
            .filter(pk=pk, state__in=_GOING)
            .first()
        )
        if replay is None:
            return []
        _learn_results(replay, now)
        if replay.state == ReplayState.QUEUED:
            replay = Replay.objects.move(
                pk, ReplayState.QUEUED, ReplayState.RUNNING, started_at=replay.started_at or now
            )
        if _first_failed(replay):
            _hold(replay, now)
            return []
        woken = _queue(replay, _how_many(replay, now), now)
        if not ReplayItem.objects.filter(replay=replay, ended_at__isnull=True).exists():
            _end(replay, now)
    return woken


def stop(replay: Replay, *, now: datetime) -> int:
    """Take back everything of a cancelled replay that is not out yet; return how many."""
    waiting = _waiting(replay).update(refused=Refusal.CANCELLED, ended_at=now, result="refused")
    queued = ReplayItem.objects.filter(
        replay=replay, delivery_id__isnull=False, ended_at__isnull=True
    ).values_list("delivery_id", flat=True)
    # A leased one may be on its way already: it ends by itself.
    rows = QueueRow.objects.select_for_update(skip_locked=True).filter(
        delivery_id__in=list(queued), lease__isnull=True
    )
    taken = [row.pk for row in rows]
    QueueRow.objects.filter(pk__in=taken).delete()
    Delivery.objects.filter(pk__in=taken).update(
        status=DeliveryStatus.DISCARDED, reason=_("The replay was cancelled"), ended_at=now
    )
    ReplayItem.objects.filter(delivery_id__in=taken).update(
        ended_at=now, result=DeliveryStatus.DISCARDED
    )
    return waiting + len(taken)


def _waiting(replay: Replay) -> QuerySet[ReplayItem]:
    return ReplayItem.objects.filter(replay=replay, delivery_id__isnull=True, refused="")


def _under_way(replay: Replay) -> QuerySet[ReplayItem]:
    return ReplayItem.objects.filter(
        replay=replay, delivery_id__isnull=False, ended_at__isnull=True
    )


def _learn_results(replay: Replay, now: datetime) -> None:
    """Note deliveries that ended without an attempt: skipped by a rule, or discarded."""
    ids = [pk for pk in _under_way(replay).values_list("delivery_id", flat=True) if pk]
    ended = Delivery.objects.filter(pk__in=ids, ended_at__isnull=False)
    for pk, status in ended.values_list("pk", "status"):
        ReplayItem.objects.filter(delivery_id=pk).update(ended_at=now, result=status)


def _first_failed(replay: Replay) -> bool:
    """Tell whether only one was to go first, and it did not arrive."""
    if not replay.selection.get("one_first"):
        return False
    sent = ReplayItem.objects.filter(replay=replay, delivery_id__isnull=False)
    results = set(sent.exclude(result="").values_list("result", flat=True))
    return bool(results) and DeliveryStatus.DELIVERED not in results


def _how_many(replay: Replay, now: datetime) -> int:
    """Return how many to queue now: what the pace gives since the last, as far as there is room."""
    rate = replay.rate_per_second or configuration.replay_rate_per_second()
    sent = ReplayItem.objects.filter(replay=replay, delivery_id__isnull=False)
    last = sent.order_by("-delivery_id").values_list("delivery_id", flat=True).first()
    if last is None:
        return 1 if replay.selection.get("one_first") else rate
    if replay.selection.get("one_first") and not sent.filter(result="delivered").exists():
        return 0
    gap = min((now - instant_of(last)).total_seconds(), LONGEST_GAP_SECONDS)
    room = rate * MOST_UNDER_WAY_SECONDS - _under_way(replay).count()
    return max(0, min(round(rate * gap), room))


def _queue(replay: Replay, count: int, now: datetime) -> list[UUID]:
    """Make the next items deliveries, each checked again; return their subscriptions."""
    items = list(_waiting(replay).order_by("pk")[:count]) if count else []
    if not items:
        return []
    candidates = [Candidate(one.event_id, one.subscription_id, one.repeats_id) for one in items]
    refused = replay_checks.refusals(
        candidates, now=now, includes_arrived=bool(replay.selection.get("includes_arrived"))
    )
    going = []
    for item, why in zip(items, refused, strict=True):
        if why is None:
            item.delivery_id = uuid7()
            going.append(item)
        else:
            item.refused, item.result, item.ended_at = why, "refused", now
    ReplayItem.objects.bulk_update(items, ["delivery_id", "refused", "result", "ended_at"])
    _owe(replay, going, now)
    return list({one.subscription_id for one in going})


def _owe(replay: Replay, items: Sequence[ReplayItem], now: datetime) -> None:
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            id=item.delivery_id,
            event_id=item.event_id,
            subscription_id=item.subscription_id,
            environment=replay.environment,
            replay_id=replay.pk,
            repeats_id=item.repeats_id,
        )
        for item in items
    )
    keys = dict(
        Event.objects.filter(pk__in=[one.event_id for one in items]).values_list(
            "pk", "partition_key"
        )
    )
    subscriptions = {one.subscription_id for one in items}
    standing = Subscription.objects.select_related("topic").in_bulk(subscriptions)
    QueueRow.objects.bulk_create(
        QueueRow(
            delivery_id=made.pk,
            subscription_id=item.subscription_id,
            event_id=item.event_id,
            due_at=now,
            order_key=(keys.get(item.event_id) or None)
            if standing[item.subscription_id].is_ordered
            else None,
            is_replay=True,
            batch_id=COLLECTING if standing[item.subscription_id].collecting_rule else None,
        )
        for item, made in zip(items, deliveries, strict=True)
    )


def _hold(replay: Replay, now: datetime) -> None:
    moved = Replay.objects.move(replay.pk, ReplayState.RUNNING, ReplayState.PAUSED)
    record(HELD, moved, before={"state": replay.state}, after={"state": moved.state})
    signals.replay_held.send(Replay, thing=moved, by=None, now=now)


def _end(replay: Replay, now: datetime) -> None:
    moved = Replay.objects.move(replay.pk, ReplayState.RUNNING, ReplayState.DONE, ended_at=now)
    arrived = ReplayItem.objects.filter(replay=replay, result="delivered").count()
    record(
        ENDED,
        moved,
        before={"state": replay.state},
        after={"state": moved.state, "arrived": arrived, "matched": moved.matched},
    )
    signals.replay_ended.send(Replay, thing=moved, by=None, now=now, arrived=arrived)
