"""What one worker process holds for each subscription, and how much more it should take.

A window is `share` requests at once, with as much waiting behind them as they will need soon: what
waits here no other worker can take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from delivery.claiming import LONG_AGO, MARGIN, Owed

LOOKAHEAD_SECONDS = 0.25
MOST_AHEAD = 500


@dataclass(kw_only=True, slots=True)
class Window:
    """The deliveries of one subscription that this process holds."""

    subscription_id: UUID
    share: int = 1
    # Few at once, counted over all workers: nothing waits here, since elsewhere it could go.
    is_strict: bool = False
    waiting: deque[Owed] = field(default_factory=deque)
    out: int = 0
    # Its queue may hold more that is due: ask again when there is room.
    is_hot: bool = True
    # Nothing older is due: dead index entries in front of the queue need not be read again.
    low: datetime = LONG_AGO
    probes: set[UUID] = field(default_factory=set)
    _finished: int = 0
    _per_second: float | None = None
    _measured_at: float = 0.0

    @property
    def is_busy(self) -> bool:
        """Tell whether anything is out or waits."""
        return self.out > 0 or bool(self.waiting)

    @property
    def ahead(self) -> int:
        """How many may wait behind those that are out."""
        if self.is_strict:
            return 0
        if self._per_second is None:
            return self.share
        return max(1, min(int(self._per_second * LOOKAHEAD_SECONDS), MOST_AHEAD))

    @property
    def room(self) -> int:
        """How many more to take, 0 while what is held lasts a while."""
        ahead = self.ahead
        free = self.share + ahead - self.out - len(self.waiting)
        return max(0, free) if 2 * free >= ahead else 0

    @property
    def runs_low(self) -> bool:
        """Tell whether it is time to take more."""
        return self.is_hot and 2 * len(self.waiting) <= self.ahead

    def finish(self) -> None:
        """Count one more that is done with."""
        self._finished += 1

    def measure(self, clock: float) -> None:
        """Work out how fast its endpoint answers; `clock` counts seconds."""
        elapsed = clock - self._measured_at
        if elapsed < LOOKAHEAD_SECONDS:
            return
        if self._measured_at and self.is_busy:
            speed = self._finished / elapsed
            before = self._per_second
            self._per_second = speed if before is None else (speed + before) / 2
        self._finished, self._measured_at = 0, clock

    def take_in(self, owed: Iterable[Owed], *, asked: int, keeps_low: bool) -> None:
        """Put claimed deliveries behind the others; fewer than asked for means that was all."""
        before = len(self.waiting)
        self.waiting.extend(owed)
        taken = len(self.waiting) - before
        self.is_hot = taken >= asked
        if taken and keeps_low:
            self.low = max(self.low, self.waiting[-1].due_at - MARGIN)

    def shed(self) -> list[Owed]:
        """Take out what an open circuit holds back: all that waits but replays and probes."""
        held, self.waiting = self.waiting, deque()
        for one in held:
            if one.is_replay or one.delivery_id in self.probes:
                self.waiting.append(one)
        return [one for one in held if one not in self.waiting]

    def empty(self) -> list[Owed]:
        """Take out everything that waits."""
        held = list(self.waiting)
        self.waiting.clear()
        return held
