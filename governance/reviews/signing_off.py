"""Subscribers that a change breaks are asked to sign off, until the request's due date.

Their word stands beside the approvals; it does not count as one and blocks nothing, so
that a subscriber without anybody to answer cannot hold up a topic for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import Application, User
from governance import access, checks, signals, workflow
from governance.actions import Action
from governance.contract_impact import Effect
from governance.governed import governed, record
from governance.models import ChangeRequest, Review
from governance.proposals import at
from governance.reviews import reading
from governance.states import ChangeState, Decision

ASKED_IN = (ChangeState.OPEN, ChangeState.APPROVED)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignOff:
    """One application that the proposal breaks, and what its team says; no review yet: None."""

    application_id: UUID
    application: str
    team: str
    because: tuple[str, ...]
    due_at: datetime | None
    review: Review | None

    @property
    def is_waiting(self) -> bool:
        """Tell whether nobody has answered yet."""
        return self.review is None


def sign_offs(change: ChangeRequest) -> list[SignOff]:
    """Return each application that the latest checks say breaks, by name."""
    answers = {
        review.application_id: review
        for review in change.reviews.filter(
            application__isnull=False,
            voided_at__isnull=True,
            proposal_sha256=change.proposal_sha256,
        ).select_related("reviewer")
    }
    found: dict[UUID, SignOff] = {}
    for row in _broken(change):
        application_id = UUID(str(row["application_id"]))
        because = row.get("because")
        found[application_id] = SignOff(
            application_id=application_id,
            application=str(row["application"]),
            team=str(row["team"]),
            because=tuple(map(str, because)) if isinstance(because, list) else (),
            due_at=change.due_at,
            review=answers.get(application_id),
        )
    return sorted(found.values(), key=lambda one: one.application)


def _broken(change: ChangeRequest) -> Iterator[dict[str, object]]:
    for result in checks.latest(change):
        for row in result.findings:
            if row.get("effect") == Effect.BREAKS and "application_id" in row:
                yield row


def sign_off(
    change: ChangeRequest,
    *,
    application: Application,
    agrees: bool,
    note: str = "",
    by: User,
    now: datetime,
) -> Review:
    """Say for a subscriber that the change breaks whether its team can live with that.

    Void once the proposal changes, like every review. An objection needs a note.
    """
    if not agrees and not note.strip():
        raise ValidationError([at(_("Say what you would need."), "/note")])
    with governed(by=by, now=now, reason=note):
        access.require(by, Action.CHANGE_SIGN_OFF, application, now=now)
        access.require(by, Action.CHANGE_VIEW, change, now=now)
        change = reading.locked(change)
        reading.refuse_unless(change, *ASKED_IN)
        if application.pk not in {one.application_id for one in sign_offs(change)}:
            raise ValidationError([at(_("This change does not break %s.") % application, "")])
        review = _answer(change, application, agrees=agrees, note=note, by=by, now=now)
        signals.change_signed_off.send(sender=Review, thing=review, by=by, now=now)
        record(
            Action.CHANGE_SIGN_OFF,
            change,
            after={
                "application": application.slug,
                "decision": review.decision,
                "proposal_sha256": change.proposal_sha256,
            },
            related=(application, application.team, *reading.related(change)),
        )
    return review


def _answer(
    change: ChangeRequest,
    application: Application,
    *,
    agrees: bool,
    note: str,
    by: User,
    now: datetime,
) -> Review:
    """Keep the answer; the application's earlier one is void."""
    for earlier in change.reviews.filter(application=application, voided_at__isnull=True):
        earlier.voided_at = now
        earlier.save()
    review = Review(
        change_request=change,
        reviewer=by,
        application=application,
        decision=Decision.CONSENT if agrees else Decision.OBJECT,
        note=note.strip(),
        for_owning_team=workflow.speaks_for_owner(change, by),
        proposal_sha256=change.proposal_sha256,
        decided_at=now,
    )
    review.save()
    return review


def waiting_for(
    person: User, changes: Iterable[ChangeRequest]
) -> list[tuple[ChangeRequest, SignOff]]:
    """Return which of the changes wait for the word of an application of the person's teams."""
    own = set(Application.objects.filter(team__group__user=person).values_list("pk", flat=True))
    return [
        (change, one)
        for change in changes
        if change.state in ASKED_IN
        for one in sign_offs(change)
        if one.is_waiting and one.application_id in own
    ]
