"""Fixtures that every test may use: a real database, brokers, a browser, a whole portal."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator

import psutil
import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections
from pytest_django import DjangoDbBlocker
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from config import embedded, places
from tests.settings import RUN_DIR, USES_EMBEDDED

pytest_plugins = ["tests.brokers", "tests.portal"]


def pytest_unconfigure() -> None:
    """Remove what this run kept in its own folder."""
    shutil.rmtree(RUN_DIR, ignore_errors=True)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Keeps a file's tests in one process, and in one all journeys: they share a portal."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "journeys" if path.startswith("tests/journeys/") else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Share the files between the processes of a run."""
    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with what takes minutes; with the journeys first, which one process does alone."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("journey"):
        return 0
    return 1 if any(item.get_closest_marker(name) for name in ("fault", "broker")) else 2


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Have the database server answer before Django makes the run's own database on it."""
    if not USES_EMBEDDED:
        yield
        return
    lease = embedded.ensure_running(places.test_server_dir(), volatile=True)
    with psycopg.connect(lease.url, autocommit=True) as server:
        _drop_abandoned(server)
        if _template_name() in _databases(server, "^signalbox_template_"):
            settings.DATABASES["default"]["TEST"]["TEMPLATE"] = _template_name()
    yield
    lease.release()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let the migrated database be emptied between tests, and keep a copy for the next run."""
    del django_db_setup
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'refuse_truncate'"
            )
            for (table,) in cursor.fetchall():
                cursor.execute(f"DROP TRIGGER refuse_truncate ON {table}")
        connections.close_all()
    if USES_EMBEDDED:
        _keep_template(connection.settings_dict["NAME"])


def _keep_template(source: str) -> None:
    """Copy the migrated database: the next run starts from it and saves the migrations' seconds."""
    wanted = _template_name()
    with psycopg.connect(
        embedded.database_url(places.test_server_dir()), autocommit=True
    ) as server:
        templates = _databases(server, "^signalbox_template_")
        if wanted in templates:
            return
        try:
            server.execute(f'CREATE DATABASE "{wanted}" TEMPLATE "{source}"')
            for stale in templates:
                server.execute(f'DROP DATABASE IF EXISTS "{stale}"')
        except psycopg.Error:
            return  # another run was faster, or is using the stale one


def _template_name() -> str:
    """Name the copy after all that decides what the migrations make."""
    digest = hashlib.sha256((places.BASE_DIR / "requirements.lock").read_bytes())
    for path in sorted(places.BASE_DIR.glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    for module in ("delivery/partitions.py", "governance/immutability.py"):
        digest.update((places.BASE_DIR / module).read_bytes())
    return f"signalbox_template_{digest.hexdigest()[:12]}"


def _drop_abandoned(server: psycopg.Connection) -> None:
    """Drop the databases of runs that were killed before they could."""
    for name in _databases(server, "^test_signalbox_[0-9]+(_gw[0-9]+)?(_seeded)?$"):
        if not psutil.pid_exists(int(name.split("_")[2])):
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _databases(server: psycopg.Connection, pattern: str) -> list[str]:
    rows = server.execute("SELECT datname FROM pg_database WHERE datname ~ %s", [pattern])
    return [name for (name,) in rows.fetchall()]
