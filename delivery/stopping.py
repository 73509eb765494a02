"""A flag that says "finish soon" to every process forked after this module was imported.

A drain runs for seconds. When its worker is told to stop, the message reaches the parent process
only; this byte of shared memory carries it to the children without a signal or a query.
"""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)


def request_stop() -> None:
    """Ask this process and the ones that share the flag to stop at the next good moment."""
    _flag[0] = 1


def is_stopping() -> bool:
    """Tell whether a stop was asked for."""
    return _flag[0] == 1


def clear() -> None:
    """Take the request back, for a process that goes on."""
    _flag[0] = 0
