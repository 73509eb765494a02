"""Read what answers say of many events or deliveries, in as many queries as for one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import Count

from catalog import referring, schemas
from catalog.ids import instant_of
from catalog.models import User
from delivery import decisions, envelopes, expunging
from delivery.api.shapes import RETRYING
from delivery.cloudevents import to_structured_bytes
from delivery.decisions import Decision
from delivery.models import Attempt, Delivery, Event, Payload, QueueRow
from delivery.states import DeliveryStatus
from governance import access
from governance.actions import Action

Members = dict[str, object]


def events(rows: Sequence[Event], *, viewer: User) -> list[Members]:
    """Return the events whole, as far as the viewer may see; rows need `with_names()`.

    Data is masked, or left out, by the same permissions as on the pages; so are deliveries.
    """
    ids = [row.pk for row in rows]
    payloads = dict(Payload.objects.filter(pk__in=ids).values_list("event_id", "data"))
    whole = _allowed(ids, viewer, Action.SENSITIVE_VIEW)
    shown = _allowed(ids, viewer, Action.PAYLOAD_VIEW)
    taken = expunging.of({pk for pk in ids if pk not in payloads})
    owed = _deliveries_of(ids, viewer)
    decided = decisions.of_each(ids, viewer=viewer)
    found = []
    for row in rows:
        payload, envelope = _envelope(
            row, payloads.get(row.pk), is_shown=row.pk in shown, is_whole=row.pk in whole
        )
        found.append(
            {
                "id": row.pk,
                "environment": row.environment,
                "topic": row.type.topic.name,
                "application": row.application.slug,
                "version": row.version.version,
                "received_at": row.received_at,
                "payload": payload,
                "envelope": envelope,
                "expunged": str(taken[row.pk]) if row.pk in taken and row.pk in shown else None,
                "deliveries": owed.get(row.pk, []),
                "decisions": [decision(one) for one in decided.get(row.pk, [])],
            }
        )
    return found


def decision(one: Decision) -> Members:
    """Return what a rule decided; the rule itself is named to those who may see it."""
    return {
        "subscription": one.subscription.pk,
        "rule": one.rule.pk if one.may_open else None,
        "rule_version": one.rule_version,
        "effect": one.effect,
        "sentence": one.sentence,
    }


def deliveries(rows: Sequence[Delivery]) -> list[Members]:
    """Return what lists say of deliveries; rows need `with_names()`."""
    ids = [row.pk for row in rows]
    queue = _queue(rows)
    counts = dict(
        Attempt.objects.filter(delivery_id__in=ids)
        .order_by()
        .values_list("delivery_id")
        .annotate(Count("pk"))
    )
    return [
        {
            "id": row.pk,
            "event": row.event_id,
            "event_type": row.event.type.name,
            "event_id": row.event.event_id,
            "source": row.event.source,
            "subscription": row.subscription_id,
            "environment": row.environment,
            "created_at": instant_of(row.pk),
            "attempt_count": counts.get(row.pk, 0),
            "failure_group": row.failure_group_id,
            "replay": row.replay_id,
            "repeats": row.repeats_id,
            **_standing(row, queue),
        }
        for row in rows
    ]


def _allowed(ids: Iterable[UUID], viewer: User, action: Action) -> set[UUID]:
    rows = access.restrict(Event.objects.filter(pk__in=ids), viewer, action)
    return set(rows.order_by().values_list("pk", flat=True))


def _envelope(
    row: Event, data: str | None, *, is_shown: bool, is_whole: bool
) -> tuple[str, Members]:
    """Return how much of the data is there, and the event in CloudEvents' JSON format."""
    envelope = envelopes.envelope_of(row, data if is_shown else None, type_name=row.type.name)
    members: Members = json.loads(to_structured_bytes(envelope))
    if not is_shown:
        return "hidden", members
    if data is None:
        return "gone", members
    if is_whole or "data" not in members:
        return "whole", members
    masked = schemas.mask(members["data"], row.version.document, resolve=referring.resolve)
    is_masked = masked != members["data"]
    members["data"] = masked
    return "masked" if is_masked else "whole", members


def _deliveries_of(event_ids: Sequence[UUID], viewer: User) -> Mapping[UUID, list[Members]]:
    """Return each event's deliveries; whoever only sent it learns no more than how they fare."""
    about = Delivery.objects.filter(event_id__in=event_ids)
    rows = list(access.restrict(about, viewer, Action.DELIVERY_TRACE).order_by("pk"))
    whole = set(access.restrict(about, viewer, Action.DELIVERY_VIEW).values_list("pk", flat=True))
    tries: dict[UUID, list[Attempt]] = {}
    attempts = Attempt.objects.filter(delivery_id__in=[row.pk for row in rows])
    for attempt in attempts.order_by("pk"):
        if attempt.delivery_id not in whole:
            attempt.url = attempt.message = attempt.response_excerpt = ""
        tries.setdefault(attempt.delivery_id, []).append(attempt)
    queue = _queue(rows)
    found: dict[UUID, list[Members]] = {}
    for row in rows:
        found.setdefault(row.event_id, []).append(
            {
                "id": row.pk,
                "subscription": row.subscription_id,
                "attempts": tries.get(row.pk, []),
                **_standing(row, queue),
            }
        )
    return found


def _queue(rows: Iterable[Delivery]) -> Mapping[UUID, QueueRow]:
    return QueueRow.objects.in_bulk(
        [row.pk for row in rows if row.status == DeliveryStatus.PENDING]
    )


def _standing(row: Delivery, queue: Mapping[UUID, QueueRow]) -> Members:
    """Return how a delivery stands; what waits in a feed is never due."""
    waits = queue.get(row.pk)
    is_tried = waits is not None and waits.attempts > 0
    is_due = waits is not None and waits.due_at.year < 9999
    return {
        "status": RETRYING if is_tried else row.status,
        "reason": row.reason,
        "ended_at": row.ended_at,
        "next_attempt_at": waits.due_at if waits is not None and is_due else None,
    }
