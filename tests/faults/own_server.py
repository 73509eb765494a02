"""A PostgreSQL of one test's own, to be broken: the one that tests share must go on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
from django.db import connection, connections

from config import embedded
from tests.delivery.waiting import PATIENCE

START_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class OwnServer:
    """A server with a copy of the tests' migrated database; its keeper starts it when it dies."""

    url: str
    home: Path

    def crash(self) -> None:
        """Stop it at once, as a lost machine would; return when it answers again."""
        pid = int((self.home / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        until = time.monotonic() + PATIENCE * START_SECONDS
        while not self._answers(instead_of=pid):
            assert time.monotonic() < until, "the server does not come back"
            time.sleep(0.05)
        connections.close_all()

    def _answers(self, *, instead_of: int) -> bool:
        with contextlib.suppress(OSError, IndexError, ValueError, psycopg.OperationalError):
            pid = int((self.home / "data" / "postmaster.pid").read_text().split()[0])
            if pid != instead_of:
                psycopg.connect(self.url, connect_timeout=2).close()
                return True
        return False


@contextlib.contextmanager
def own_server(environment: dict[str, str]) -> Iterator[OwnServer]:
    """Run one until the block ends; this process's connection leads to it meanwhile.

    `environment` reaches the tests' database, which is copied.
    """
    folder = Path(tempfile.mkdtemp(prefix="signalbox-crash-"))
    lease = embedded.ensure_running(folder, volatile=True)
    try:
        _copy(environment["DATABASE_URL"], lease.url)
        with _connected_to(lease.url):
            yield OwnServer(url=lease.url, home=folder / "postgresql")
    finally:
        lease.release()
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: str, target: str) -> None:
    dump = folder_of_programs() / "pg_dump"
    restore = folder_of_programs() / "psql"
    with subprocess.Popen([dump, "--dbname", source], stdout=subprocess.PIPE) as reading:
        subprocess.run(
            [restore, "--quiet", "--dbname", target, "--output", os.devnull],
            stdin=reading.stdout,
            check=True,
            timeout=PATIENCE * START_SECONDS,
        )


def folder_of_programs() -> Path:
    """Return where the wheel keeps PostgreSQL's own programs."""
    return embedded._binary("postgres").parent


@contextlib.contextmanager
def _connected_to(url: str) -> Iterator[None]:
    parts = urlsplit(url)
    there = {
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": parts.password,
        "HOST": parse_qs(parts.query)["host"][0],
        "PORT": "",
    }
    settings = connection.settings_dict
    before = {name: settings[name] for name in there}
    connections.close_all()
    settings.update(there)
    try:
        yield
    finally:
        connections.close_all()
        settings.update(before)
