"""The database's time: the one clock that all workers share, wherever they run.

Leases and due times are compared by many processes. One whose own clock is wrong, or jumps, would
take what another holds, or leave what is due; so none goes by its own.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection


def read() -> datetime:
    """Return what time it is, by the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at


class DatabaseClock:
    """Carries the database's time on between two readings, by a clock that never jumps.

    It is read in one thread while others ask: a reading replaces the one before in one step.
    """

    def __init__(self) -> None:
        self._zero: datetime | None = None  # the database's time when the monotonic clock was at 0

    def set(self) -> None:
        """Read the time, as if the answer had taken none.

        So it may be ahead by as long as the question took, and is never behind: what was published
        a moment ago is due. A quick answer after a slow one takes the difference back.
        """
        asked_at = time.monotonic()
        self._zero = read() - timedelta(seconds=asked_at)

    def __call__(self) -> datetime:
        """Return what time it is; raises RuntimeError before the first reading."""
        if self._zero is None:
            raise RuntimeError("Set the clock before it is asked.")
        return self._zero + timedelta(seconds=time.monotonic())
