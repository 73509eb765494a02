"""Subscribers that a change breaks are asked to sign off, until the request's due date.

Their word stands beside the approvals; it does not count as one and blocks nothing, so
that a subscriber without anybody to answer cannot hold up a topic for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils.translation import gettext as _

from catalog.models import Application, User
from governance import access, signals, workflow
from governance.actions import Action
from governance.contract_impact import Effect
from governance.governed import governed, record
from governance.models import ChangeRequest, CheckResult, Review
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

    @property
    def has_objected(self) -> bool:
        """Tell whether its team said that it cannot live with the change."""
        return self.review is not None and self.review.decision == Decision.OBJECT

    def is_late(self, now: datetime) -> bool:
        """Tell whether the answer should have come by now."""
        return self.is_waiting and self.due_at is not None and self.due_at < now


def sign_offs(change: ChangeRequest) -> list[SignOff]:
    """Return each application that the latest checks say breaks, by name."""
    return sign_offs_of([change])[change.pk]


def sign_offs_of(changes: Sequence[ChangeRequest]) -> dict[UUID, list[SignOff]]:
    """Return the same for many requests, by their ids; two queries."""
    answers = {
        (review.change_request_id, review.application_id): review
        for review in Review.objects.filter(
            change_request__in=changes,
            application__isnull=False,
            voided_at__isnull=True,
            proposal_sha256=F("change_request__proposal_sha256"),
        ).select_related("reviewer")
    }
    broken = _broken(changes)
    found: dict[UUID, list[SignOff]] = {}
    for change in changes:
        asked: dict[UUID, SignOff] = {}
        for row in broken.get(change.pk, ()):
            application_id = UUID(str(row["application_id"]))
            because = row.get("because")
            asked[application_id] = SignOff(
                application_id=application_id,
                application=str(row["application"]),
                team=str(row["team"]),
                because=tuple(map(str, because)) if isinstance(because, list) else (),
                due_at=change.due_at,
                review=answers.get((change.pk, application_id)),
            )
        found[change.pk] = sorted(asked.values(), key=lambda one: one.application)
    return found


def _broken(changes: Sequence[ChangeRequest]) -> dict[UUID, list[dict[str, object]]]:
    """Return by request the findings of its latest checks that say whom it breaks."""
    latest = (
        CheckResult.objects.filter(
            change_request__in=changes,
            proposal_sha256=F("change_request__proposal_sha256"),
        )
        .order_by("change_request_id", "check_name", "-ran_at", "-pk")
        .distinct("change_request_id", "check_name")
    )
    # Of all that checks found, most tells of fields and events and is large.
    breaking = CheckResult.objects.filter(
        pk__in=latest.values("pk"), findings__contains=[{"effect": Effect.BREAKS}]
    )
    found: dict[UUID, list[dict[str, object]]] = {}
    for result in breaking.order_by("ran_at", "pk"):
        found.setdefault(result.change_request_id, []).extend(
            row
            for row in result.findings
            if row.get("effect") == Effect.BREAKS and "application_id" in row
        )
    return found


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
    open_ones = [change for change in changes if change.state in ASKED_IN] if own else []
    if not open_ones:
        return []
    asked = sign_offs_of(open_ones)
    return [
        (change, one)
        for change in open_ones
        for one in asked[change.pk]
        if one.is_waiting and one.application_id in own
    ]
