"""Fixtures that every test may use: a real database, brokers, a browser, a whole portal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import psutil
import psycopg
import pytest

from config import embedded, places
from tests.settings import RUN_DIR, USES_EMBEDDED


def pytest_unconfigure() -> None:
    """Remove what this run kept in its own folder."""
    shutil.rmtree(RUN_DIR, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Have the database server answer before Django makes the run's own database on it."""
    if not USES_EMBEDDED:
        yield
        return
    lease = embedded.ensure_running(places.test_server_dir(), volatile=True)
    _drop_abandoned(lease.url)
    yield
    lease.release()


def _drop_abandoned(url: str) -> None:
    """Drop the databases of runs that were killed before they could."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^test_signalbox_[0-9]+$'"
        ).fetchall()
        for (name,) in rows:
            if not psutil.pid_exists(int(name.rsplit("_", 1)[1])):
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
