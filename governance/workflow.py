"""When a change request may go on: what it needs, what it has, and what stands in the way.

The moves themselves are `states.CHANGE_MOVES`; here are the conditions for them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Team, User
from governance import checks
from governance.models import ChangeRequest, CheckResult, Review
from governance.proposals import at
from governance.states import ChangeKind, ChangeState, Decision, Verdict

# How long a request may wait before it counts as late; shown in the queue of reviews.
REVIEW_WITHIN = timedelta(days=3)
UNFINISHED = (
    ChangeState.DRAFT,
    ChangeState.OPEN,
    ChangeState.CHANGES_REQUESTED,
    ChangeState.APPROVED,
)
# Kinds whose verdict asks for a second approval when they break somebody.
_CONTRACTS = frozenset({ChangeKind.SCHEMA_VERSION, ChangeKind.NEW_EVENT_TYPE, ChangeKind.PROMOTION})


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """The approvals of the proposal as it stands.

    `needs_owner`: one of them has to come from the topic's owning team, and `has_owner` whether it
    did. `missing` are sentences; empty when it may be approved.
    """

    needed: int
    approvals: tuple[Review, ...]
    needs_owner: bool
    has_owner: bool
    missing: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """Tell whether the approvals suffice."""
        return not self.missing


def standing(change: ChangeRequest) -> Standing:
    """Return what the request has and still needs."""
    approvals = tuple(
        change.reviews.filter(
            decision=Decision.APPROVE,
            voided_at__isnull=True,
            proposal_sha256=change.proposal_sha256,
        ).select_related("reviewer")
    )
    breaks = change.kind in _CONTRACTS and change.verdict == Verdict.INCOMPATIBLE
    needed = 2 if breaks else 1
    has_owner = any(review.for_owning_team for review in approvals)
    missing = []
    if len(approvals) < needed:
        left = needed - len(approvals)
        missing.append(
            ngettext("%(n)s approval is missing.", "%(n)s approvals are missing.", left)
            % {"n": left}
        )
    if breaks and not has_owner:
        missing.append(_("One approval has to come from %s.") % change.topic.owner.name)
    return Standing(
        needed=needed,
        approvals=approvals,
        needs_owner=breaks,
        has_owner=has_owner,
        missing=tuple(missing),
    )


def refuse_unapprovable(change: ChangeRequest, *, accepted: Collection[str]) -> None:
    """Raise `ValidationError` while a check blocks, or one has failed that nobody accepted.

    `accepted` are names of checks whose failure the approver takes upon themselves.
    """
    results = checks.latest(change)
    blocking = checks.blocking(results)
    if blocking:
        raise ValidationError([at(row.summary, "") for row in blocking], code="blocked")
    open_ones = [row for row in checks.to_accept(results) if row.check_name not in accepted]
    if open_ones:
        raise ValidationError([_to_accept(row) for row in open_ones], code="not_accepted")


def _to_accept(row: CheckResult) -> ValidationError:
    message = _("%s Accept that by name, or send the request back.") % row.summary
    return at(message, f"/accepted/{row.check_name}")


def speaks_for_owner(change: ChangeRequest, person: User) -> bool:
    """Tell whether the person is on the team that owns the topic."""
    return Team.objects.filter(pk=change.topic.owner_id, group__user=person).exists()
