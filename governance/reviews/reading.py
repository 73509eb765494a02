"""What can be read off a change request: locking it, its drafts, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils.translation import gettext as _

from catalog import schemas
from catalog.models import EventType
from catalog.moves import IllegalMove
from governance import data_protection, proposal_checks, versions  # noqa: F401 - registers a check
from governance.compatibility import Mode
from governance.models import ChangeRequest
from governance.states import ChangeState


def locked(change: ChangeRequest) -> ChangeRequest:
    """Return the request as it is now, held until the transaction ends: rivals wait their turn."""
    return (
        ChangeRequest.objects.select_for_update(of=("self",))
        .select_related("topic__owner", "topic__domain", "event_type", "base", "proposed_by")
        .get(pk=change.pk)
    )


def related(change: ChangeRequest) -> tuple[models.Model, ...]:
    """Return whose history a step of the request belongs to as well."""
    things = [change.event_type, change.topic, change.topic.owner]
    return tuple(thing for thing in things if thing is not None)


def refuse_unless(change: ChangeRequest, *states: str) -> None:
    """Raise `IllegalMove`, saying what happened meanwhile, unless the request is in a state."""
    if change.state not in states:
        raise IllegalMove(what_happened(change), current=change.state)


def refuse_other_draft(change: ChangeRequest, seen_sha256: str | None) -> None:
    """Raise `IllegalMove` when the proposal is not the one that the decision was made about."""
    if seen_sha256 is not None and seen_sha256 != change.proposal_sha256:
        raise IllegalMove(
            _("The proposal has changed since you opened it. Look at it again."),
            current=change.state,
        )


def what_happened(change: ChangeRequest) -> str:
    """Return in a sentence how the request came to the state that it is in."""
    decisions = change.reviews.filter(application__isnull=True).select_related("reviewer")
    last = decisions.order_by("-decided_at").first()
    who = last.reviewer.display_name if last else change.proposed_by.display_name
    sentences = {
        ChangeState.DRAFT: _("It is still a draft: whoever wrote it has to open it first."),
        ChangeState.OPEN: _("It is in review already, or again."),
        ChangeState.CHANGES_REQUESTED: _("%s sent it back in the meantime."),
        ChangeState.APPROVED: _("%s approved it already."),
        ChangeState.APPLIED: _("It was applied already."),
        ChangeState.REJECTED: _("%s rejected it in the meantime."),
        ChangeState.WITHDRAWN: _("It was withdrawn in the meantime."),
    }
    sentence = str(sentences[ChangeState(change.state)])
    return sentence % who if "%s" in sentence else sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """One state of the proposal: its number from 1, and since when it stood."""

    number: int
    proposal: str
    sha256: str
    since: datetime


def drafts(change: ChangeRequest) -> Sequence[Draft]:
    """Return each state that the proposal was in, oldest first."""
    found: list[Draft] = []
    rows = change.history.order_by("history_date", "history_id").values_list(
        "proposal", "proposal_sha256", "history_date"
    )
    for proposal, sha256, since in rows:
        if not found or found[-1].sha256 != sha256:
            found.append(
                Draft(number=len(found) + 1, proposal=proposal, sha256=sha256, since=since)
            )
    return found


def draft_number(change: ChangeRequest) -> int:
    """Return how many states the proposal has been in."""
    return len(drafts(change))


def suggested_version(event_type: EventType, document: str) -> str:
    """Return the number that fits the document after the versions that there are."""
    taken = list(event_type.versions.values_list("version", flat=True))
    mode = Mode(event_type.compatibility_mode)
    olds = versions.live(event_type)
    report = proposal_checks.compare(
        olds if mode.is_transitive else olds[-1:],
        schemas.read(document),
        mode=mode,
        policy=event_type.compatibility_policy,
    )
    return versions.suggest(taken, report)
