"""The embedded PostgreSQL: started, shared, killed and resumed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from config import embedded, places

pytestmark = pytest.mark.fault


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="signalbox-embedded-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def lease(data_dir: Path) -> Iterator[embedded.Lease]:
    lease = embedded.ensure_running(data_dir, volatile=True)
    yield lease
    lease.release()


def processes(data_dir: Path) -> dict[str, psutil.Process]:
    """Return the keeper and the server that work on this folder."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if str(data_dir / "postgresql") in line and "--home" in line:
            found["keeper"] = process
        elif str(data_dir / "postgresql" / "data") in line:
            found["server"] = process
    return found


def happens(what: Callable[[], bool], *, within_seconds: float = 20) -> bool:
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.05)
    return False


def answer(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        result = connection.execute(query)
        row = result.fetchone() if result.description else None
    return row[0] if row else None


def test_it_is_the_version_and_setting_that_we_measured_with(lease: embedded.Lease) -> None:
    assert str(answer(lease.url, "SHOW server_version")).startswith("18.")
    assert answer(lease.url, "SHOW max_wal_size") == "4GB"
    assert answer(lease.url, "SHOW idle_in_transaction_session_timeout") == "1min"
    assert answer(lease.url, "SHOW max_connections") == "200"


def test_no_login_without_the_password(lease: embedded.Lease) -> None:
    password = lease.url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(lease.url.replace(password, "guess"))
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(lease.url.replace(f":{password}", ""))


def test_url_is_known_without_a_server(data_dir: Path) -> None:
    url = embedded.database_url(data_dir)
    assert not processes(data_dir)
    lease = embedded.ensure_running(data_dir, volatile=True)
    assert lease.url == url
    lease.release()


def test_released_by_the_last_user_it_stops_and_keeps_the_data(data_dir: Path) -> None:
    first = embedded.ensure_running(data_dir, volatile=True)
    second = embedded.ensure_running(data_dir, volatile=True)
    answer(first.url, "CREATE TABLE kept AS SELECT 7 AS n")
    first.release()
    assert answer(second.url, "SELECT n FROM kept") == 7
    second.release()
    assert not processes(data_dir)
    third = embedded.ensure_running(data_dir, volatile=True)
    assert answer(third.url, "SELECT n FROM kept") == 7
    third.release()


def test_it_stops_when_its_only_user_is_killed(data_dir: Path) -> None:
    program = (
        "import pathlib, sys, time; from config import embedded; "
        "lease = embedded.ensure_running(pathlib.Path(sys.argv[1]), volatile=True); "
        "print('ready', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)], cwd=places.BASE_DIR, stdout=subprocess.PIPE
    )
    assert user.stdout is not None
    assert user.stdout.readline() == b"ready\n"
    assert set(processes(data_dir)) == {"keeper", "server"}
    user.kill()
    user.communicate()
    assert happens(lambda: not processes(data_dir))


def test_killed_server_comes_back_with_the_data(lease: embedded.Lease, data_dir: Path) -> None:
    answer(lease.url, "CREATE TABLE kept AS SELECT 7 AS n")
    processes(data_dir)["server"].kill()

    def is_back() -> bool:
        try:
            return answer(lease.url, "SELECT n FROM kept") == 7
        except psycopg.OperationalError:
            return False

    assert happens(is_back)


def test_everything_killed_at_once_the_next_start_recovers(data_dir: Path) -> None:
    lease = embedded.ensure_running(data_dir, volatile=True)
    answer(lease.url, "CREATE TABLE kept AS SELECT 7 AS n")
    for process in processes(data_dir).values():
        process.kill()
    assert happens(lambda: not processes(data_dir))
    assert (data_dir / "postgresql" / "data" / "postmaster.pid").exists()
    lease.release()
    again = embedded.ensure_running(data_dir, volatile=True)
    assert answer(again.url, "SELECT n FROM kept") == 7
    again.release()


def test_stale_pid_file_that_names_another_program_does_no_harm(data_dir: Path) -> None:
    embedded.ensure_running(data_dir, volatile=True).release()
    pid_file = data_dir / "postgresql" / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n")
    lease = embedded.ensure_running(data_dir, volatile=True)
    assert answer(lease.url, "SELECT 1") == 1
    lease.release()


def test_interrupted_making_is_begun_anew(data_dir: Path) -> None:
    half = data_dir / "postgresql" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    lease = embedded.ensure_running(data_dir, volatile=True)
    assert answer(lease.url, "SELECT 1") == 1
    lease.release()


def test_server_that_cannot_start_says_why(data_dir: Path) -> None:
    embedded.ensure_running(data_dir, volatile=True).release()
    (data_dir / "postgresql" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        embedded.ensure_running(data_dir, volatile=True)
    assert happens(lambda: not processes(data_dir))


def test_a_long_path_still_gets_a_socket(data_dir: Path) -> None:
    deep = data_dir / ("long" * 30)
    deep.mkdir()
    lease = embedded.ensure_running(deep, volatile=True)
    assert answer(lease.url, "SELECT 1") == 1
    lease.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes modes for PostgreSQL's own user")
def test_as_root_each_changed_mode_is_told_and_only_search_is_given(data_dir: Path) -> None:
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    said: list[str] = []
    embedded.ensure_running(closed / "data", say=said.append, volatile=True).release()
    assert closed.stat().st_mode & 0o777 == 0o701
    assert any(str(closed) in line and "0701" in line for line in said)
    said.clear()
    embedded.ensure_running(closed / "data", say=said.append, volatile=True).release()
    assert said == []


def test_interrupt_from_the_terminal_is_not_meant_for_the_server(
    lease: embedded.Lease, data_dir: Path
) -> None:
    processes(data_dir)["keeper"].send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert answer(lease.url, "SELECT 1") == 1
