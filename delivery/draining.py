"""The one engine of a worker process, made after the fork, and when it last looked for work."""

from __future__ import annotations

import os
import time

from delivery import configuration
from delivery.dispatch import DRAIN_SECONDS, Engine
from delivery.transports import table

# Between the clocks of who sends a wake-up and who gets it, and between commit and wake-up.
WAKE_MARGIN_SECONDS = 1.0

_engine: Engine | None = None
_engine_pid = 0
_drained_at = 0.0


def get_ready() -> None:
    """Make this process's engine and have it read what it will need; waits for nothing.

    Else the first delivery of each process pays for it.
    """
    _ensure().learn_soon()


def drain(*, seconds: float = DRAIN_SECONDS) -> bool:
    """Serve every due subscription with this process's engine; return whether work is left."""
    global _drained_at  # noqa: PLW0603 - one a process
    is_work_left = _ensure().drain(seconds=seconds)
    _drained_at = time.time()
    return is_work_left


def has_looked_since(sent_at: float) -> bool:
    """Tell whether this process has looked at the queue since a wake-up was sent (Unix time).

    What it could not take then is another process's, or waits for a wake-up that `drain` asked for.
    """
    return sent_at < _drained_at - WAKE_MARGIN_SECONDS


def _ensure() -> Engine:
    global _engine, _engine_pid  # noqa: PLW0603 - one a process, made after the fork
    if _engine is None or _engine_pid != os.getpid():
        transports = table.make_all(allowed_networks=configuration.allowed_networks())
        _engine = Engine(transport=transports[table.Kind.WEBHOOK])
        _engine_pid = os.getpid()
    return _engine


def close() -> None:
    """End this process's engine: everything it holds is given back."""
    global _engine  # noqa: PLW0603 - see `_ensure`
    if _engine is not None and _engine_pid == os.getpid():
        _engine.close()
    _engine = None
