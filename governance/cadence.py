"""How promptly changes are decided: what waits, what is late, and how long a decision takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.db.models import QuerySet

from governance.models import ChangeRequest
from governance.states import ChangeState

WINDOW = timedelta(days=90)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    """The reviews of a window: how many wait now, how many are late, how many were decided.

    `median_seconds` and `slowest_seconds` are from opening to the decision, None without any.
    """

    waiting: int
    late: int
    decided: int
    median_seconds: float | None
    slowest_seconds: float | None


def queue(changes: QuerySet[ChangeRequest]) -> QuerySet[ChangeRequest]:
    """Keep what waits for a reviewer, what is due first at the top."""
    waiting = changes.filter(state=ChangeState.OPEN)
    return waiting.order_by("due_at", "number")


def late(changes: QuerySet[ChangeRequest], now: datetime) -> QuerySet[ChangeRequest]:
    """Keep what should have been decided by now."""
    return queue(changes).filter(due_at__lt=now)


def measure(
    changes: QuerySet[ChangeRequest], *, now: datetime, window: timedelta = WINDOW
) -> Cadence:
    """Return how the reviews go; what was decided before the window does not count."""
    decided = changes.filter(
        opened_at__isnull=False,
        decided_at__gte=now - window,
        state__in=[
            ChangeState.APPROVED,
            ChangeState.APPLIED,
            ChangeState.REJECTED,
            ChangeState.CHANGES_REQUESTED,
        ],
    )
    times = [
        (decided_at - opened_at).total_seconds()
        for opened_at, decided_at in decided.values_list("opened_at", "decided_at")
        if opened_at is not None and decided_at is not None
    ]
    return Cadence(
        waiting=queue(changes).count(),
        late=late(changes, now).count(),
        decided=len(times),
        median_seconds=median(times) if times else None,
        slowest_seconds=max(times, default=None),
    )
