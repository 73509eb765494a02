"""A dead letter as a case: the event, every try, the payload as far as the viewer may see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from catalog import referring, schemas
from catalog.models import SchemaVersion, User
from catalog.words import ReleaseState
from delivery import curl, diagnosis
from delivery.models import Attempt, DeadLetter, Delivery, Event
from delivery.payloads import Seen
from governance import access
from governance.actions import Action


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A dead letter with what a page shows of it; `data` is None where it may not be seen."""

    letter: DeadLetter
    event: Event | None
    attempts: Sequence[Attempt]
    data: object
    is_masked: bool
    limit: diagnosis.Text
    command: str = ""  # the request as a shell command, secrets masked; empty where unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What one version of the contract says of an event's data: pointers and sentences."""

    version: str
    faults: Sequence[tuple[str, str]]


def held_against(letter: DeadLetter) -> list[Held]:
    """Hold the data against its own version, and against the newest live one if that is another.

    The sentences name fields and what is asked of them, never a value.
    """
    versions = SchemaVersion.objects.filter(event_type__name=letter.event_type)
    own = versions.filter(version=letter.version).first()
    live = versions.filter(
        releases__environment=letter.environment, releases__state=ReleaseState.LIVE
    )
    newest = live.newest_first().first()
    data = json.loads(letter.payload) if letter.payload else None
    found: list[Held] = []
    for one in [own, newest]:
        if one is not None and one.version not in {held.version for held in found}:
            validator = schemas.validator_for(one.document, resolve=referring.resolve)
            faults = [(problem[0], problem[1]) for problem in validator.iter_errors(data)]
            found.append(Held(version=one.version, faults=faults))
    return found


def with_events(found: Sequence[DeadLetter]) -> list[tuple[DeadLetter, Event | None]]:
    """Return each letter with its event, None where retention took it; one query."""
    events = Event.objects.with_names().in_bulk([one.event_id for one in found])
    return [(one, events.get(one.event_id)) for one in found]


def opened(letter: DeadLetter, *, viewer: User) -> Letter:
    """Return a letter with its tries, oldest first, and its payload masked for the viewer."""
    event = Event.objects.with_names().filter(pk=letter.event_id).first()
    attempts = list(Attempt.objects.filter(delivery_id=letter.pk).order_by("id"))
    data, is_masked = _data(letter, event, viewer)
    return Letter(
        letter=letter,
        event=event,
        attempts=attempts,
        data=data,
        is_masked=is_masked,
        limit=diagnosis.explain_limit(letter.limit),
        command=_command(letter, Seen(data=data) if data is not None else None),
    )


def _command(letter: DeadLetter, seen: Seen | None) -> str:
    """Return the request that was sent, as far as its data may be seen."""
    if seen is None:
        return ""
    rows = Delivery.objects.select_related("event__type", "subscription__endpoint")
    delivery = rows.filter(pk=letter.pk).first()
    return curl.to_deliver(delivery, seen, now=letter.last_attempt_at) if delivery else ""


def _data(letter: DeadLetter, event: Event | None, viewer: User) -> tuple[object, bool]:
    if event is None or not letter.payload:
        return None, False
    return readable(letter.payload, event, viewer=viewer)


def readable(text: str, event: Event, *, viewer: User) -> tuple[object, bool]:
    """Return an event's data as far as the viewer may see it, and whether parts are masked."""
    if not access.allows(viewer, Action.PAYLOAD_VIEW, event):
        return None, False
    data = json.loads(text)
    if access.allows(viewer, Action.SENSITIVE_VIEW, event):
        return data, False
    masked = schemas.mask(data, event.version.document, resolve=referring.resolve)
    return masked, masked != data
