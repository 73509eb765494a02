"""What every bench shares: a measurement, alternating runs, and the load that they make."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One figure: what, how much in which unit, and what it should reach.

    `at_least` and `at_most` are goals that `--gate` compares with; None where there is none.
    `detail` says what stands behind the figure, such as both sides of a ratio.
    """

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    detail: str = ""

    @property
    def is_reached(self) -> bool:
        """Tell whether the figure keeps its goals."""
        enough = self.at_least is None or self.value >= self.at_least
        return enough and (self.at_most is None or self.value <= self.at_most)

    @property
    def goal(self) -> str:
        """Return the goal as the table shows it."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else ""


Side: TypeAlias = Callable[[], float]


def alternate(sides: Sequence[Side], *, rounds: int = 3) -> list[float]:
    """Run the sides in turn, `rounds` times; return each one's median, in order.

    The machine is shared: only what ran back to back can be compared.
    """
    runs: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for place, side in enumerate(sides):
            runs[place].append(side())
    return [statistics.median(found) for found in runs]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value below which `percent` of the values lie; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopwatch:
    """Seconds on the wall and of this process's own work, since it was made."""

    wall: float
    work: float

    @classmethod
    def started(cls) -> Stopwatch:
        """Start one now."""
        return cls(wall=time.perf_counter(), work=_work_seconds())

    def wall_seconds(self) -> float:
        """Return what the clock says."""
        return time.perf_counter() - self.wall

    def work_seconds(self) -> float:
        """Return what the processor did for this process."""
        return _work_seconds() - self.work


def _work_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
