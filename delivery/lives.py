"""An event's whole life: where it came from, what became of it, and what was made of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from catalog.models import User
from delivery import decisions, envelopes, legs, payloads, routing
from delivery.cloudevents import to_structured_bytes
from delivery.decisions import Decision
from delivery.knowledge import Stale
from delivery.legs import Leg
from delivery.models import Delivery, Event, Replay, ReplayItem, Subscription
from delivery.payloads import Seen
from delivery.routing import Choice
from delivery.verdicts import Verdict
from governance import access
from governance.actions import Action

# What one page shows; an event that was replayed more often than this is rare.
MOST_DELIVERIES = 200
MOST_RELATIVES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A subscription of the topic that gets nothing of the event, and why."""

    subscription: Subscription
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Life:
    """All that a page says of an event; relatives are those that the viewer may see."""

    event: Event
    payload: Seen
    legs: Sequence[Leg]
    # Of replays that made no delivery of it: their turn has not come, or a rule left it out.
    unsent: Sequence[ReplayItem]
    left_out: Sequence[LeftOut]
    decisions: Sequence[Decision]
    causes: Sequence[Event]
    effects: Sequence[Event]
    origin: Event | None
    corrections: Sequence[Event]
    copies: Sequence[Event]

    @property
    def arrived(self) -> int:
        """Return at how many subscriptions it arrived."""
        return len({leg.delivery.subscription_id for leg in self._in("delivered")})

    @property
    def missing(self) -> Sequence[Leg]:
        """Return what died and did not arrive there by a replay either."""
        there = {leg.delivery.subscription_id for leg in self._in("delivered")}
        return [leg for leg in self._in("dead") if leg.delivery.subscription_id not in there]

    @property
    def waiting(self) -> Sequence[Leg]:
        """Return what is still owed."""
        return [*self._in("pending"), *self._in("retrying")]

    @property
    def subscribers(self) -> int:
        """Return to how many subscriptions it goes or went."""
        return len({leg.delivery.subscription_id for leg in self.legs if leg.state != "skipped"})

    def _in(self, state: str) -> list[Leg]:
        return [leg for leg in self.legs if leg.state == state]


def of(event: Event, *, viewer: User, now: datetime) -> Life:
    """Return the life of an event; needs `with_names()`; a fixed number of queries."""
    here = Q(environment=event.environment)
    made_of_it = Q(causation_id__in=[event.event_id, str(event.pk), f"msg_{event.pk}"])
    made_from_it = _relatives(event, viewer, Q(origin_id=event.pk))
    made_by = Q(event_id=event.causation_id) | _by_key(event)
    return Life(
        event=event,
        payload=payloads.seen_by(event, viewer=viewer),
        legs=legs.of(_deliveries(event, viewer), viewer=viewer),
        unsent=_unsent(event, viewer),
        left_out=left_out(event, viewer=viewer, now=now),
        decisions=decisions.of(event, viewer=viewer),
        causes=_relatives(event, viewer, here & made_by) if event.causation_id else [],
        effects=_relatives(event, viewer, here & made_of_it),
        origin=_origin(event, viewer),
        corrections=[one for one in made_from_it if one.environment == event.environment],
        copies=[one for one in made_from_it if one.environment != event.environment],
    )


def left_out(event: Event, *, viewer: User, now: datetime) -> list[LeftOut]:
    """Return who gets nothing of the event, as far as the viewer may see them.

    A subscription that would get it by today's rules and did not is among them: it was made or
    changed later.
    """
    try:
        choices = routing.explain(event, now=now)
    except Stale:
        return []  # nobody can tell just now; the page is worth showing without
    routed = set(Delivery.objects.filter(event=event).values_list("subscription_id", flat=True))
    others = {one.subscription.id: one for one in choices if one.subscription.id not in routed}
    seen = access.restrict(
        Subscription.objects.filter(pk__in=others), viewer, Action.SUBSCRIPTION_VIEW
    )
    return [
        LeftOut(subscription=one, sentence=_sentence(others[one.pk]))
        for one in seen.order_by("number")
    ]


def attributes_of(event: Event) -> list[tuple[str, str]]:
    """Return the CloudEvents attributes by their own names."""
    envelope = envelopes.envelope_of(event, None, type_name=event.type.name)
    document = json.loads(to_structured_bytes(envelope))
    return [(name, str(value)) for name, value in document.items() if value not in ("", None)]


def _deliveries(event: Event, viewer: User) -> list[Delivery]:
    seen = access.restrict(Delivery.objects.filter(event=event), viewer, Action.DELIVERY_VIEW)
    named = seen.select_related(
        "subscription", "subscription__application", "subscription__application__team"
    )
    return list(named.order_by("pk")[:MOST_DELIVERIES])


def _unsent(event: Event, viewer: User) -> list[ReplayItem]:
    seen = access.restrict(Replay.objects.all(), viewer, Action.REPLAY_VIEW)
    items = ReplayItem.objects.filter(event_id=event.pk, delivery_id__isnull=True, replay__in=seen)
    named = items.select_related("subscription", "replay__requested_by", "replay__approved_by")
    return list(named.order_by("pk")[:MOST_RELATIVES])


def _sentence(choice: Choice) -> str:
    if choice.verdict in (Verdict.DELIVER, Verdict.SKIP):
        return _("It was connected, or changed, after this event came.")
    return choice.sentence


def _origin(event: Event, viewer: User) -> Event | None:
    """Return what the event corrects or was copied from; a copy's stands in production."""
    if event.origin_id is None:
        return None
    return next(iter(_relatives(event, viewer, Q(pk=event.origin_id))), None)


def _relatives(event: Event, viewer: User, which: Q) -> list[Event]:
    seen = access.restrict(
        Event.objects.filter(which).exclude(pk=event.pk), viewer, Action.EVENT_VIEW
    )
    return list(seen.with_names().order_by("id")[:MOST_RELATIVES])


def _by_key(event: Event) -> Q:
    """Return the condition for a flow that named the cause by our own id."""
    try:
        return Q(pk=UUID(event.causation_id.removeprefix("msg_")))
    except ValueError:
        return Q(pk__in=[])
