"""Keeps one embedded PostgreSQL alive for as long as some process uses it. Run as a script.

PostgreSQL is the keeper's child. Each user holds a shared lock on `users.lock`; the kernel drops it
however the user ends. When the keeper gets that lock for itself alone, nobody is left: it stops the
server and goes. So nothing stays behind after a `kill -9` of everything else, and a command that
ends does not take the server from another that joined it. Should the keeper itself be killed, the
kernel asks its PostgreSQL to stop (on Linux; elsewhere the next start does).

It lives apart from its users' sessions and needs the standard library and psutil only.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_SECONDS = 0.2
# A fast shutdown disconnects everybody and writes a checkpoint; then no more patience.
FAST_STOP_SECONDS = 15
BACK_OFF_SECONDS = (0.2, 1, 2, 5, 10)
# A server that lived this long starts a new row of back-off waits when it dies.
HEALTHY_SECONDS = 60
# One that never lived for longer than a moment will not do so the next time either.
MOMENT_SECONDS = 5
HOPELESS_DEATHS = 3


def main(arguments: list[str]) -> int:
    """Run until nobody uses the server; 1 if a keeper is already there, or it cannot start."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True, help="folder with data and locks")
    parser.add_argument("--user", help="system user to run as, when started by root")
    parser.add_argument("command", nargs="+", help="the PostgreSQL server and its settings")
    options = parser.parse_args(arguments)
    with (
        (options.home / "keeper.lock").open("a") as mine,
        (options.home / "users.lock").open("a") as users,
    ):
        if not _lock(mine.fileno(), fcntl.LOCK_EX):
            return 1
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)  # it goes when its last user goes, not before
        is_hopeless = _keep(options.command, options.home / "data", options.user, users.fileno())
        fcntl.flock(mine, fcntl.LOCK_UN)  # before `users`: whoever waits there may start anew
    return int(is_hopeless)


def _keep(command: list[str], data: Path, user: str | None, users: int) -> bool:
    """Keep the server until nobody uses it; True when it cannot be started at all."""
    failures, has_lived = 0, False
    while True:
        stop_leftover(data)
        started = time.monotonic()
        server = _start(command, user)
        while server.poll() is None:
            if _lock(users, fcntl.LOCK_EX):
                _stop(server)
                return False
            time.sleep(POLL_SECONDS)
        lived = time.monotonic() - started
        failures = 0 if lived > HEALTHY_SECONDS else failures
        has_lived = has_lived or lived > MOMENT_SECONDS
        if not has_lived and failures >= HOPELESS_DEATHS:
            return True
        wait = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
        failures += 1
        _say(f"PostgreSQL ended with {server.returncode}; starting it again in {wait} s")
        until = time.monotonic() + wait
        while time.monotonic() < until:
            if _lock(users, fcntl.LOCK_EX):
                return False
            time.sleep(POLL_SECONDS)


def stop_leftover(data: Path) -> None:
    """Stop a PostgreSQL that an earlier keeper left on this data, and clear its stale pid file.

    The pid in the file may by now be another program's: only a process named postgres is stopped.
    """
    pid_file = data / "postmaster.pid"
    try:
        leftover = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
        is_postgres = leftover.name() == "postgres"
    except (OSError, ValueError, psutil.NoSuchProcess):
        is_postgres = False
    if is_postgres:
        _say(f"stopping the PostgreSQL that was left running (pid {leftover.pid})")
        for ask, patience in ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, 5)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
                leftover.send_signal(ask)
                leftover.wait(patience)
        with contextlib.suppress(psutil.NoSuchProcess):
            leftover.kill()
    pid_file.unlink(missing_ok=True)


def _start(command: list[str], user: str | None) -> subprocess.Popen[bytes]:
    account = pwd.getpwnam(user) if user else None
    return subprocess.Popen(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
        start_new_session=True,
        preexec_fn=_stop_with_parent,  # noqa: PLW1509 - single-threaded
    )


def _stop_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _stop(server: subprocess.Popen[bytes]) -> None:
    for ask, patience in ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, 5)):
        server.send_signal(ask)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience)
            return
    server.kill()
    server.wait(5)


def _lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(text: str) -> None:
    sys.stderr.write(f"keeper {os.getpid()}: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
