"""Carrying out an approved request: what each kind of change does, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import EventType, SchemaVersion, Team, User
from catalog.moves import IllegalMove
from governance import (
    access,
    checks,
    deprecations,
    proposal_checks,
    proposals,
    signals,
    topics,
    versions,
    workflow,
)
from governance.actions import Action
from governance.governed import governed, record
from governance.models import ChangeRequest
from governance.proposals import (
    Deprecation,
    NewEventType,
    Retirement,
    SchemaProposal,
    TopicPolicy,
    at,
)
from governance.reviews import reading
from governance.states import ChangeKind, ChangeState, Outcome, Verdict

Applier = Callable[[ChangeRequest, User, datetime], None]


def apply(change: ChangeRequest, *, by: User, now: datetime) -> ChangeRequest:
    """Carry out what was approved, all of it or nothing.

    A contract goes live in staging; a promotion takes it to production. Raises `IllegalMove` when
    it is not approved, or what is live has changed so that the approvals no longer suffice.
    """
    with governed(by=by, now=now, reason=change.reason):
        access.require(by, Action.CHANGE_APPLY, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, ChangeState.APPROVED)
        _refuse_outdated(change, now=now)
        change = _applied(change, by=by, now=now)
        record(
            Action.CHANGE_APPLY,
            change,
            before={"state": ChangeState.APPROVED},
            after={"state": change.state, "proposal_sha256": change.proposal_sha256},
            related=reading.related(change),
        )
    return change


def emergency(change: ChangeRequest, *, by: User, reason: str, now: datetime) -> ChangeRequest:
    """Carry out a request without the approvals that it needs, marked as such for ever.

    What cannot be taken at all (a malformed schema, a number that exists) is refused all the same.
    """
    if not reason.strip():
        raise ValidationError([at(_("Say why this cannot wait for a review."), "/reason")])
    with governed(by=by, now=now, reason=reason.strip()):
        access.require(by, Action.CHANGE_EMERGENCY, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, *workflow.UNFINISHED)
        was = change.state
        change.is_emergency = True
        change.verdict = checks.run(change, now=now)
        change.save()
        blocking = checks.blocking(checks.latest(change))
        if blocking:
            raise ValidationError([at(row.summary, "") for row in blocking], code="blocked")
        for source, target in _way_to_approved(was):
            change = ChangeRequest.objects.move(change.pk, source, target, decided_at=now)
        change = _applied(change, by=by, now=now)
        record(
            Action.CHANGE_EMERGENCY,
            change,
            before={"state": was},
            after={
                "state": change.state,
                "is_emergency": True,
                "verdict": change.verdict,
                "proposal_sha256": change.proposal_sha256,
            },
            related=reading.related(change),
        )
    return change


def _way_to_approved(state: str) -> list[tuple[str, str]]:
    way = []
    if state in (ChangeState.DRAFT, ChangeState.CHANGES_REQUESTED):
        way.append((state, ChangeState.OPEN))
    if state != ChangeState.APPROVED:
        way.append((ChangeState.OPEN, ChangeState.APPROVED))
    return [(str(source), str(target)) for source, target in way]


def _applied(change: ChangeRequest, *, by: User, now: datetime) -> ChangeRequest:
    applier = APPLIERS.get(change.kind)
    if applier is None:
        raise ValidationError([at(_("This kind of change cannot be applied here."), "/kind")])
    applier(change, by, now)
    # What the applier found out (the type that it made) goes with the move.
    change = ChangeRequest.objects.move(
        change.pk,
        ChangeState.APPROVED,
        ChangeState.APPLIED,
        applied_at=now,
        event_type=change.event_type,
    )
    signals.change_applied.send(sender=ChangeRequest, thing=change, by=by, now=now)
    return change


_RANK = {"": 0, Verdict.COMPATIBLE: 0, Verdict.UNDECIDED: 1, Verdict.INCOMPATIBLE: 2}


def _refuse_outdated(change: ChangeRequest, *, now: datetime) -> None:
    """Refuse when the approvals are not for this, or other versions went live since the checks."""
    if not workflow.standing(change).is_enough:
        raise IllegalMove(
            _("The approvals do not suffice any more; it has to be reviewed again."),
            current=change.state,
        )
    if change.kind == ChangeKind.RETIREMENT:
        _refuse_used(change, now=now)
    if change.kind not in checks.CHECKS[proposal_checks.COMPATIBILITY].kinds:
        return
    report, _olds = proposal_checks.report_of(change)
    if _RANK[Verdict(report.verdict)] > _RANK[change.verdict]:
        raise IllegalMove(
            _("Other versions went live since the checks ran. Run them again."),
            current=change.state,
        )


def _refuse_used(change: ChangeRequest, *, now: datetime) -> None:
    answer = deprecations.check_usage(change, now)
    if answer.outcome == Outcome.FAILED:
        raise IllegalMove(answer.summary, current=change.state)


def _apply_schema_version(change: ChangeRequest, by: User, now: datetime) -> None:
    proposal = proposals.of(change)
    if not isinstance(proposal, SchemaProposal) or change.event_type is None:
        raise ValidationError(_("The request names no event type."))
    report, _olds = proposal_checks.report_of(change)
    changes = proposal.changes or versions.changelog(report)
    versions.apply_version(
        change.event_type, proposal, changes=_marked(change, changes), by=by, now=now
    )


def _marked(change: ChangeRequest, changes: str) -> str:
    """Return a changelog that says for ever when there was no review."""
    if not change.is_emergency:
        return changes
    return "\n".join(filter(None, [_("Emergency change, made without review."), changes]))


def _apply_new_event_type(change: ChangeRequest, by: User, now: datetime) -> None:
    proposal = proposals.of(change)
    if not isinstance(proposal, NewEventType):
        raise ValidationError(_("The request proposes no event type."))
    access.require(by, Action.EVENT_TYPE_CREATE, change.topic, now=now)
    event_type = EventType(
        name=proposal.name,
        title=proposal.title.strip(),
        description=proposal.description,
        happens_when=proposal.happens_when,
        tags=list(proposal.tags),
        compatibility_mode=proposal.compatibility_mode,
        compatibility_policy=proposal.compatibility_policy,
        topic=change.topic,
    )
    if EventType.objects.filter(name=event_type.name).exists():
        raise IllegalMove(_("There is an event type of that name already."), current=None)
    event_type.full_clean()
    event_type.save()
    signals.event_type_created.send(sender=EventType, thing=event_type, by=by, now=now)
    record(
        Action.EVENT_TYPE_CREATE,
        event_type,
        after={"name": event_type.name, "title": event_type.title, "topic": change.topic.name},
        related=(change.topic, change.topic.owner),
    )
    change.event_type = event_type
    changes = _marked(change, proposal.changes)
    versions.apply_version(event_type, proposal, changes=changes, by=by, now=now)


def _apply_promotion(change: ChangeRequest, by: User, now: datetime) -> None:
    versions.promote(_version(change), by=by, now=now)


def _apply_deprecation(change: ChangeRequest, by: User, now: datetime) -> None:
    proposal = proposals.of(change)
    if not isinstance(proposal, Deprecation) or proposal.sunset is None:
        raise ValidationError(_("The request does not say when the version ends."))
    version = _version(change)
    others = version.event_type.versions.exclude(pk=version.pk)
    versions.deprecate(
        version,
        environments=proposal.environments,
        sunset_at=proposal.sunset,
        replacement=others.filter(version=proposal.replacement).first(),
        by=by,
        now=now,
    )


def _apply_retirement(change: ChangeRequest, by: User, now: datetime) -> None:
    proposal = proposals.of(change)
    if not isinstance(proposal, Retirement):
        raise ValidationError(_("The request retires no version."))
    versions.retire(_version(change), environments=proposal.environments, by=by, now=now)


def _apply_topic_policy(change: ChangeRequest, by: User, now: datetime) -> None:
    proposal = proposals.of(change)
    if not isinstance(proposal, TopicPolicy):
        raise ValidationError(_("The request changes no topic."))
    values = dict(proposal.values)
    if "owner" in values:
        values["owner"] = Team.objects.get(slug=values["owner"])
    topics.change_unasked(change.topic, by=by, now=now, **values)


def _version(change: ChangeRequest) -> SchemaVersion:
    if change.base is None:
        raise ValidationError(_("The request names no version."))
    return change.base


# A higher app adds the kinds that it knows (`governance.proposals.KINDS`) when it is ready.
APPLIERS: dict[str, Applier] = {
    ChangeKind.SCHEMA_VERSION: _apply_schema_version,
    ChangeKind.NEW_EVENT_TYPE: _apply_new_event_type,
    ChangeKind.PROMOTION: _apply_promotion,
    ChangeKind.DEPRECATION: _apply_deprecation,
    ChangeKind.RETIREMENT: _apply_retirement,
    ChangeKind.TOPIC_POLICY: _apply_topic_policy,
}
