"""Corrections: a new event with mended data takes the place of one that could not be used.

An event never changes. A correction is published anew, by the same application and through the same
edge, and names the one it corrects in its extension attribute `corrects`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog import referring
from catalog.models import User
from delivery import (
    configuration,
    dead_letters,
    edge,
    envelopes,
    knowledge,
    publishing,
    strict_json,
    unmasking,
)
from delivery.cloudevents import Envelope, Refusal, from_members, to_structured_bytes
from delivery.known import Publisher
from delivery.models import Delivery, Event, Payload, QueueRow
from delivery.payloads import Seen, seen_by
from delivery.recording import Prepared
from delivery.states import DeliveryStatus, SkipReason
from governance import access
from governance.actions import Action
from governance.governed import governed, record

CORRECTS = "corrects"  # an extension attribute: the `id` of the event, of the same `source`
Fault = tuple[str, str]  # JSON pointer into the event, sentence


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What publishing a draft would do: faults, or to whom it goes and who is spared."""

    faults: Sequence[Fault] = ()
    goes_to: Sequence[UUID] = ()
    spared: Sequence[UUID] = ()


class _Faulty(Exception):
    """The draft cannot be published: say each fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)


def outlook(event: Event, draft: Draft, *, by: User, now: datetime) -> Outlook:
    """Say what publishing the draft would do, without doing it.

    Raises PermissionDenied, and `knowledge.Stale` when nobody can tell what governance allows.
    """
    _require(event, by)
    try:
        prepared = _prepared(event, draft, by, now)
    except _Faulty as faulty:
        return Outlook(faults=faulty.faults)
    owed = prepared.route.owed
    return Outlook(
        goes_to=[one.subscription.id for one in owed if not one.skipped],
        spared=[
            one.subscription.id for one in owed if one.skipped == SkipReason.NOT_CONCERNED.value
        ],
    )


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
    except _Faulty as faulty:
        raise refusal(faulty.faults) from None


def refusal(faults: Sequence[Fault]) -> ValidationError:
    """Return what to raise for a draft with these faults, each at its pointer."""
    return ValidationError({pointer.strip("/") or "data": told for pointer, told in faults})


def may_correct(event: Event, *, by: User) -> bool:
    """Tell whether somebody may mend the event: that needs to see its data too."""
    needed = {Action.EVENT_CORRECT, Action.PAYLOAD_VIEW}
    return needed <= access.can(by, event, needed)


def versions_of(event: Event) -> Mapping[str, str]:
    """Return the versions that may be named now: number and number, the event's own first."""
    known = knowledge.current().event_types.get(event.type.name)
    if known is None:
        return {}
    live = [number for place, number in known.versions if place == event.environment]
    own = event.version.version
    live.sort(key=lambda number: (number != own, number))
    return {number: number for number in live}


def _require(event: Event, by: User) -> None:
    access.require(by, Action.EVENT_CORRECT, event)
    access.require(by, Action.PAYLOAD_VIEW, event)


def _publish(event: Event, prepared: Prepared, now: datetime) -> Event:
    (outcome,) = publishing.record([prepared])
    if isinstance(outcome, edge.Refused):
        raise _Faulty(outcome.errors or (("", outcome.detail),))
    made = Event.objects.with_names().get(
        environment=event.environment, source=outcome.source, event_id=outcome.id
    )
    if not outcome.is_duplicate:
        goes_to = [one.subscription.id for one in prepared.route.owed if not one.skipped]
        superseded = _supersede(event, made, goes_to, now)
        record(
            Action.EVENT_CORRECT,
            event,
            before={"data": _digest(_stored(event) or "")},
            after={
                "event": made.pk,
                "id": made.event_id,
                "data": _digest((prepared.accepted.envelope.data_raw or b"").decode()),
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
    """Let the draft through every rule of the edge, and route it; raises `_Faulty`."""
    seen, stored = seen_by(event, viewer=by), _stored(event)
    data, hidden = _data(draft, seen, stored)
    spared = _have_it(event) if draft.audience == Audience.MISSING else frozenset()
    try:
        return publishing.prepare(
            knowledge.current(),
            Publisher(application_id=event.application_id, environment=event.environment),
            _envelope(event, draft, data, stored),
            now,
            origin_id=event.pk,
            spared=spared,
        )
    except Refusal as refusal:
        raise _Faulty(refusal.errors) from None
    except edge.Refused as refused:
        faults = refused.errors or (("", refused.detail),)
        raise _Faulty([_without_hidden(fault, hidden) for fault in faults]) from None


def _data(draft: Draft, seen: Seen, stored: str | None) -> tuple[str, Sequence[str]]:
    """Return the data that is meant, as text, and pointers to what its editor could not see."""
    text = draft.text.strip()
    if not text:
        return "", ()
    try:
        edited = strict_json.parse(text.encode(errors="surrogatepass"))
    except strict_json.Refused as refused:
        raise _Faulty([(f"/data{refused.pointer}", refused.message)]) from None
    if not seen.is_masked or stored is None:
        return text, ()
    restored = unmasking.restore(edited, shown=seen.data, stored=json.loads(stored))
    if restored.unclear:
        told = _("Write the value: nobody can tell what these dots stand for here.")
        raise _Faulty([(f"/data{pointer}", told) for pointer in restored.unclear])
    if not restored.hidden:
        return text, ()
    return json.dumps(restored.data, ensure_ascii=False), restored.hidden


def _envelope(event: Event, draft: Draft, text: str, stored: str | None) -> Envelope:
    """Return the envelope of the correction; raises `Refusal`, and `_Faulty` for no change."""
    name = event.type.name
    members: dict[str, object] = json.loads(
        to_structured_bytes(envelopes.envelope_of(event, None, type_name=name))
    )
    data = strict_json.parse(text.encode()) if text else None
    is_same = (data, draft.subject) == (json.loads(stored or "null"), event.subject or "")
    if is_same and draft.version in ("", event.version.version):
        raise _Faulty([("", _("Change something: a replay sends the same again."))])
    if _is_derived(event, stored):
        del members[envelopes.PARTITION]
    members["subject"] = draft.subject or None
    members["dataschema"] = _dataschema(event, draft)
    members["id"] = str(uuid5(event.pk, _fingerprint(draft, text)))
    members[CORRECTS] = event.event_id
    if text:
        members["datacontenttype"] = "application/json"
        members["data"] = data
    return from_members(members, text.encode() if text else None)


def _fingerprint(draft: Draft, text: str) -> str:
    # The same draft has the same id, so a button that is pressed twice publishes once.
    return json.dumps([text, draft.subject, draft.version, draft.audience])


def _dataschema(event: Event, draft: Draft) -> str | None:
    if not draft.version:
        return None
    return configuration.public_url() + referring.schema_path(event.type.name, draft.version)


def _is_derived(event: Event, stored: str | None) -> bool:
    """Tell whether the ordering key came out of the data: it then follows the mended data."""
    known = knowledge.current().event_types.get(event.type.name)
    if known is None or known.topic.ordering_path is None or not event.partition_key:
        return False
    bare = Envelope(id="-", source="-", type="-", data=json.loads(stored or "null"))
    return known.topic.partition_key(bare) == event.partition_key


def _stored(event: Event) -> str | None:
    return Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()


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


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
