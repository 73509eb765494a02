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
    by: User,
    now: datetime,
) -> ChangeRequest:
    """Write a draft that only its author sees.

    `proposal` holds the values of the kind (`governance.proposals`); a contract without a version
    number gets the one that fits. `base` is the version that a promotion, deprecation or retirement
    is about. Raises `ValidationError` with a pointer for each problem: those of a schema point into
    the schema.
    """
    if base is not None:
        event_type = base.event_type
    topic = event_type.topic if event_type is not None else topic
    if topic is None:
        raise ValidationError([at(_("Say which topic this is about."), "/topic")])
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.CHANGE_PROPOSE, topic, now=now)
        taken = _checked(kind, event_type, proposal or {})
        _refuse_impossible(kind, event_type, base, taken, topic=topic, by=by)
        taken = taken.completed(topic=topic)
        text = taken.text()
        change = ChangeRequest(
            kind=kind,
            title=title.strip()
            or taken.heading(event_type)[:TITLE_CHARACTERS]
            or _title(kind, event_type, base, topic, taken),
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


def edit(
    change: ChangeRequest,
    *,
    proposal: Mapping[str, Any] | None = None,
    title: str | None = None,
    reason: str | None = None,
    by: User,
    now: datetime,
) -> ChangeRequest:
    """Change the draft. `proposal` names the values that change, the others stay.

    What is in review is checked again and every approval of the earlier proposal is void; what was
    approved goes back into review.
    """
    with governed(by=by, now=now):
        access.require(by, Action.CHANGE_EDIT, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, *EDITABLE)
        before = proposals.of(change)
        values = {**asdict(before), **(proposal or {})}
        taken = _checked(change.kind, change.event_type, values)
        _refuse_impossible(
            change.kind,
            change.event_type,
            change.base,
            taken,
            topic=change.topic,
            by=by,
            own=change,
        )
        taken = taken.completed(topic=change.topic)
        change.title = change.title if title is None else title.strip()
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
    """Ask for review: run the checks and keep what they say. Also resubmits what was sent back."""
    with governed(by=by, now=now, reason=change.reason):
        access.require(by, Action.CHANGE_OPEN, change, now=now)
        change = reading.locked(change)
        sources = (ChangeState.DRAFT, ChangeState.CHANGES_REQUESTED)
        reading.refuse_unless(change, *sources)
        was = change.state
        change = ChangeRequest.objects.move(
            change.pk,
            sources,
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


def _checked(kind: str, event_type: EventType | None, values: Mapping[str, Any]) -> Proposal:
    """Return the proposal with a version number, if it is a contract that has none yet."""
    values = dict(values)
    is_numbered = kind != ChangeKind.SCHEMA_VERSION or values.get("version")
    if not is_numbered and event_type is not None:
        document = SchemaProposal.taken("document", values.get("document", ""))
        if not schemas.problems(document):
            values["version"] = reading.suggested_version(event_type, document)
    return proposals.parse(kind, values)


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
    name = event_type.title if event_type else topic.title
    number = base.version if base else ""
    match kind:
        case ChangeKind.SCHEMA_VERSION if isinstance(proposal, SchemaProposal):
            return f"{name} {proposal.version}"
        case ChangeKind.NEW_EVENT_TYPE if isinstance(proposal, NewEventType):
            return _("New event type: %s") % proposal.title
        case ChangeKind.PROMOTION:
            return _("%(name)s %(number)s to production") % {"name": name, "number": number}
        case ChangeKind.DEPRECATION:
            return _("%(name)s %(number)s ends") % {"name": name, "number": number}
        case ChangeKind.RETIREMENT:
            return _("%(name)s %(number)s is retired") % {"name": name, "number": number}
    return _("Promises of %s") % topic.title
