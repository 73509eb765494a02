"""What this process knows of governance, and how fresh that is.

A web process or worker starts a thread that reads the governance version every half second; NOTIFY
only makes it faster. Elsewhere (commands, pages, tests) each question reads the version itself.
Whoever publishes or sends asks `current`, and stops when that raises `Stale`.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DatabaseError, connection

from delivery import reading
from delivery.known import Knowledge
from governance.models import LedgerHead

POLL_SECONDS = 0.5
MAX_AGE_SECONDS = 1.0  # a revoke holds from here on (design, section 5b)
CHANNEL = "signalbox_governance"
GENESIS = (0, "")
# Of the watcher's connection: nobody is served while it waits for a network that went away. libpq
# takes no shorter time to connect than 2 s.
_PATIENCE = {
    "connect_timeout": 2,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 3_000,  # milliseconds
}

logger = logging.getLogger(__name__)


class Stale(Exception):
    """Governance could not be read for over a second: answer 503 or hold, and ask again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    knowledge: Knowledge
    at: float  # monotonic seconds, from before the version was asked for


_latest: _Reading | None = None
_watcher: _Watcher | None = None
_lock = threading.Lock()


def current() -> Knowledge:
    """Return what governance says, at most a second old; raises `Stale` when nobody can tell."""
    if _watcher is None:
        return refresh()
    reading_now = _latest
    if reading_now is None or time.monotonic() - reading_now.at > MAX_AGE_SECONDS:
        raise Stale("Governance could not be read for over a second.")
    return reading_now.knowledge


def refresh() -> Knowledge:
    """Read the governance version now, and all the rest when it is another one."""
    at = time.monotonic()
    head = LedgerHead.objects.values_list("number", "hash").first()
    return _learn(head or GENESIS, at)


def start(*, patience_seconds: float = 5.0) -> None:
    """Watch governance from a thread of this process; return when it was read once, or late."""
    global _watcher  # noqa: PLW0603 - one watcher a process
    with _lock:
        if _watcher is None or not _watcher.is_alive():
            _watcher = _Watcher()
            _watcher.start()
        watcher = _watcher
    watcher.has_read.wait(patience_seconds)


def stop() -> None:
    """Stop watching; later questions read the version themselves."""
    global _watcher
    with _lock:
        watcher, _watcher = _watcher, None
    if watcher is not None:
        watcher.end()


def _learn(version: tuple[int, str], at: float) -> Knowledge:
    global _latest  # noqa: PLW0603 - readers take the one reference, whole
    latest = _latest
    if latest is not None and latest.knowledge.version == version:
        knowledge = latest.knowledge
    else:
        knowledge = reading.read(version)
    _latest = _Reading(knowledge=knowledge, at=at)
    return knowledge


class _Watcher(threading.Thread):
    """Reads the version on a connection of its own, the rest through Django's of this thread."""

    def __init__(self) -> None:
        super().__init__(name="governance-watcher", daemon=True)
        self.has_read = threading.Event()
        self._is_ending = threading.Event()

    def end(self) -> None:
        """Stop after the current wait, at most half a second."""
        self._is_ending.set()
        self.join(POLL_SECONDS * 4)

    def run(self) -> None:
        while not self._is_ending.is_set():
            try:
                self._watch()
            except (psycopg.Error, DatabaseError, OSError) as error:
                logger.warning("Governance cannot be read: %s", type(error).__name__)
                self._is_ending.wait(POLL_SECONDS)
            except Exception:
                # Without this thread the process would answer 503 until somebody restarts it.
                logger.exception("Governance cannot be read")
                self._is_ending.wait(POLL_SECONDS)
            finally:
                connection.close()

    def _watch(self) -> None:
        with psycopg.connect(**{**own_connection(), **_PATIENCE}, autocommit=True) as own:
            own.execute(f"LISTEN {CHANNEL}")
            while not self._is_ending.is_set():
                at = time.monotonic()
                row = own.execute("SELECT number, hash FROM governance_ledgerhead").fetchone()
                _learn(row or GENESIS, at)
                self.has_read.set()
                for _news in own.notifies(timeout=POLL_SECONDS, stop_after=1):
                    pass


def own_connection() -> dict[str, Any]:
    """Return how to reach Django's database without Django: arguments of psycopg's `connect`."""
    params = dict(connection.get_connection_params())
    for name in ("cursor_factory", "context", "server_side_binding", "isolation_level", "pool"):
        params.pop(name, None)
    return params
