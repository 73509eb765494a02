"""Replays: previewed, ordered with a reason, approved by a second person, and stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from catalog.models import User
from delivery import replay_plans, replay_running, signals
from delivery.models import Replay, ReplayItem, Subscription
from delivery.replay_plans import Plan, Preview
from delivery.replay_selections import Selection
from delivery.states import DeliveryStatus, ReplayState
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
    """Count what a replay would do, without doing it; raises as `replay_plans.plan` does."""
    plan = replay_plans.plan(
        selection,
        environment=environment,
        by=by,
        now=now,
        subscription=subscription,
        includes_arrived=includes_arrived,
    )
    return replay_plans.preview(plan, rate=rate)


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
    plan = replay_plans.plan(
        selection,
        environment=environment,
        by=by,
        now=now,
        subscription=subscription,
        includes_arrived=includes_arrived,
    )
    _require(plan, reason=reason, rate=rate, by=by)
    wishes = {"includes_arrived": includes_arrived, "one_first": one_first}
    replay = Replay(
        environment=environment,
        selection={**selection.as_json(), **{name: True for name, on in wishes.items() if on}},
        subscription=subscription,
        reason=reason,
        rate_per_second=rate,
        state=ReplayState.AWAITING_APPROVAL if plan.needs_approval else ReplayState.QUEUED,
        matched=len(plan.candidates),
        requested_by=by,
        requested_at=now,
    )
    with governed(by=by, now=now, reason=reason):
        _refuse_second(replay)
        _write(replay, plan, now)
        if plan.needs_approval:
            signals.replay_awaits_approval.send(Replay, thing=replay, by=by, now=now)
        record(
            STARTED,
            replay,
            after={"state": replay.state, "matched": replay.matched, "rate": rate},
            related=tuple(Subscription.objects.filter(pk__in=plan.targets)),
        )
    return replay


def _require(plan: Plan, *, reason: str, rate: int | None, by: User) -> None:
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: the ledger keeps it.")})
    if rate is not None and not 1 <= rate <= MAX_RATE_PER_SECOND:
        raise ValidationError({"rate": _("Choose 1 to 1,000 a second.")})
    if not plan.candidates:
        raise ValidationError({"selection": _("Nothing that you may replay matches.")})
    if plan.is_large:
        access.require(by, Action.REPLAY_MANY)


def _refuse_second(replay: Replay) -> None:
    """Keep a button that is pressed twice, or by two people, from sending everything twice."""
    unfinished = Replay.objects.exclude(state__in=[ReplayState.DONE, ReplayState.CANCELLED])
    same = unfinished.filter(
        environment=replay.environment,
        selection=replay.selection,
        subscription=replay.subscription,
    ).first()
    if same is not None:
        message = _("R-%(number)s replays these already. See how far it is, or cancel it first.")
        raise ValidationError({"selection": message % {"number": same.number}})


def _write(replay: Replay, plan: Plan, now: datetime) -> None:
    """Store the replay with an item for all that the plan names."""
    replay.save()
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
            for one, why in zip(plan.candidates, plan.refused, strict=True)
        ],
        batch_size=2_000,
    )


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
