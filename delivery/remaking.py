"""Making one event of another: what corrections and copies have in common.

Either is a new event that passes the edge and is routed like any other; only its beginnings stand
in an old one. Nothing here asks for permission: the verbs do.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError

from catalog import referring
from delivery import configuration, edge, envelopes, knowledge, publishing
from delivery.cloudevents import Envelope, Refusal, from_members, to_structured_bytes
from delivery.known import Publisher
from delivery.models import Event, Payload
from delivery.recording import Prepared, Recorded
from delivery.states import SkipReason

Fault = tuple[str, str]  # JSON pointer into the event, sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What publishing the new event would do: faults, or to whom it goes and who is spared."""

    faults: Sequence[Fault] = ()
    goes_to: Sequence[UUID] = ()
    spared: Sequence[UUID] = ()


class Faulty(Exception):
    """The new event cannot be published: say each fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)


def refusal(faults: Sequence[Fault]) -> ValidationError:
    """Return what to raise for an event with these faults, each at its pointer."""
    return ValidationError({pointer.strip("/") or "data": told for pointer, told in faults})


def versions_of(event: Event, *, environment: str) -> Mapping[str, str]:
    """Return the versions that are live there: number and number, the event's own first."""
    known = knowledge.current().event_types.get(event.type.name)
    if known is None:
        return {}
    live = [number for place, number in known.versions if place == environment]
    own = event.version.version
    live.sort(key=lambda number: (number != own, number))
    return {number: number for number in live}


def stored(event: Event) -> str | None:
    """Return the text of the event's data: empty for an event without, None when it is gone."""
    return Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()


def members_of(event: Event, *, text: str | None, version: str) -> dict[str, object]:
    """Return the event's attributes by name, for one whose data is kept to this version.

    `text` is its stored data. An ordering key that came out of it is left out, so that it follows
    the new data; an empty version is the newest that is live.
    """
    name = event.type.name
    members: dict[str, object] = json.loads(
        to_structured_bytes(envelopes.envelope_of(event, None, type_name=name))
    )
    if _is_key_derived(event, text):
        del members[envelopes.PARTITION]
    members["dataschema"] = (
        configuration.public_url() + referring.schema_path(name, version) if version else None
    )
    return members


def envelope(members: dict[str, object], *, data: object, text: str) -> Envelope:
    """Return the envelope of these attributes and of data in JSON; raises `Faulty`.

    `text` is the data as it is to travel, empty for none.
    """
    if text:
        members = {**members, "datacontenttype": "application/json", "data": data}
    try:
        return from_members(members, text.encode() if text else None)
    except Refusal as refusal:
        raise Faulty(refusal.errors) from None


def prepare(
    event: Event,
    new: Envelope,
    *,
    environment: str,
    now: datetime,
    spared: Collection[UUID] = (),
) -> Prepared:
    """Let the new event through every rule of the edge, in its application's name, and route it.

    Raises `Faulty`, and `knowledge.Stale` when nobody can tell what governance allows.
    """
    try:
        return publishing.prepare(
            knowledge.current(),
            Publisher(application_id=event.application_id, environment=environment),
            new,
            now,
            origin_id=event.pk,
            spared=spared,
        )
    except edge.Refused as refused:
        raise Faulty(refused.errors or (("", refused.detail),)) from None


def outlook(prepared: Prepared) -> Outlook:
    """Say to whom a prepared event goes, and who is spared."""
    owed = prepared.route.owed
    return Outlook(
        goes_to=[one.subscription.id for one in owed if not one.skipped],
        spared=[
            one.subscription.id for one in owed if one.skipped == SkipReason.NOT_CONCERNED.value
        ],
    )


def publish(prepared: Prepared) -> tuple[Event, Recorded]:
    """Store a prepared event; return it with what became of it. Raises `Faulty`."""
    (outcome,) = publishing.record([prepared])
    if isinstance(outcome, edge.Refused):
        raise Faulty(outcome.errors or (("", outcome.detail),))
    made = Event.objects.with_names().get(
        environment=prepared.accepted.publisher.environment,
        source=outcome.source,
        event_id=outcome.id,
    )
    return made, outcome


def digest(text: str) -> str:
    """Return what the ledger keeps of data: its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_key_derived(event: Event, text: str | None) -> bool:
    """Tell whether the ordering key came out of the data."""
    known = knowledge.current().event_types.get(event.type.name)
    if known is None or known.topic.ordering_path is None or not event.partition_key:
        return False
    bare = Envelope(id="-", source="-", type="-", data=json.loads(text or "null"))
    return known.topic.partition_key(bare) == event.partition_key
