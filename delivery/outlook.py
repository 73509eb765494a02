"""Which subscriptions may have something for an engine: found by what came since it last looked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from delivery import batching, claiming
from delivery.targets import Knowledge

AGAIN = timedelta(seconds=0.05)  # between two looks
# Every so often all that is collected is counted: also what was stored late, or by a clock that is
# behind.
COUNT_ALL_SECONDS = 60.0


class Outlook:
    """How far one engine has looked, at what is due and at what is collected."""

    def __init__(self) -> None:
        self._looked_at = claiming.LONG_AGO
        self._counted_at = claiming.LONG_AGO
        self._counted_all_at = float("-inf")

    def forget(self) -> None:
        """Look at the whole queue next time."""
        self._looked_at = claiming.LONG_AGO

    def forget_collected(self) -> None:
        """Count all that is collected next time, as where rules may have changed."""
        self._counted_at = claiming.LONG_AGO

    def is_time(self, now: datetime) -> bool:
        """Tell whether the last look is long enough ago."""
        return now - self._looked_at >= AGAIN

    def look(self, knowledge: Knowledge, *, now: datetime, clock: float) -> Collection[UUID]:
        """Return the subscriptions with something due, or a whole batch; `clock` counts seconds.

        Each was active when `knowledge` was read.
        """
        active = {pk: one for pk, one in knowledge.targets.items() if one.is_active}
        due = claiming.due_subscriptions(active, since=self._since(self._looked_at), now=now)
        if clock - self._counted_all_at > COUNT_ALL_SECONDS:
            self._counted_at, self._counted_all_at = claiming.LONG_AGO, clock
        rules = {pk: one.collects for pk, one in active.items() if one.collects is not None}
        full = batching.full(rules, since=self._since(self._counted_at))
        self._looked_at = self._counted_at = now
        return {pk for pk in (*due, *full) if pk in active}

    @staticmethod
    def _since(at: datetime) -> datetime:
        return at - claiming.MARGIN
