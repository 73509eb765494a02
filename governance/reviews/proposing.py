"""Writing a proposal, opening it for review, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog import schemas
from catalog.models import EventType, SchemaVersion, Topic, User
from catalog.words import Environment, ReleaseState
from governance import access, checks, proposals, signals, topic_checks, workflow
from governance.actions import Action
from governance.governed import governed, record
from governance.models import ChangeRequest
from governance.proposals import (
    Deprecation,
    NewEventType,
    Proposal,
    SchemaProposal,
    TopicPolicy,
    at,
)
from governance.reviews import reading
from governance.states import ChangeKind, ChangeState

EDITABLE = (
    ChangeState.DRAFT,
    ChangeState.OPEN,
    ChangeState.CHANGES_REQUESTED,
    ChangeState.APPROVED,
)
TITLE_CHARACTERS = 200  # what the column holds
UNFINISHED = (ChangeState.DRAFT, ChangeState.CHANGES_REQUESTED)
_ABOUT_A_VERSION = (ChangeKind.PROMOTION, ChangeKind.DEPRECATION, ChangeKind.RETIREMENT)


def propose(
    kind: str,
    *,
    topic: Topic | None = None,
    event_type: EventType | None = None,
    base: SchemaVersion | None = None,
    title: str = "",
    reason: str,
    proposal: Mapping[str, Any] | None = None,
    is_unfinished: bool = False,
    by: User,
    now: datetime,
) -> ChangeRequest:
    """Write a draft that only its author sees.

    `proposal` holds the values of the kind (`governance.proposals`); a contract without a version
    number gets the one that fits. `base` is the version that a promotion, deprecation or retirement
    is about. Raises `ValidationError` with a pointer for each problem: those of a schema point into
    the schema. An unfinished draft is kept with its problems: opening it tells them.
    """
    topic, event_type = _subject(topic, event_type, base)
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.CHANGE_PROPOSE, topic, now=now)
        taken = _checked(kind, event_type, proposal or {}, is_unfinished=is_unfinished)
        if not is_unfinished:
            _refuse_impossible(kind, event_type, base, taken, topic=topic, by=by)
        taken = taken.completed(topic=topic)
        text = taken.text()
        change = ChangeRequest(
            kind=kind,
            title=title.strip() or _title(kind, event_type, base, topic, taken),
            reason=reason.strip(),
            topic=topic,
            event_type=event_type,
            base=base,
            proposal=text,
            proposal_sha256=proposals.digest(text),
            proposed_by=by,
            created_at=now,
        )
        change.save()
        change.refresh_from_db(fields=["number"])
        record(
            Action.CHANGE_PROPOSE,
            change,
            after={"kind": kind, "title": change.title, **taken.for_ledger()},
            related=reading.related(change),
        )
    return change


def _subject(
    topic: Topic | None, event_type: EventType | None, base: SchemaVersion | None
) -> tuple[Topic, EventType | None]:
    """Return what the request is about: a version tells its event type, and that its topic."""
    if base is not None:
        event_type = base.event_type
    topic = event_type.topic if event_type is not None else topic
    if topic is None:
        raise ValidationError([at(_("Say which topic this is about."), "/topic")])
    return topic, event_type


def edit(
    change: ChangeRequest,
    *,
    proposal: Mapping[str, Any] | None = None,
    title: str | None = None,
    reason: str | None = None,
    is_unfinished: bool = False,
    by: User,
    now: datetime,
) -> ChangeRequest:
    """Change the draft. `proposal` names the values that change, the others stay.

    What is in review is checked again and every approval of the earlier proposal is void; what was
    approved goes back into review. A title that was made of the proposal is made anew. Only what
    nobody reviews yet may stay unfinished.
    """
    with governed(by=by, now=now):
        access.require(by, Action.CHANGE_EDIT, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, *EDITABLE)
        before = proposals.of(change)
        values = {**asdict(before), **(proposal or {})}
        is_unfinished = is_unfinished and change.state in UNFINISHED
        taken = _checked(change.kind, change.event_type, values, is_unfinished=is_unfinished)
        if not is_unfinished:
            _refuse_impossible_of(change, taken, by=by)
        taken = taken.completed(topic=change.topic)
        change.title = _retitled(change, before, taken) if title is None else title.strip()
        change.reason = change.reason if reason is None else reason.strip()
        change.proposal = taken.text()
        was_sha256, change.proposal_sha256 = (
            change.proposal_sha256,
            proposals.digest(change.proposal),
        )
        change.save()
        if was_sha256 != change.proposal_sha256:
            change = _as_changed(change, now=now)
        record(
            Action.CHANGE_EDIT,
            change,
            before={"proposal_sha256": was_sha256},
            after={"proposal_sha256": change.proposal_sha256, **taken.for_ledger()},
            related=reading.related(change),
        )
    return change


def open_(change: ChangeRequest, *, by: User, now: datetime) -> ChangeRequest:
    """Ask for review: run the checks and keep what they say. Also resubmits what was sent back.

    Raises `ValidationError` with a pointer for each problem of a draft that is not finished.
    """
    with governed(by=by, now=now, reason=change.reason):
        access.require(by, Action.CHANGE_OPEN, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, *UNFINISHED)
        change = _finished(change, by=by)
        was = change.state
        change = ChangeRequest.objects.move(
            change.pk,
            UNFINISHED,
            ChangeState.OPEN,
            opened_at=now,
            due_at=now + workflow.REVIEW_WITHIN,
            verdict=checks.run(change, now=now),
        )
        signals.change_opened.send(sender=ChangeRequest, thing=change, by=by, now=now)
        record(
            Action.CHANGE_OPEN,
            change,
            before={"state": was},
            after={
                "state": change.state,
                "verdict": change.verdict,
                "proposal_sha256": change.proposal_sha256,
            },
            related=reading.related(change),
        )
    return change


def recheck(change: ChangeRequest, *, by: User, now: datetime) -> ChangeRequest:
    """Run the checks again: what is live, or what real traffic says, may have changed.

    An approval that no longer suffices takes the request back into review.
    """
    with governed(by=by, now=now):
        action = Action.CHANGE_OPEN if by == change.proposed_by else Action.CHANGE_REVIEW
        access.require(by, action, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, ChangeState.OPEN, ChangeState.APPROVED)
        was = change.verdict
        change.verdict = checks.run(change, now=now)
        if change.verdict == was:
            return change
        change.save()
        if change.state == ChangeState.APPROVED and not workflow.standing(change).is_enough:
            change = ChangeRequest.objects.move(
                change.pk, ChangeState.APPROVED, ChangeState.OPEN, decided_at=None
            )
        record(
            action,
            change,
            before={"verdict": was},
            after={"verdict": change.verdict, "state": change.state},
            related=reading.related(change),
        )
    return change


def withdraw(change: ChangeRequest, *, by: User, reason: str = "", now: datetime) -> ChangeRequest:
    """Take the request back for good."""
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.CHANGE_WITHDRAW, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, *workflow.UNFINISHED)
        was = change.state
        change = ChangeRequest.objects.move(
            change.pk, workflow.UNFINISHED, ChangeState.WITHDRAWN, decided_at=now
        )
        signals.change_withdrawn.send(sender=ChangeRequest, thing=change, by=by, now=now)
        record(
            Action.CHANGE_WITHDRAW,
            change,
            before={"state": was},
            after={"state": change.state},
            related=reading.related(change),
        )
    return change


def _as_changed(change: ChangeRequest, *, now: datetime) -> ChangeRequest:
    """Void what was said of the earlier proposal, and check the new one if it is in review."""
    for review in change.reviews.filter(voided_at__isnull=True):
        review.voided_at = now
        review.save()
    if change.state == ChangeState.APPROVED:
        change = ChangeRequest.objects.move(
            change.pk, ChangeState.APPROVED, ChangeState.OPEN, decided_at=None
        )
    if change.state == ChangeState.OPEN:
        change.verdict = checks.run(change, now=now)
        change.save()
    return change


def _finished(change: ChangeRequest, *, by: User) -> ChangeRequest:
    """Hold a draft against its own rules, and give it the number that it was saved without."""
    before = proposals.of(change)
    taken = _checked(change.kind, change.event_type, asdict(before))
    _refuse_impossible_of(change, taken, by=by)
    taken = taken.completed(topic=change.topic)
    if not change.reason:
        raise ValidationError([at(_("Say why the business needs it."), "/reason")])
    if taken.text() != change.proposal:
        change.title = _retitled(change, before, taken)
        change.proposal = taken.text()
        change.proposal_sha256 = proposals.digest(change.proposal)
        change.save()
    return change


def _refuse_impossible_of(change: ChangeRequest, proposal: Proposal, *, by: User) -> None:
    _refuse_impossible(
        change.kind,
        change.event_type,
        change.base,
        proposal,
        topic=change.topic,
        by=by,
        own=change,
    )


def _retitled(change: ChangeRequest, before: Proposal, after: Proposal) -> str:
    """Return the title anew if it was made of the proposal; one that somebody gave stays."""

    def made_of(proposal: Proposal) -> str:
        return _title(change.kind, change.event_type, change.base, change.topic, proposal)

    return made_of(after) if change.title == made_of(before) else change.title


def _checked(
    kind: str,
    event_type: EventType | None,
    values: Mapping[str, Any],
    *,
    is_unfinished: bool = False,
) -> Proposal:
    """Return the proposal with a version number, if it is a contract that has none yet.

    An unfinished one gets its number when it is opened.
    """
    values = dict(values)
    is_numbered = kind != ChangeKind.SCHEMA_VERSION or values.get("version")
    if not is_numbered and event_type is not None and not is_unfinished:
        document = SchemaProposal.taken("document", values.get("document", ""))
        if not schemas.problems(document):
            values["version"] = reading.suggested_version(event_type, document)
    return proposals.parse(kind, values, is_unfinished=is_unfinished)


def _refuse_impossible(
    kind: str,
    event_type: EventType | None,
    base: SchemaVersion | None,
    proposal: Proposal,
    *,
    topic: Topic,
    by: User,
    own: ChangeRequest | None = None,
) -> None:
    """Refuse what can be seen to be impossible before anybody reviews it."""
    if kind == ChangeKind.SCHEMA_VERSION and event_type is None:
        raise ValidationError([at(_("Say which event type this is about."), "/event_type")])
    if kind in _ABOUT_A_VERSION and base is None:
        raise ValidationError([at(_("Say which version this is about."), "/base")])
    if isinstance(proposal, TopicPolicy):
        topic_checks.refuse_unknown(proposal)
    problems = [
        *_new_type_problems(proposal),
        *_number_problems(event_type, proposal),
        *_replacement_problems(base, proposal),
        *proposal.misfits(event_type, topic=topic, by=by),
    ]
    if kind == ChangeKind.PROMOTION and base is not None:
        problems += _promotion_problems(base, own)
    if problems:
        raise ValidationError(problems)


def _new_type_problems(proposal: Proposal) -> list[ValidationError]:
    if isinstance(proposal, NewEventType) and EventType.objects.filter(name=proposal.name).exists():
        return [at(_("There is an event type of that name already."), "/name")]
    return []


def _number_problems(event_type: EventType | None, proposal: Proposal) -> list[ValidationError]:
    if event_type is None or not isinstance(proposal, SchemaProposal):
        return []
    if event_type.versions.filter(version=proposal.version).exists():
        return [at(_("Version %s exists already.") % proposal.version, "/version")]
    return []


def _replacement_problems(base: SchemaVersion | None, proposal: Proposal) -> list[ValidationError]:
    if base is None or not isinstance(proposal, Deprecation) or not proposal.replacement:
        return []
    others = base.event_type.versions.exclude(pk=base.pk)
    if others.filter(version=proposal.replacement).exists():
        return []
    return [at(_("There is no other version %s.") % proposal.replacement, "/replacement")]


def _promotion_problems(base: SchemaVersion, own: ChangeRequest | None) -> list[ValidationError]:
    staged = base.releases.filter(environment=Environment.PRODUCTION, state=ReleaseState.STAGED)
    if not staged.exists():
        return [at(_("Version %s does not wait for production.") % base.version, "/base")]
    rivals = ChangeRequest.objects.unfinished().filter(kind=ChangeKind.PROMOTION, base=base)
    rival = next((one for one in rivals if own is None or one.pk != own.pk), None)
    if rival is not None:
        return [at(_("%s asks for the same.") % rival, "/base")]
    return []


def _title(
    kind: str,
    event_type: EventType | None,
    base: SchemaVersion | None,
    topic: Topic,
    proposal: Proposal,
) -> str:
    if heading := proposal.heading(event_type):
        return heading[:TITLE_CHARACTERS]
    name = event_type.title if event_type else topic.title
    if kind == ChangeKind.SCHEMA_VERSION and isinstance(proposal, SchemaProposal):
        return f"{name} {proposal.version}".rstrip()[:TITLE_CHARACTERS]
    if kind == ChangeKind.NEW_EVENT_TYPE and isinstance(proposal, NewEventType):
        words = _("New event type: %s") % (proposal.title or proposal.name or "?")
        return words[:TITLE_CHARACTERS]
    about_a_version = {
        ChangeKind.PROMOTION: _("%(name)s %(number)s to production"),
        ChangeKind.DEPRECATION: _("%(name)s %(number)s ends"),
        ChangeKind.RETIREMENT: _("%(name)s %(number)s is retired"),
    }
    words = about_a_version.get(ChangeKind(kind), _("Promises of %(name)s"))
    return words % {"name": name, "number": base.version if base else ""}
