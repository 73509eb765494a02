"""Replays: previewed, ordered with a reason, approved by a second person, and stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from catalog.models import User
from delivery import configuration, replay_checks, replay_running, signals
from delivery.models import Circuit, Replay, ReplayItem, Subscription
from delivery.replay_checks import Refusal
from delivery.replay_selections import (
    MAX_DAYS_BACK,
    MAX_ITEMS,
    MAX_ITEMS_EVER,
    Candidate,
    Selection,
)
from delivery.states import CircuitState, DeliveryStatus, ReplayState, SubscriptionState
from governance import access
from governance.actions import Action
from governance.governed import governed, record

STARTED = "replay:start"
APPROVED = "replay:approve"
PAUSED = "replay:pause"
RESUMED = "replay:resume"

MAX_RATE_PER_SECOND = 1_000
_GOING = (ReplayState.QUEUED, ReplayState.RUNNING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a replay would do if it started now.

    `refused` counts by reason (`replay_checks.Refusal`); `arrived` and `owed` are among them.
    `waiting_for` names subscriptions that would not be sent to yet: paused, disabled, or not
    answering. `is_large` needs REPLAY_MANY; `needs_approval` a second person.
    """

    matched: int
    will_send: int
    to: Sequence[tuple[Subscription, int]]
    refused: Mapping[str, int]
    seconds: int | None
    is_large: bool
    needs_approval: bool
    waiting_for: Sequence[Subscription] = ()

    @property
    def arrived(self) -> int:
        """How many have arrived there since."""
        return self.refused.get(Refusal.ARRIVED, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a replay has come; the counts add up to `matched`."""

    matched: int
    waiting: int
    under_way: int
    arrived: int
    failed: int
    refused: int

    @property
    def done(self) -> int:
        """How many need nothing more."""
        return self.arrived + self.failed + self.refused


def preview(
    selection: Selection,
    *,
    environment: str,
    by: User,
    now: datetime,
    subscription: Subscription | None = None,
    rate: int | None = None,
    includes_arrived: bool = False,
) -> Preview:
    """Count what a replay would do, without doing it.

    Only what `by` may replay is counted. Raises PermissionDenied, and ValidationError where the
    selection says too little or matches too much.
    """
    candidates = _candidates(selection, environment, subscription, by, now)
    refused = replay_checks.refusals(candidates, now=now, includes_arrived=includes_arrived)
    going = [one for one, why in zip(candidates, refused, strict=True) if why is None]
    counts = Counter(one.subscription_id for one in going)
    names = Subscription.objects.with_names().in_bulk(list(counts))
    rate = rate or configuration.replay_rate_per_second()
    return Preview(
        matched=len(candidates),
        will_send=len(going),
        to=[(names[pk], count) for pk, count in counts.most_common()],
        refused=Counter(str(why) for why in refused if why is not None),
        seconds=-(-len(going) // rate),
        is_large=_is_large(selection, len(candidates), now),
        needs_approval=len(candidates) > configuration.replay_approval_above(),
        waiting_for=[one for one in names.values() if not _answers(one)],
    )


def start(
    selection: Selection,
    *,
    environment: str,
    reason: str,
    by: User,
    now: datetime,
    rate: int | None = None,
    subscription: Subscription | None = None,
    includes_arrived: bool = False,
    one_first: bool = False,
) -> Replay:
    """Order a replay; it begins at once, or when a second person approves a large one.

    `rate` is at most so many a second. `one_first` goes on only when the first has arrived. Raises
    PermissionDenied, and ValidationError for a missing reason, nothing to send, or too much.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: the ledger keeps it.")})
    if rate is not None and not 1 <= rate <= MAX_RATE_PER_SECOND:
        raise ValidationError({"rate": _("Choose 1 to 1,000 a second.")})
    candidates = _candidates(selection, environment, subscription, by, now)
    if not candidates:
        raise ValidationError({"selection": _("Nothing that you may replay matches.")})
    if _is_large(selection, len(candidates), now):
        access.require(by, Action.REPLAY_MANY)
    needs_approval = len(candidates) > configuration.replay_approval_above()
    state = ReplayState.AWAITING_APPROVAL if needs_approval else ReplayState.QUEUED
    refused = replay_checks.refusals(candidates, now=now, includes_arrived=includes_arrived)
    chosen = {
        **selection.as_json(),
        **({"includes_arrived": True} if includes_arrived else {}),
        **({"one_first": True} if one_first else {}),
    }
    with governed(by=by, now=now, reason=reason):
        _refuse_second_of_selection(chosen, environment, subscription)
        replay = Replay.objects.create(
            environment=environment,
            selection=chosen,
            subscription=subscription,
            reason=reason,
            rate_per_second=rate,
            state=state,
            matched=len(candidates),
            requested_by=by,
            requested_at=now,
        )
        replay.refresh_from_db(fields=["number"])
        ReplayItem.objects.bulk_create(
            [
                ReplayItem(
                    replay=replay,
                    repeats_id=one.repeats_id,
                    event_id=one.event_id,
                    subscription_id=one.subscription_id,
                    refused=str(why or ""),
                    ended_at=now if why else None,
                    result="refused" if why else "",
                )
                for one, why in zip(candidates, refused, strict=True)
            ],
            batch_size=2_000,
        )
        if needs_approval:
            signals.replay_awaits_approval.send(Replay, thing=replay, by=by, now=now)
        record(
            STARTED,
            replay,
            after={"state": state, "matched": len(candidates), "rate": rate},
            related=tuple(Subscription.objects.filter(pk__in=_targets(candidates))),
        )
    return replay


def _refuse_second_of_selection(
    chosen: dict[str, object], environment: str, subscription: Subscription | None
) -> None:
    """Keep a button that is pressed twice, or by two people, from sending everything twice."""
    unfinished = Replay.objects.exclude(state__in=[ReplayState.DONE, ReplayState.CANCELLED])
    same = unfinished.filter(
        environment=environment, selection=chosen, subscription=subscription
    ).first()
    if same is not None:
        message = _("R-%(number)s replays these already. See how far it is, or cancel it first.")
        raise ValidationError({"selection": message % {"number": same.number}})


def approve(replay: Replay, *, by: User, now: datetime) -> Replay:
    """Let a large replay begin.

    Raises PermissionDenied, also to who ordered it, and IllegalMove.
    """
    access.require(by, Action.REPLAY_MANY, replay)
    if by.pk == replay.requested_by_id:
        raise PermissionDenied(_("Somebody else must approve a replay that you ordered."))
    with governed(by=by, now=now, reason=replay.reason):
        moved = Replay.objects.move(
            replay.pk, ReplayState.AWAITING_APPROVAL, ReplayState.QUEUED, approved_by=by
        )
        record(APPROVED, moved, before={"state": replay.state}, after={"state": moved.state})
    return moved


def pause(replay: Replay, *, by: User, now: datetime) -> Replay:
    """Queue no more until it goes on. Raises PermissionDenied and IllegalMove."""
    access.require(by, Action.REPLAY_CANCEL, replay)
    with governed(by=by, now=now):
        moved = Replay.objects.move(replay.pk, _GOING, ReplayState.PAUSED)
        record(PAUSED, moved, before={"state": replay.state}, after={"state": moved.state})
    return moved


def resume(replay: Replay, *, by: User, now: datetime) -> Replay:
    """Go on with a paused replay. Raises PermissionDenied and IllegalMove."""
    access.require(by, Action.REPLAY_CANCEL, replay)
    with governed(by=by, now=now):
        # A person says so, though the first one did not arrive.
        rest = {name: value for name, value in replay.selection.items() if name != "one_first"}
        moved = Replay.objects.move(
            replay.pk, ReplayState.PAUSED, ReplayState.QUEUED, selection=rest
        )
        record(RESUMED, moved, before={"state": replay.state}, after={"state": moved.state})
    return moved


def cancel(replay: Replay, *, by: User, now: datetime, reason: str = "") -> Replay:
    """Stop for good: what is not out yet is not sent. Raises PermissionDenied and IllegalMove."""
    access.require(by, Action.REPLAY_CANCEL, replay)
    unfinished = (ReplayState.AWAITING_APPROVAL, *_GOING, ReplayState.PAUSED)
    with governed(by=by, now=now, reason=reason):
        moved = Replay.objects.move(replay.pk, unfinished, ReplayState.CANCELLED, ended_at=now)
        stopped = replay_running.stop(moved, now=now)
        record(
            Action.REPLAY_CANCEL,
            moved,
            before={"state": replay.state},
            after={"state": moved.state, "not_sent": stopped},
        )
    return moved


def progress(replay: Replay) -> Progress:
    """Count the items of a replay by how they stand; one query."""
    is_sent = Q(refused="", delivery_id__isnull=False)
    arrived = Q(result=DeliveryStatus.DELIVERED)
    counts = ReplayItem.objects.filter(replay=replay).aggregate(
        matched=Count("pk"),
        waiting=Count("pk", filter=Q(refused="", delivery_id__isnull=True)),
        under_way=Count("pk", filter=is_sent & Q(result="")),
        arrived=Count("pk", filter=is_sent & arrived),
        failed=Count("pk", filter=is_sent & ~Q(result="") & ~arrived),
        refused=Count("pk", filter=~Q(refused="")),
    )
    return Progress(**counts)


def _candidates(
    selection: Selection,
    environment: str,
    subscription: Subscription | None,
    by: User,
    now: datetime,
) -> list[Candidate]:
    access.require(by, Action.DELIVERY_REPLAY)
    selection.require_bounds(now=now, to=subscription)
    if subscription is not None:
        _require_target(subscription, environment, by)
    found = selection.candidates(
        environment=environment, to=subscription, by=by, limit=MAX_ITEMS_EVER + 1
    )
    if len(found) > MAX_ITEMS_EVER:
        raise ValidationError({"selection": _("More than 100,000 match: choose a shorter time.")})
    return found


def _require_target(subscription: Subscription, environment: str, by: User) -> None:
    """Raise unless events of this environment may be sent to the subscription by this person."""
    access.require(by, Action.SUBSCRIPTION_TEST, subscription)
    if subscription.environment != environment:
        raise ValidationError(
            {"subscription": _("Events do not cross from one environment to the other.")}
        )
    if subscription.ended_at is not None:
        raise ValidationError({"subscription": _("This subscription has ended.")})


def _is_large(selection: Selection, count: int, now: datetime) -> bool:
    is_old = selection.since is not None and now - selection.since > timedelta(days=MAX_DAYS_BACK)
    return count > MAX_ITEMS or is_old


def _answers(subscription: Subscription) -> bool:
    circuit: Circuit | None = getattr(subscription, "circuit", None)
    return subscription.state == SubscriptionState.ACTIVE and (
        circuit is None or circuit.state == CircuitState.CLOSED
    )


def _targets(candidates: Sequence[Candidate]) -> set[UUID]:
    return {one.subscription_id for one in candidates}
