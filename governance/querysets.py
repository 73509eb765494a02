"""The query words of governance. Who may see what is asked of `governance.access.restrict`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from catalog.moves import Movable
from governance.states import ChangeState, GrantState, RequestState

if TYPE_CHECKING:
    from governance.models import (  # noqa: F401 - the type arguments below are strings
        AccessRequest,
        ChangeRequest,
        Grant,
        LedgerEntry,
    )


class GrantQuerySet(Movable["Grant"]):
    def in_force(self, now: datetime) -> Self:
        """Keep grants that hold at `now`."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=now), state=GrantState.IN_FORCE)

    def ran_out(self, now: datetime) -> Self:
        """Keep grants whose end has passed while their state does not say so yet."""
        return self.filter(state=GrantState.IN_FORCE, until__lte=now)

    def with_names(self) -> Self:
        """Load who and what in the same query."""
        return self.select_related("application", "application__team", "team", "topic")


class AccessRequestQuerySet(Movable["AccessRequest"]):
    def open(self) -> Self:
        """Keep requests that wait for a decision."""
        return self.filter(state=RequestState.OPEN)

    def with_names(self) -> Self:
        """Load who and what in the same query."""
        return self.select_related("application", "team", "topic", "requested_by", "grant")


class ChangeRequestQuerySet(Movable["ChangeRequest"]):
    def waiting(self) -> Self:
        """Keep requests that wait for a reviewer."""
        return self.filter(state=ChangeState.OPEN)

    def unfinished(self) -> Self:
        """Keep requests that are not applied, rejected or withdrawn."""
        return self.filter(
            state__in=[
                ChangeState.DRAFT,
                ChangeState.OPEN,
                ChangeState.CHANGES_REQUESTED,
                ChangeState.APPROVED,
            ]
        )


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    def about(self, thing: models.Model) -> Self:
        """Keep entries whose subject is the thing."""
        return self.filter(subject_type=thing._meta.label_lower, subject_id=str(thing.pk))
