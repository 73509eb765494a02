"""A proposed conversion between two major versions: its values, trials of it, its application."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import EventType, SchemaVersion, Topic, User
from catalog.words import Environment
from delivery import mapping, translations
from delivery.contract_checks.traffic import RECENT_EVENTS, payloads_of
from delivery.models import Event
from delivery.translating import Translation, TranslationFailed
from governance import proposals
from governance.models import ChangeRequest
from governance.proposals import Proposal, at
from governance.states import ChangeKind

MAX_MAJOR = 1_000_000  # the column holds more; no contract has had so many


@proposals.kind(ChangeKind.TRANSLATION)
@dataclass(frozen=True, kw_only=True)
class TranslationProposal(Proposal):
    """Events of the major version `from_major` become ones of `to_major` by a JMESPath mapping."""

    documents: ClassVar[frozenset[str]] = frozenset({"mapping"})

    from_major: int = -1
    to_major: int = -1
    mapping: str = ""

    @classmethod
    def taken(cls, name: str, value: Any) -> Any:
        """Read the numbers, also from text; what is none is found out by `problems`."""
        if name == "mapping":
            return value if isinstance(value, str) else json.dumps(value)
        is_number = isinstance(value, str) and re.fullmatch("[0-9]{1,7}", value) is not None
        return int(value) if is_number else value

    def problems(self) -> Iterator[ValidationError]:
        for name in ("from_major", "to_major"):
            value = getattr(self, name)
            is_number = isinstance(value, int) and not isinstance(value, bool)
            if not is_number or not 0 <= value <= MAX_MAJOR:
                yield at(_("Give a major version, such as 2."), f"/{name}")
        if self.from_major == self.to_major:
            yield at(_("Convert to another major version than the one it comes from."), "/to_major")
        if "\0" in self.mapping:
            yield at(_("A mapping cannot hold the character NUL."), "/mapping")
        try:
            mapping.compile(self.mapping)
        except mapping.InvalidMapping as error:
            yield at(error, "/mapping")

    def misfits(
        self, event_type: EventType | None, *, topic: Topic, by: User
    ) -> Iterator[ValidationError]:
        if event_type is None:
            yield at(_("Say which event type this is about."), "/event_type")
            return
        majors = set(event_type.versions.values_list("major", flat=True))
        for name in ("from_major", "to_major"):
            if getattr(self, name) not in majors:
                message = _("There is no version %s.x.") % getattr(self, name)
                yield at(message, f"/{name}")

    def heading(self, event_type: EventType | None) -> str:
        return _("%(name)s: %(source)s.x converted to %(target)s.x") % {
            "name": event_type.title if event_type else "",
            "source": self.from_major,
            "target": self.to_major,
        }

    def sides(self, change: ChangeRequest) -> tuple[str, str]:
        row = None
        if change.event_type is not None:
            row = translations.standing(
                change.event_type, from_major=self.from_major, to_major=self.to_major
            )
        return (row.mapping if row else ""), self.mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A recorded event before and after; `failure` says why there is no after."""

    event: Event
    before: object
    after: object = None
    failure: str = ""


def translation_of(change: ChangeRequest) -> Translation | None:
    """Return the proposed conversion as it would work; None where its target is accepted nowhere.

    Raises `mapping.InvalidMapping` for one that cannot be read.
    """
    proposal = proposals.of(change)
    if not isinstance(proposal, TranslationProposal) or change.event_type is None:
        return None
    target = translations.target_of(change.event_type, proposal.to_major)
    if target is None:
        return None
    expression = mapping.compile(proposal.mapping)
    return translations.between(f"{proposal.from_major}.x", target, expression)


def trials(change: ChangeRequest, *, limit: int = 0) -> list[Trial]:
    """Convert the latest recorded events of the source version, newest first."""
    proposal, translation = proposals.of(change), translation_of(change)
    if not isinstance(proposal, TranslationProposal) or translation is None:
        return []
    limit = limit or getattr(settings, "CONTRACT_TRAFFIC_EVENTS", RECENT_EVENTS)
    for environment in (Environment.PRODUCTION, Environment.STAGING):
        rows = Event.objects.filter(
            type=change.event_type, version__major=proposal.from_major, environment=environment
        )
        latest = list(rows.select_related("application", "version", "type").order_by("-id")[:limit])
        texts = payloads_of(latest)
        found = [_trial(row, texts[row.pk], translation) for row in latest if row.pk in texts]
        if found:
            return found
    return []


def _trial(event: Event, text: str, translation: Translation) -> Trial:
    data = orjson.loads(text or "null")
    try:
        return Trial(event=event, before=data, after=translation.convert(data))
    except TranslationFailed as error:
        return Trial(event=event, before=data, failure=str(error))


def source_of(change: ChangeRequest) -> SchemaVersion | None:
    """Return the newest version that the conversion starts from."""
    proposal = proposals.of(change)
    if not isinstance(proposal, TranslationProposal) or change.event_type is None:
        return None
    return change.event_type.versions.filter(major=proposal.from_major).newest_first().first()


def apply(change: ChangeRequest, by: User, now: datetime) -> None:
    """Put the conversion in force."""
    proposal = proposals.of(change)
    if not isinstance(proposal, TranslationProposal):
        raise ValidationError(_("The request proposes no conversion."))
    translations.put(
        change,
        from_major=proposal.from_major,
        to_major=proposal.to_major,
        expression=proposal.mapping,
        by=by,
        now=now,
    )
