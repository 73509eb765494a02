"""Whether one event may go to one subscription again, asked anew for each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from delivery import knowledge, routing
from delivery.models import Delivery, Event, Payload
from delivery.replay_selections import Candidate
from delivery.states import DeliveryStatus
from delivery.verdicts import Verdict

BATCH = 500


class Refusal(StrEnum):
    """Why an item of a replay is not sent."""

    ARRIVED = "arrived"
    OWED = "owed"
    NO_GRANT = "no_grant"
    RESIDENCY = "residency"
    FILTERED = "filtered"
    RULE = "rule"
    CONTRACT = "contract"
    EXPUNGED = "expunged"
    CANCELLED = "cancelled"


SENTENCES: Mapping[str, object] = {
    Refusal.ARRIVED: _("It has arrived there since."),
    Refusal.OWED: _("It waits there already and goes by itself."),
    Refusal.NO_GRANT: _("The application has no grant for the topic."),
    Refusal.RESIDENCY: _("The event is bound to other regions."),
    Refusal.FILTERED: _("The subscription's filter no longer matches."),
    Refusal.RULE: _("A routing rule keeps the event away from it."),
    Refusal.CONTRACT: _("The subscription no longer asks for this type or version."),
    Refusal.EXPUNGED: _("Its payload is no longer kept."),
    Refusal.CANCELLED: _("The replay was cancelled first."),
}

_BY_VERDICT = {
    Verdict.OTHER_TYPE: Refusal.CONTRACT,
    Verdict.OTHER_VERSION: Refusal.CONTRACT,
    Verdict.FILTERED: Refusal.FILTERED,
}


def refusals(
    candidates: Sequence[Candidate], *, now: datetime, includes_arrived: bool = False
) -> list[Refusal | None]:
    """Return for each candidate why it may not go now, None where it may.

    `includes_arrived` sends again what has arrived since. Raises `knowledge.Stale`.
    """
    found: list[Refusal | None] = []
    for start in range(0, len(candidates), BATCH):
        found += _batch(candidates[start : start + BATCH], now, includes_arrived)
    return found


def _batch(
    candidates: Sequence[Candidate], now: datetime, includes_arrived: bool
) -> list[Refusal | None]:
    ids = {one.event_id for one in candidates}
    events = Event.objects.filter(pk__in=ids).with_names().in_bulk()
    payloads = dict(Payload.objects.filter(event_id__in=ids).values_list("event_id", "data"))
    elsewhere = _elsewhere(ids)
    known = knowledge.current()
    found: list[Refusal | None] = []
    for one in candidates:
        statuses = elsewhere.get((one.event_id, one.subscription_id), {})
        others = {status for pk, status in statuses.items() if pk != one.repeats_id}
        event = events.get(one.event_id)
        if DeliveryStatus.PENDING in others:
            found.append(Refusal.OWED)
        elif DeliveryStatus.DELIVERED in others and not includes_arrived:
            found.append(Refusal.ARRIVED)
        elif event is None or one.event_id not in payloads:
            found.append(Refusal.EXPUNGED)
        else:
            verdict, reason = routing.judge_again(
                known, event, payloads[one.event_id], one.subscription_id, now=now
            )
            skipped = Refusal(reason) if verdict is Verdict.SKIP else None
            found.append(_BY_VERDICT.get(verdict, skipped))
    return found


def _elsewhere(events: set[UUID]) -> Mapping[tuple[UUID, UUID], Mapping[UUID, str]]:
    """Return how every delivery of these events stands, by event and subscription."""
    found: dict[tuple[UUID, UUID], dict[UUID, str]] = {}
    rows = Delivery.objects.filter(event_id__in=events).values_list(
        "event_id", "subscription_id", "pk", "status"
    )
    for event_id, subscription_id, pk, status in rows:
        found.setdefault((event_id, subscription_id), {})[pk] = status
    return found
