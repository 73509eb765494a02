"""The contract that a change request would put live."""

from __future__ import annotations

from catalog import schemas
from governance import proposals
from governance.models import ChangeRequest


def proposed_schema(change: ChangeRequest) -> schemas.Schema | None:
    """Return the contract that a request would put live; None where it puts none."""
    proposal = proposals.schema_of(change)
    if proposal is not None:
        return proposal.schema
    return schemas.read(change.base.document) if change.base else None


def proposed_number(change: ChangeRequest) -> str:
    """Return the version that a request would put live; "" where it puts none."""
    proposal = proposals.schema_of(change)
    if proposal is not None:
        return proposal.version
    return change.base.version if change.base else ""
