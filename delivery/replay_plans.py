"""What a replay would do, reckoned before it does anything: its items, and who refuses which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import User
from delivery import configuration, replay_checks
from delivery.models import Circuit, Subscription
from delivery.replay_checks import Refusal
from delivery.replay_selections import (
    MAX_DAYS_BACK,
    MAX_ITEMS,
    MAX_ITEMS_EVER,
    Candidate,
    Selection,
)
from delivery.states import CircuitState, SubscriptionState
from governance import access
from governance.actions import Action

SHOWN = 20  # of those that are left out, by name; the replay's own page has all


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The items that a replay has, and for each why it may not go now; None where it may.

    `is_large` needs REPLAY_MANY; `needs_approval` a second person.
    """

    candidates: Sequence[Candidate]
    refused: Sequence[Refusal | None]
    is_large: bool
    needs_approval: bool
    includes_arrived: bool = False

    @property
    def going(self) -> Mapping[UUID, int]:
        """Return how many would be sent now, by subscription."""
        pairs = zip(self.candidates, self.refused, strict=True)
        return Counter(one.subscription_id for one, why in pairs if why is None)

    @property
    def repeated(self) -> set[UUID]:
        """Return the subscriptions that would be sent something that was sent there before."""
        pairs = zip(self.candidates, self.refused, strict=True)
        return {
            one.subscription_id for one, why in pairs if why is None and one.repeats_id is not None
        } | (set(self.going) if self.includes_arrived else set())

    @property
    def left_out(self) -> Sequence[tuple[Candidate, Refusal]]:
        """Return the first that would not be sent now, each with why."""
        pairs = zip(self.candidates, self.refused, strict=True)
        return list(islice(((one, why) for one, why in pairs if why is not None), SHOWN))

    @property
    def targets(self) -> set[UUID]:
        """Return the subscriptions that it is about."""
        return {one.subscription_id for one in self.candidates}


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a replay would do if it started now.

    `refused` counts by reason (`replay_checks.Refusal`); `arrived` and `owed` are among them.
    `left_out` names the first of them.
    `waiting_for` names subscriptions that would not be sent to yet: paused, disabled, or not
    answering. `may_repeat` names those that would get an event a second time and whose team
    has not said that the receiver knows it again. `is_large` and `needs_approval` are the plan's.
    """

    matched: int
    will_send: int
    to: Sequence[tuple[Subscription, int]]
    refused: Mapping[str, int]
    seconds: int | None
    is_large: bool
    needs_approval: bool
    left_out: Sequence[tuple[Candidate, Refusal]] = ()
    waiting_for: Sequence[Subscription] = ()
    may_repeat: Sequence[Subscription] = ()

    @property
    def arrived(self) -> int:
        """How many have arrived there since."""
        return self.refused.get(Refusal.ARRIVED, 0)


def plan(
    selection: Selection,
    *,
    environment: str,
    by: User,
    now: datetime,
    subscription: Subscription | None = None,
    includes_arrived: bool = False,
) -> Plan:
    """Find what `by` may replay of the selection, and ask of each item whether it may go now.

    Raises PermissionDenied, and ValidationError where the selection says too little or matches too
    much.
    """
    candidates = _candidates(selection, environment, subscription, by, now)
    return Plan(
        candidates=candidates,
        refused=replay_checks.refusals(candidates, now=now, includes_arrived=includes_arrived),
        is_large=_is_large(selection, len(candidates), now),
        needs_approval=len(candidates) > configuration.replay_approval_above(),
        includes_arrived=includes_arrived,
    )


def preview(plan: Plan, *, rate: int | None = None) -> Preview:
    """Count what the plan does at `rate` a second, else at the usual pace."""
    going = plan.going
    will_send = sum(going.values())
    names = Subscription.objects.with_names().in_bulk(list(going))
    rate = rate or configuration.replay_rate_per_second()
    repeated = plan.repeated
    return Preview(
        matched=len(plan.candidates),
        will_send=will_send,
        to=sorted(((names[pk], count) for pk, count in going.items()), key=lambda one: -one[1]),
        refused=Counter(str(why) for why in plan.refused if why is not None),
        seconds=_seconds(will_send, rate, [(names[pk], count) for pk, count in going.items()]),
        is_large=plan.is_large,
        needs_approval=plan.needs_approval,
        left_out=plan.left_out,
        waiting_for=[one for one in names.values() if not _answers(one)],
        may_repeat=[one for pk, one in names.items() if pk in repeated and not one.is_idempotent],
    )


def _seconds(count: int, rate: int, to: Sequence[tuple[Subscription, int]]) -> int:
    """Return how long it takes at `rate`, or at the pace of a subscription that is slower."""
    own = [-(-n // one.rate_per_second) for one, n in to if one.rate_per_second]
    return max([-(-count // rate), *own])


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
            {
                "subscription": _(
                    "Events do not cross from one environment to the other. "
                    "Copy them to staging on the event's page."
                )
            }
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
