"""Runs a set of processes as one thing: starts them, starts them again when they die, stops them.

Each child leads a process group of its own, so that Ctrl-C in a terminal reaches the supervisor
alone and whatever a child leaves behind can be ended with its group. On Linux the kernel ends the
children when the supervisor is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
BACK_OFF_SECONDS = (0.2, 1, 2, 5, 10, 30)
# A child that lived this long starts a new row of back-off waits when it dies.
HEALTHY_SECONDS = 60
KEPT_LOG_BYTES = 5_000_000
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """A process to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    pass_fds: Sequence[int] = ()
    stop_seconds: float = 5
    is_vital: bool = True


@dataclass(kw_only=True, slots=True)
class _Child:
    service: Service
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    again_at: float | None = None


class Supervisor:
    """The children of one `up`, in the order in which they stop."""

    def __init__(self, *, cwd: Path, logs: Path, say: Callable[[str], None]) -> None:
        self._cwd = cwd
        self._logs = logs
        self._say = say
        self._children: list[_Child] = []
        self._in_a_hurry = False

    def start(self, service: Service) -> None:
        """Start a child; its output goes to `<logs>/<name>.log`."""
        _rotate(self._log(service))
        self._children.append(
            _Child(service=service, process=self._spawn(service), started=time.monotonic())
        )

    def watch(self) -> None:
        """Look once after every child: say which died, and start again those whose wait is over."""
        now = time.monotonic()
        for child in self._children:
            if child.again_at is not None:
                if now >= child.again_at:
                    child.process, child.started = self._spawn(child.service), now
                    child.again_at = None
            elif child.process.poll() is not None:
                end_group(child.process.pid)
                child.deaths = 1 if now - child.started > HEALTHY_SECONDS else child.deaths + 1
                wait = BACK_OFF_SECONDS[min(child.deaths, len(BACK_OFF_SECONDS)) - 1]
                child.again_at = now + wait
                self._say(
                    f"{child.service.name} ended ({_how(child.process.returncode)}); "
                    f"starting it again in {wait} s. Its log: {self._log(child.service)}"
                )

    def deaths(self) -> int:
        """Return how often the least lucky of the vital children died lately."""
        return max((child.deaths for child in self._children if child.service.is_vital), default=0)

    def tail(self) -> str:
        """Return the end of the log of the child that died most."""
        child = max(self._children, key=lambda child: child.deaths)
        with contextlib.suppress(OSError):
            return self._log(child.service).read_text(errors="replace")[-3000:]
        return ""

    def stop(self) -> None:
        """Stop all children one after the other, each asked first and killed when time is up."""
        for child in self._children:
            if child.again_at is None:
                self._stop(child)
        self._children.clear()

    def hurry(self) -> None:
        """Give nobody time to finish from now on."""
        self._in_a_hurry = True

    def _stop(self, child: _Child) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.process.terminate()
        until = time.monotonic() + child.service.stop_seconds
        while child.process.poll() is None and time.monotonic() < until and not self._in_a_hurry:
            time.sleep(0.02)
        if child.process.poll() is None:
            self._say(f"{child.service.name} did not stop in time; killing it.")
        end_group(child.process.pid)
        child.process.wait()

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        parent = os.getpid()

        def die_with_parent() -> None:
            if _libc is not None:
                _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != parent:  # it died before the line above
                    os._exit(1)

        with self._log(service).open("ab") as log:
            return subprocess.Popen(
                service.command,
                cwd=self._cwd,
                env={**os.environ, **service.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=service.pass_fds,
                process_group=0,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
            )

    def _log(self, service: Service) -> Path:
        return self._logs / f"{service.name}.log"


def end_group(leader: int) -> None:
    """Kill whatever is left of the process group that `leader` led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _rotate(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > KEPT_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))


def _how(returncode: int) -> str:
    if returncode < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-returncode).name
    return f"exit {returncode}"
