"""Versions that came without the reviews they needed: marked so for ever."""

from __future__ import annotations

from catalog.models import EventType
from governance import proposals
from governance.models import ChangeRequest
from governance.states import ChangeState


def of(event_type: EventType) -> dict[str, ChangeRequest]:
    """Return the emergency changes of a type by the version that each made, moved or ended."""
    found = {}
    applied = ChangeRequest.objects.filter(
        event_type=event_type, is_emergency=True, state=ChangeState.APPLIED
    )
    for change in applied.select_related("base").order_by("number"):
        proposal = proposals.schema_of(change)
        number = proposal.version if proposal else change.base.version if change.base else ""
        if number:
            found[number] = change
    return found
