"""What reviewers say of a request, and what everybody says about it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.moves import IllegalMove
from governance import access, signals, workflow
from governance.actions import Action
from governance.governed import governed, record
from governance.models import ChangeRequest, Comment, Review
from governance.proposals import at
from governance.reviews import applying, reading
from governance.states import ChangeState, Decision


def approve(
    change: ChangeRequest,
    *,
    by: User,
    note: str = "",
    now: datetime,
    seen_sha256: str | None = None,
    accepted: Collection[str] = (),
    and_apply: bool = False,
) -> ChangeRequest:
    """Approve the proposal as it stands; with the last approval that it needs it is approved.

    `seen_sha256` is the proposal that the decision was made about; another one raises
    `IllegalMove`.
    `accepted` names the failed checks that the approver takes upon themselves. `and_apply` applies
    the request if this was the last approval.
    """
    with governed(by=by, now=now, reason=note):
        access.require(by, Action.CHANGE_APPROVE, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, ChangeState.OPEN)
        reading.refuse_other_draft(change, seen_sha256)
        workflow.refuse_unapprovable(change, accepted=accepted)
        review = _review(change, Decision.APPROVE, by=by, note=note, now=now)
        standing = workflow.standing(change)
        if standing.is_enough:
            change = ChangeRequest.objects.move(
                change.pk, ChangeState.OPEN, ChangeState.APPROVED, decided_at=now
            )
        _decided(change, review, Action.CHANGE_APPROVE, by=by, now=now, accepted=accepted)
        if and_apply and standing.is_enough:
            change = applying.apply(change, by=by, now=now)
    return change


def send_back(
    change: ChangeRequest,
    *,
    by: User,
    note: str,
    now: datetime,
    seen_sha256: str | None = None,
) -> ChangeRequest:
    """Return the request to its author with a question or a wish; they edit and open it again."""
    return _end(
        change,
        ChangeState.CHANGES_REQUESTED,
        Decision.REQUEST_CHANGES,
        Action.CHANGE_SEND_BACK,
        by=by,
        note=note,
        now=now,
        seen_sha256=seen_sha256,
    )


def reject(
    change: ChangeRequest,
    *,
    by: User,
    note: str,
    now: datetime,
    seen_sha256: str | None = None,
) -> ChangeRequest:
    """Refuse the request for good."""
    return _end(
        change,
        ChangeState.REJECTED,
        Decision.REJECT,
        Action.CHANGE_REJECT,
        by=by,
        note=note,
        now=now,
        seen_sha256=seen_sha256,
    )


def comment(change: ChangeRequest, *, text: str, by: User, now: datetime) -> Comment:
    """Say something in the discussion."""
    if not text.strip():
        raise ValidationError([at(_("Write something first."), "/text")])
    with governed(by=by, now=now):
        access.require(by, Action.CHANGE_COMMENT, change, now=now)
        made = Comment(change_request=change, author=by, text=text.strip(), written_at=now)
        made.save()
        signals.change_commented.send(sender=Comment, thing=made, by=by, now=now)
        record(
            Action.CHANGE_COMMENT,
            change,
            after={"comment": made.text},
            related=reading.related(change),
        )
    return made


def _end(
    change: ChangeRequest,
    target: ChangeState,
    decision: Decision,
    action: Action,
    *,
    by: User,
    note: str,
    now: datetime,
    seen_sha256: str | None,
) -> ChangeRequest:
    if not note.strip():
        raise ValidationError([at(_("Say why: whoever proposed it has to understand."), "/note")])
    with governed(by=by, now=now, reason=note):
        access.require(by, action, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, ChangeState.OPEN)
        reading.refuse_other_draft(change, seen_sha256)
        review = _review(change, decision, by=by, note=note, now=now)
        change = ChangeRequest.objects.move(change.pk, ChangeState.OPEN, target, decided_at=now)
        _decided(change, review, action, by=by, now=now)
    return change


def _review(
    change: ChangeRequest, decision: Decision, *, by: User, note: str, now: datetime
) -> Review:
    """Keep the decision; the person's earlier one on this proposal is void."""
    standing = change.reviews.filter(voided_at__isnull=True, application__isnull=True)
    for earlier in standing.filter(reviewer=by):
        is_same = earlier.proposal_sha256 == change.proposal_sha256
        if is_same and earlier.decision == decision == Decision.APPROVE:
            raise IllegalMove(_("You have approved this proposal already."), current=change.state)
        earlier.voided_at = now
        earlier.save()
    review = Review(
        change_request=change,
        reviewer=by,
        decision=decision,
        note=note.strip(),
        for_owning_team=workflow.speaks_for_owner(change, by),
        proposal_sha256=change.proposal_sha256,
        decided_at=now,
    )
    review.save()
    return review


def _decided(
    change: ChangeRequest,
    review: Review,
    action: Action,
    *,
    by: User,
    now: datetime,
    accepted: Collection[str] = (),
) -> None:
    signals.change_decided.send(sender=ChangeRequest, thing=change, by=by, now=now, review=review)
    record(
        action,
        change,
        before={"state": ChangeState.OPEN},
        after={
            "state": change.state,
            "proposal_sha256": change.proposal_sha256,
            "for_owning_team": review.for_owning_team,
            "accepted": sorted(accepted),
        },
        related=reading.related(change),
    )
