"""One step of an import, and what every kind of thing needs to plan its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from django.db import models
from django.utils.translation import gettext as _

from catalog.models import EventType, SchemaVersion, Topic, User
from governance import access, reviews
from governance.actions import Action
from governance.models import ChangeRequest
from governance.states import ChangeKind

Values: TypeAlias = Mapping[str, Any]
Differences: TypeAlias = Sequence[tuple[str, object, object]]
Take: TypeAlias = Callable[[User, str, datetime], ChangeRequest | None]


class Way(StrEnum):
    """How a step is taken."""

    AT_ONCE = "at_once"
    REVIEW = "review"
    NONE = "none"  # told only: somebody has to do something else first


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing that the files would change. `differences` are (name, here, in the files)."""

    subject: str
    sentence: str
    way: Way
    may: bool = True
    differences: Sequence[tuple[str, object, object]] = ()
    take: Take = field(default=lambda by, reason, now: None, repr=False)

    @property
    def is_taken(self) -> bool:
        """Tell whether importing takes it."""
        return self.may and self.way is not Way.NONE


class Planner:
    """Who asks, when, and what waits for a decision already."""

    def __init__(self, by: User, now: datetime) -> None:
        self.by, self.now = by, now
        self.waiting = dict(_waiting(self))

    def may(self, action: Action, thing: models.Model | None = None) -> bool:
        """Tell whether the person may do it."""
        return access.allows(self.by, action, thing, now=self.now)

    def seen(self, rows: models.QuerySet[Any], action: Action) -> models.QuerySet[Any]:
        """Return which of the rows the person may see."""
        return access.restrict(rows, self.by, action, now=self.now)

    def review(
        self,
        subject: str,
        sentence: str,
        kind: str,
        *,
        topic: Topic | None,
        proposal: Values,
        event_type: EventType | None = None,
        base: SchemaVersion | None = None,
        differences: Differences = (),
        topic_name: str = "",
    ) -> Step:
        """Return the step that asks for a review, unless one waits already."""
        waits = self.waiting.get((kind, subject))
        if waits is not None:
            words = _("%(sentence)s It waits in %(change)s.")
            told = words % {"sentence": sentence, "change": waits}
            return Step(subject=subject, sentence=told, way=Way.NONE, differences=differences)

        def take(by: User, reason: str, now: datetime) -> ChangeRequest:
            made = reviews.propose(
                kind,
                topic=topic or Topic.objects.get(name=topic_name),
                event_type=event_type,
                base=base,
                reason=reason,
                proposal=proposal,
                by=by,
                now=now,
            )
            return reviews.open_(made, by=by, now=now)

        return Step(
            subject=subject,
            sentence=sentence,
            way=Way.REVIEW,
            may=self.may(Action.CHANGE_PROPOSE, topic),
            differences=differences,
            take=take,
        )


def _waiting(planner: Planner) -> Iterator[tuple[tuple[str, str], ChangeRequest]]:
    """Yield by kind and subject the requests that somebody has still to decide or apply."""
    rows = planner.seen(ChangeRequest.objects.unfinished(), Action.CHANGE_VIEW)
    rows = rows.select_related("topic", "event_type", "base")
    for change in rows:
        proposal = json.loads(change.proposal)
        subject = change.event_type.name if change.event_type else change.topic.name
        if change.kind == ChangeKind.NEW_EVENT_TYPE:
            subject = str(proposal.get("name", ""))
        elif change.kind == ChangeKind.SCHEMA_VERSION:
            subject = f"{subject} {proposal.get('version', '')}"
        elif change.base is not None:
            subject = f"{subject} {change.base.version}"
        yield (change.kind, subject), change


def differences_of(wanted: Values, here: Values) -> list[tuple[str, object, object]]:
    """Return (name, here, wanted) of each value that the files say and that is another here."""
    return [
        (name, here.get(name), value) for name, value in wanted.items() if here.get(name) != value
    ]


def new_values(differences: Differences) -> dict[str, Any]:
    """Return what the files say of each difference."""
    return {name: value for name, _here, value in differences}
