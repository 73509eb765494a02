"""What waits to be stored in this process: bounded by events and by bytes, taken in commits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from delivery.recording import Outcome, Prepared

MAX_EVENTS_A_COMMIT = 500
# The statement's text holds each event about once, and the server some copies of that.
MAX_BYTES_A_COMMIT = 8 * 1024 * 1024
MAX_WAITING_EVENTS = 10_000  # some seconds of work; more would only be answered too late
MAX_WAITING_BYTES = 64 * 1024 * 1024


class Unavailable(Exception):
    """The events cannot be stored now, and are not: send them again after a second or two."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """The events of one request; an atomic one is stored whole or not at all."""

    events: Sequence[Prepared]
    is_atomic: bool = True


@dataclass(kw_only=True, slots=True, eq=False)
class Waiting:
    """A unit, and who waits for its outcomes; `size_bytes` is that of its data."""

    unit: Unit
    answer: asyncio.Future[list[Outcome]]
    size_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.size_bytes = sum(event.size_bytes for event in self.unit.events)

    def resolve(self, outcomes: list[Outcome]) -> None:
        """Answer whoever still waits."""
        if not self.answer.done():
            self.answer.set_result(outcomes)

    def fail(self, error: Unavailable) -> None:
        """Tell whoever still waits that nothing was stored."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Intake:
    """Units in the order in which they came."""

    def __init__(self) -> None:
        self._units: deque[Waiting] = deque()
        self._events = 0
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._units)

    @property
    def fills_a_commit(self) -> bool:
        """Tell whether waiting for more cannot make the next commit larger."""
        return self._events >= MAX_EVENTS_A_COMMIT or self._bytes >= MAX_BYTES_A_COMMIT

    def add(self, one: Waiting) -> None:
        """Append a unit; raises `Unavailable` when too much waits already."""
        events, size_bytes = self._events + len(one.unit.events), self._bytes + one.size_bytes
        if events > MAX_WAITING_EVENTS or size_bytes > MAX_WAITING_BYTES:
            raise Unavailable("Too many events wait to be stored.")
        self._units.append(one)
        self._events, self._bytes = events, size_bytes

    def take(self) -> list[Waiting]:
        """Remove and return what the next commit holds: at least one unit, whatever its size."""
        taken: list[Waiting] = []
        events = size_bytes = 0
        while self._units:
            events += len(self._units[0].unit.events)
            size_bytes += self._units[0].size_bytes
            if taken and (events > MAX_EVENTS_A_COMMIT or size_bytes > MAX_BYTES_A_COMMIT):
                break
            taken.append(self._units.popleft())
            self._events -= len(taken[-1].unit.events)
            self._bytes -= taken[-1].size_bytes
        return taken
