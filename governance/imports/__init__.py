"""Bringing files into the catalog: what they would change, step by step, and carrying it out.

Nothing passes a review by: what people decide on together (contracts, promotions, ends of versions,
promises of a topic) becomes a change request each, open for review; what one person may do alone
(a team, a domain, a new topic, an event type's words, what rules weigh) is done by its verb.
Nothing is deleted. What must wait for an approval comes up again the next time, so the same files
are imported until no step is left: then the catalog says what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError

from catalog.files import Described
from catalog.models import User
from governance.governed import governed
from governance.imports import contracts, places
from governance.imports.steps import Planner, Step, Way
from governance.models import ChangeRequest

__all__ = ["Done", "Step", "Way", "carry_out", "plan"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What an import did."""

    taken: Sequence[Step]
    changes: Sequence[ChangeRequest]


def plan(wanted: Described, *, by: User, now: datetime) -> list[Step]:
    """Return what the files would change, in the order in which it is done; nothing is changed.

    Things that the person may not see count as absent here; their step is then refused.
    """
    planner = Planner(by, now)
    return [
        *places.before_contracts(planner, wanted),
        *contracts.contracts(planner, wanted),
        *places.applications(planner, wanted),
    ]


def carry_out(wanted: Described, *, reason: str, by: User, now: datetime) -> Done:
    """Take every step that the person may take, all or none, and open the change requests.

    Raises ValidationError, with the step's subject, for a value that its verb refuses.
    """
    with governed(by=by, now=now, reason=reason):
        taken = [step for step in plan(wanted, by=by, now=now) if step.is_taken]
        changes = [_taken(step, by=by, reason=reason, now=now) for step in taken]
    return Done(taken=taken, changes=[change for change in changes if change is not None])


def _taken(step: Step, *, by: User, reason: str, now: datetime) -> ChangeRequest | None:
    try:
        return step.take(by, reason, now)
    except ValidationError as error:
        told = "; ".join(error.messages)
        raise ValidationError(f"{step.subject}: {told}".replace("%", "%%")) from error
