"""Copies: what happened in production, tried again in staging, with invented personal values.

Events never cross from one environment to the other. A copy is a new event of the same application
in staging: it passes the edge there, names the production event in its extension attribute
`copyof`, and holds an invented value wherever the contract marks a field as sensitive.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog import referring, schemas
from catalog.models import User
from catalog.schemas import Harmless, StandIn
from catalog.words import Environment
from delivery import corrections, envelopes, remaking
from delivery.models import Event, Subscription
from delivery.recording import Prepared
from delivery.remaking import Faulty, Outlook
from governance import access
from governance.actions import Action
from governance.governed import governed, record

COPY_OF = "copyof"  # an extension attribute: our own id of the production event
# They say what came before the event in production, and there is no such past in staging.
_OF_ITS_PAST = (
    envelopes.CAUSATION,
    envelopes.HOPS,
    envelopes.TRACE,
    corrections.CORRECTS,
)
# What the catalog or the copy itself says: no words of the publisher's for this event.
_NOT_OF_THE_PUBLISHER = frozenset({"specversion", "type", "dataschema", "datacontenttype", "id"})
# A shorter value stands in other texts by chance; it counts where it is the whole text.
_TELLING_CHARACTERS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How to copy: an empty version is the event's own, `to` None everyone in staging."""

    version: str = ""
    to: Subscription | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Copying:
    """What a copy would be: its data, what was invented, and attributes that stay behind."""

    outlook: Outlook
    data: object = None
    stand_ins: Sequence[StandIn] = ()
    left_out: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """The attributes and the data of a copy; `text` is the data as it is to travel."""

    members: dict[str, object]
    harmless: Harmless
    text: str
    left_out: tuple[str, ...]


def preview(event: Event, wish: Wish, *, by: User, now: datetime) -> Copying:
    """Say what copying the event would make, and who in staging would get it, without doing it.

    Raises PermissionDenied, and `knowledge.Stale` when nobody can tell what governance allows.
    """
    _require(event, wish, by)
    try:
        draft = _draft(event, wish)
    except Faulty as faulty:
        return Copying(outlook=Outlook(faults=faulty.faults))
    try:
        outlook = remaking.outlook(_prepared(event, wish, draft, now))
    except Faulty as faulty:
        outlook = Outlook(faults=faulty.faults)
    return Copying(
        outlook=outlook,
        data=draft.harmless.data,
        stand_ins=draft.harmless.stand_ins,
        left_out=draft.left_out,
    )


def copy(event: Event, wish: Wish, *, reason: str, by: User, now: datetime) -> Event:
    """Publish a copy of a production event in staging, and return it.

    The same wish again answers with the same copy. Raises PermissionDenied, and ValidationError for
    an event that cannot be copied, by JSON pointer for what the edge refuses, and for no reason.
    """
    _require(event, wish, by)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: the ledger keeps it.")})
    try:
        draft = _draft(event, wish)
        prepared = _prepared(event, wish, draft, now)
        with governed(by=by, now=now, reason=reason.strip()):
            return _publish(event, draft, prepared)
    except Faulty as faulty:
        raise remaking.refusal(faulty.faults) from None


def may_copy(event: Event, *, by: User) -> bool:
    """Tell whether somebody may copy the event: that needs to see its data too."""
    needed = {Action.EVENT_COPY, Action.PAYLOAD_VIEW}
    return event.environment == Environment.PRODUCTION and needed <= access.can(by, event, needed)


def _require(event: Event, wish: Wish, by: User) -> None:
    access.require(by, Action.EVENT_COPY, event)
    access.require(by, Action.PAYLOAD_VIEW, event)
    if wish.to is not None:
        access.require(by, Action.SUBSCRIPTION_TEST, wish.to)


def _draft(event: Event, wish: Wish) -> _Draft:
    """Return what the copy would be; raises `Faulty` for an event that cannot be copied."""
    stored, version = remaking.stored(event), wish.version or event.version.version
    if event.environment != Environment.PRODUCTION:
        raise Faulty([("", _("Only an event of production can be copied to staging."))])
    if stored is None:
        raise Faulty([("", _("Its data is no longer kept, so there is nothing to copy."))])
    harmless = _harmless(event, json.loads(stored or "null"), version)
    text = json.dumps(harmless.data, ensure_ascii=False) if harmless.stand_ins else stored
    members = remaking.members_of(event, text=stored, version=version)
    left_out = tuple(
        name
        for name, value in members.items()
        if name not in _NOT_OF_THE_PUBLISHER and _tells(value, harmless)
    )
    if "source" in left_out:
        raise Faulty([("/source", _("It holds a sensitive value, and no event is without it."))])
    gone = {*left_out, *_OF_ITS_PAST}
    kept = {name: value for name, value in members.items() if name not in gone}
    # The same copy has the same id, so a button that is pressed twice publishes once.
    kept["id"] = str(uuid5(event.pk, json.dumps([COPY_OF, text, version, _name_of(wish.to)])))
    kept[COPY_OF] = str(event.pk)
    return _Draft(members=kept, harmless=harmless, text=text, left_out=left_out)


def _harmless(event: Event, data: object, version: str) -> Harmless:
    """Replace what the event's own contract calls sensitive, and what that of the copy does."""
    others = event.type.versions.filter(version=version).exclude(pk=event.version_id)
    found = schemas.without_sensitive(data, event.version.document, resolve=referring.resolve)
    for other in others:
        more = schemas.without_sensitive(found.data, other.document, resolve=referring.resolve)
        stand_ins = {one.pointer: one for one in (*found.stand_ins, *more.stand_ins)}
        found = Harmless(
            data=more.data, stand_ins=tuple(stand_ins.values()), taken=found.taken | more.taken
        )
    return found


def _name_of(to: Subscription | None) -> str:
    return str(to.pk) if to else ""


def _tells(value: object, harmless: Harmless) -> bool:
    """Tell whether an attribute gives away a value that was replaced in the data."""
    text = str(value)
    return any(
        one == text or (len(one) >= _TELLING_CHARACTERS and one in text) for one in harmless.taken
    )


def _prepared(event: Event, wish: Wish, draft: _Draft, now: datetime) -> Prepared:
    """Let the copy through every rule of the edge in staging; raises `Faulty`."""
    new = remaking.envelope(draft.members, data=draft.harmless.data, text=draft.text)
    staging = Environment.STAGING
    spared: frozenset[UUID] = frozenset()
    if wish.to is not None:
        others = Subscription.objects.filter(topic=event.type.topic, environment=staging)
        spared = frozenset(others.exclude(pk=wish.to.pk).values_list("pk", flat=True))
    prepared = remaking.prepare(event, new, environment=staging, now=now, spared=spared)
    if wish.to is not None and wish.to.pk not in remaking.outlook(prepared).goes_to:
        told = _("%(name)s would not get it: see its filter, its types and its grant.")
        raise Faulty([("/to", told % {"name": wish.to.name})])
    return prepared


def _publish(event: Event, draft: _Draft, prepared: Prepared) -> Event:
    made, outcome = remaking.publish(prepared)
    if not outcome.is_duplicate:
        record(
            Action.EVENT_COPY,
            event,
            before={"data": remaking.digest(remaking.stored(event) or "")},
            after={
                "event": made.pk,
                "id": made.event_id,
                "environment": made.environment,
                "data": remaking.digest(draft.text),
                "replaced": [one.pointer for one in draft.harmless.stand_ins],
                "left_out": list(draft.left_out),
                "deliveries": outcome.deliveries,
            },
            related=(event.application, event.type.topic, event.type),
        )
    return made
