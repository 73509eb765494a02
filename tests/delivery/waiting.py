"""Waiting for something that other processes do, never longer than told."""

from __future__ import annotations

import time
from collections.abc import Callable

# What takes a second alone takes several on a machine that runs other things beside.
PATIENCE = 3


def wait_until(is_so: Callable[[], bool], *, seconds: float) -> None:
    """Return when it is so; fail the test if it does not become so in time."""
    until = time.monotonic() + PATIENCE * seconds
    while not is_so():
        assert time.monotonic() < until, f"not so within {PATIENCE * seconds} s"
        time.sleep(0.05)
