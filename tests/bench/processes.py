"""What the processor and the memory gave to a set of processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import psutil


def servers() -> list[psutil.Process]:
    """Return the server processes that this one started."""
    return [
        child
        for child in psutil.Process().children()
        if "tests.bench.servers" in " ".join(child.cmdline())
    ]


def work_seconds(processes: Iterable[psutil.Process]) -> float:
    """Return what the processor has done for them in all."""
    found = 0.0
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            found += times.user + times.system
    return found


def largest_mib(processes: Iterable[psutil.Process]) -> float:
    """Return the resident memory of the largest of them."""
    return max(one.memory_info().rss for one in processes) / 2**20
