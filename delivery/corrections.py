"""Corrections: a new event with mended data takes the place of one that could not be used.

An event never changes. A correction is published anew, by the same application and through the same
edge, and names the one it corrects in its extension attribute `corrects`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import User
from delivery import dead_letters, remaking, strict_json, unmasking
from delivery.cloudevents import Envelope
from delivery.models import Delivery, Event, QueueRow
from delivery.payloads import Seen, seen_by
from delivery.recording import Prepared
from delivery.remaking import Fault, Faulty, Outlook
from delivery.states import DeliveryStatus
from governance import access
from governance.actions import Action
from governance.governed import governed, record

CORRECTS = "corrects"  # an extension attribute: the `id` of the event, of the same `source`


class Audience(StrEnum):
    """Who gets a correction: those that lack the event, or everyone who would get a new one."""

    MISSING = "missing"
    ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What somebody wants to publish in place of an event; an empty version is the newest live."""

    text: str
    subject: str = ""
    version: str = ""
    audience: Audience = Audience.MISSING


def outlook(event: Event, draft: Draft, *, by: User, now: datetime) -> Outlook:
    """Say what publishing the draft would do, without doing it.

    Raises PermissionDenied, and `knowledge.Stale` when nobody can tell what governance allows.
    """
    _require(event, by)
    try:
        prepared = _prepared(event, draft, by, now)
    except Faulty as faulty:
        return Outlook(faults=faulty.faults)
    return remaking.outlook(prepared)


def correct(event: Event, draft: Draft, *, reason: str, by: User, now: datetime) -> Event:
    """Publish the draft in place of the event, and return the new one.

    What is dead or still owed of the old event, where the new one goes, is discarded: it was
    corrected. The same draft again answers with the same new event. Raises PermissionDenied, and
    ValidationError by JSON pointer for a draft that the edge refuses, and for a missing reason.
    """
    _require(event, by)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: the ledger keeps it.")})
    try:
        prepared = _prepared(event, draft, by, now)
        with governed(by=by, now=now, reason=reason.strip()):
            return _publish(event, prepared, now)
    except Faulty as faulty:
        raise remaking.refusal(faulty.faults) from None


def may_correct(event: Event, *, by: User) -> bool:
    """Tell whether somebody may mend the event: that needs to see its data too."""
    needed = {Action.EVENT_CORRECT, Action.PAYLOAD_VIEW}
    return needed <= access.can(by, event, needed)


def _require(event: Event, by: User) -> None:
    access.require(by, Action.EVENT_CORRECT, event)
    access.require(by, Action.PAYLOAD_VIEW, event)


def _publish(event: Event, prepared: Prepared, now: datetime) -> Event:
    made, outcome = remaking.publish(prepared)
    if not outcome.is_duplicate:
        goes_to = [one.subscription.id for one in prepared.route.owed if not one.skipped]
        superseded = _supersede(event, made, goes_to, now)
        record(
            Action.EVENT_CORRECT,
            event,
            before={"data": remaking.digest(remaking.stored(event) or "")},
            after={
                "event": made.pk,
                "id": made.event_id,
                "data": remaking.digest((prepared.accepted.envelope.data_raw or b"").decode()),
                "deliveries": outcome.deliveries,
                "superseded": superseded,
            },
            related=(event.application, event.type.topic, event.type),
        )
    return made


def _supersede(event: Event, made: Event, goes_to: Sequence[UUID], now: datetime) -> int:
    """End what is owed or dead of the old event where the new one goes; return how many."""
    old = Delivery.objects.select_for_update(no_key=True).filter(
        event=event,
        subscription_id__in=goes_to,
        status__in=[DeliveryStatus.PENDING, DeliveryStatus.DEAD],
    )
    ids = list(old.order_by("pk").values_list("pk", flat=True))
    how = _("Corrected by %(id)s") % {"id": made.event_id}
    Delivery.objects.filter(pk__in=ids).update(
        status=DeliveryStatus.DISCARDED, reason=how[:200], ended_at=now
    )
    QueueRow.objects.filter(delivery_id__in=ids).delete()
    dead_letters.resolve(ids, how=how[:200], now=now)
    return len(ids)


def _prepared(event: Event, draft: Draft, by: User, now: datetime) -> Prepared:
    """Let the draft through every rule of the edge, and route it; raises `Faulty`."""
    seen, stored = seen_by(event, viewer=by), remaking.stored(event)
    data, hidden = _data(draft, seen, stored)
    spared = _have_it(event) if draft.audience == Audience.MISSING else frozenset()
    new = _envelope(event, draft, data, stored)
    try:
        return remaking.prepare(event, new, environment=event.environment, now=now, spared=spared)
    except Faulty as faulty:
        raise Faulty([_without_hidden(fault, hidden) for fault in faulty.faults]) from None


def _data(draft: Draft, seen: Seen, stored: str | None) -> tuple[str, Sequence[str]]:
    """Return the data that is meant, as text, and pointers to what its editor could not see."""
    text = draft.text.strip()
    if not text:
        return "", ()
    try:
        edited = strict_json.parse(text.encode(errors="surrogatepass"))
    except strict_json.Refused as refused:
        raise Faulty([(f"/data{refused.pointer}", refused.message)]) from None
    if not seen.is_masked or stored is None:
        return text, ()
    restored = unmasking.restore(edited, shown=seen.data, stored=json.loads(stored))
    if restored.unclear:
        told = _("Write the value: nobody can tell what these dots stand for here.")
        raise Faulty([(f"/data{pointer}", told) for pointer in restored.unclear])
    if not restored.hidden:
        return text, ()
    return json.dumps(restored.data, ensure_ascii=False), restored.hidden


def _envelope(event: Event, draft: Draft, text: str, stored: str | None) -> Envelope:
    """Return the envelope of the correction; raises `Faulty`, also for no change."""
    data = strict_json.parse(text.encode()) if text else None
    is_same = (data, draft.subject) == (json.loads(stored or "null"), event.subject or "")
    if is_same and draft.version in ("", event.version.version):
        raise Faulty([("", _("Change something: a replay sends the same again."))])
    members = remaking.members_of(event, text=stored, version=draft.version)
    members["subject"] = draft.subject or None
    members["id"] = str(uuid5(event.pk, _fingerprint(draft, text)))
    members[CORRECTS] = event.event_id
    return remaking.envelope(members, data=data, text=text)


def _fingerprint(draft: Draft, text: str) -> str:
    # The same draft has the same id, so a button that is pressed twice publishes once.
    return json.dumps([text, draft.subject, draft.version, draft.audience])


def _have_it(event: Event) -> frozenset[UUID]:
    arrived = Delivery.objects.filter(event=event, status=DeliveryStatus.DELIVERED)
    return frozenset(arrived.values_list("subscription_id", flat=True))


def _without_hidden(fault: Fault, hidden: Sequence[str]) -> Fault:
    """Keep a sentence from telling what a value is like to somebody who may not see it."""
    for place in hidden:
        if fault[0] == f"/data{place}" or fault[0].startswith(f"/data{place}/"):
            told = _("The value that is hidden from you does not fit. Write another one.")
            return f"/data{place}", told
    return fault
