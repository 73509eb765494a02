"""When collected events go out together: after so many, after so much data, or by the clock.

Pure. A time of day is the wall clock's in its zone: one that the clock skips in spring comes with
the hour after it, one that it shows twice in autumn is its first. So each day has each time once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo, available_timezones

DEFAULT_EVENTS = 100
DEFAULT_BYTES = 1_000_000
DEFAULT_WAIT_SECONDS = 60  # where neither a wait nor a time of day is set: nothing waits for ever
MAX_EVENTS = 1_000
MAX_BYTES = 5_000_000
MAX_WAIT_SECONDS = 7 * 24 * 3_600
MAX_TIMES = 24

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Collected(Protocol):
    """An event that waits: how large it is, and when it has to go at the latest."""

    @property
    def size_bytes(self) -> int:
        """The size of its data."""

    @property
    def due_at(self) -> datetime:
        """When it goes, full batch or not."""


C = TypeVar("C", bound=Collected)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What ends a batch, whichever comes first; `times` are of the day in `zone`.

    `max_wait_seconds` counts from the first event of a batch.
    """

    max_events: int = DEFAULT_EVENTS
    max_bytes: int = DEFAULT_BYTES
    max_wait_seconds: int | None = None
    times: tuple[time, ...] = ()
    zone: str = "UTC"

    @property
    def wait_seconds(self) -> int | None:
        """Return how long the first event may wait; None where only the clock ends the wait."""
        if self.max_wait_seconds is None and not self.times:
            return DEFAULT_WAIT_SECONDS
        return self.max_wait_seconds

    def goes_at(self, collected_at: datetime) -> datetime:
        """Return when an event that came then goes at the latest (UTC)."""
        wait, next_at = self.wait_seconds, self.next_time(collected_at)
        ends = [] if next_at is None else [next_at]
        if wait is not None:
            ends.append(collected_at.astimezone(UTC) + timedelta(seconds=wait))
        return min(ends)

    def next_time(self, after: datetime) -> datetime | None:
        """Return the first instant after `after` at which the clock shows one of the times."""
        if not self.times:
            return None
        zone = ZoneInfo(self.zone)
        today = after.astimezone(zone).date()
        days = (today + timedelta(days=offset) for offset in (-1, 0, 1, 2))
        instants = (_instant(day, one, zone) for day in days for one in self.times)
        return min(instant for instant in instants if instant > after)

    def cut(self, waiting: Iterable[C], *, now: datetime) -> list[list[C]]:
        """Return the batches that go now, in the order of `waiting`; what is left waits on.

        A full one goes at once. The last, where it is not full, goes when one of its events is
        due: with all that waits, but by the clock alone only with what came before that time.
        """
        batches: list[list[C]] = []
        batch: list[C] = []
        size = 0
        for one in waiting:
            if batch and (len(batch) == self.max_events or size + one.size_bytes > self.max_bytes):
                batches.append(batch)
                batch, size = [], 0
            batch.append(one)
            size += one.size_bytes
        if len(batch) < self.max_events and size < self.max_bytes:
            batch = self._due(batch, now)
        return [*batches, batch] if batch else batches

    def _due(self, batch: Sequence[C], now: datetime) -> list[C]:
        due = [one for one in batch if one.due_at <= now]
        return list(batch) if due and self.wait_seconds is not None else due


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    # A wall clock's time that is skipped is read with the offset before the gap, so it moves on.
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def read_times(texts: Iterable[str]) -> tuple[time, ...]:
    """Return times of day such as 02:00, in order. Raises ValueError for any other text."""
    found = set()
    for text in texts:
        if not _TIME.fullmatch(text):
            raise ValueError(text)
        found.add(time.fromisoformat(text))
    return tuple(sorted(found))


def is_zone(name: str) -> bool:
    """Tell whether there is a time zone of this name."""
    return name in available_timezones()
