"""`manage.py up`: started, announced, killed, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config import places
from tests.portal import RunningPortal, command_environment, start

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
Run = Callable[..., RunningPortal]


def running_on(data_dir: Path) -> list[psutil.Process]:
    """Return the processes that work on this data folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        try:
            command, environment = process.info["cmdline"] or [], process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        of_data = environment.get("SIGNALBOX_DATA_DIR") == str(data_dir)
        if of_data or any(str(data_dir) in part for part in command):
            found.append(process)
    return found


def left_over(data_dir: Path) -> list[str]:
    """Return what still runs there, readable in a failure."""
    lines = []
    for process in running_on(data_dir):
        with contextlib.suppress(psutil.NoSuchProcess):
            lines.append(f"{process.pid} {' '.join(process.cmdline())}")
    return lines


def children(portal: RunningPortal) -> dict[str, psutil.Process]:
    """Return the supervised processes by the word that tells them apart."""
    found: dict[str, psutil.Process] = {}
    for process in psutil.Process(portal.process.pid).children():
        try:
            line = process.cmdline()
        except psutil.NoSuchProcess:  # a zombie, until `up` notices
            continue
        for word in ("config.serve", "worker", "beat", "demo_receiver"):
            if word in line:
                found[word] = process
    return found


def get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=90) as answer:
        return answer.status, answer.read().decode()


def happens(what: Callable[[], bool], *, within_seconds: float = 180) -> bool:
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.1)
    return False


def up(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "up", *arguments],
        cwd=places.BASE_DIR,
        env=command_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningPortal]:
    """Run one portal for the tests that leave it as usable as they found it."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-up-"))
    portal = start(home / "data", "--no-demo")
    yield portal
    portal.stop()
    shutil.rmtree(home)


def test_it_runs_and_says_what_is_ready(shared: RunningPortal) -> None:
    assert (shared.users, shared.keys) == ({}, {})
    assert get(f"{shared.url}/healthz") == (200, '{"status": "ok"}')
    status, body = get(f"{shared.url}/readyz")
    assert status == 200
    assert json.loads(body)["checks"] == {"database": "ok", "migrations": "ok", "broker": "ok"}
    assert set(children(shared)) == {"config.serve", "worker", "beat"}


def test_second_one_on_the_same_data_says_so(shared: RunningPortal) -> None:
    second = up("--port", "0", "--data-dir", str(shared.data_dir))
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert str(shared.process.pid) in second.stderr
    assert get(f"{shared.url}/healthz")[0] == 200


def test_port_that_is_taken_is_named(shared: RunningPortal, tmp_path: Path) -> None:
    port = shared.url.rsplit(":", 1)[1]
    second = up("--port", port, "--data-dir", str(tmp_path / "other"))
    assert second.returncode == 1
    assert f"Port {port}" in second.stderr
    assert "--port" in second.stderr
    assert left_over(tmp_path / "other") == []


@pytest.mark.parametrize("word", ["worker", "beat"])
def test_killed_child_is_started_again(shared: RunningPortal, word: str) -> None:
    old = children(shared)[word]
    old.kill()

    def is_back() -> bool:
        return word in (now := children(shared)) and now[word].pid != old.pid

    assert happens(is_back)
    assert f"{word} ended (SIGKILL); starting it again" in shared.errors.read_text()


def test_killed_web_processes_cost_a_wait_and_no_error(shared: RunningPortal) -> None:
    for process in psutil.Process(shared.process.pid).children():
        if "config.serve" in process.cmdline():
            process.kill()
    assert get(f"{shared.url}/healthz")[0] == 200


def test_another_command_joins_the_database_and_leaves_it_running(shared: RunningPortal) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=places.BASE_DIR,
        env=command_environment(SIGNALBOX_DATA_DIR=str(shared.data_dir)),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert get(f"{shared.url}/readyz")[0] == 200


def test_killed_it_comes_back_and_then_stops_without_a_trace(run_portal: Run) -> None:
    portal = run_portal("--no-demo")
    portal.kill()  # the kernel ends its children
    assert happens(lambda: left_over(portal.data_dir) == [])
    portal = run_portal("--no-demo")
    for process in running_on(portal.data_dir):
        process.kill()  # everything at once, the database too
    portal.process.wait(10)
    portal = run_portal("--no-demo")
    assert get(f"{portal.url}/readyz")[0] == 200
    assert portal.stop() == 0
    assert left_over(portal.data_dir) == []
    assert "did not stop in time" not in portal.errors.read_text()


def test_demo_killed_while_built_begins_anew_and_then_keeps_its_logins_and_keys() -> None:
    home = Path(tempfile.mkdtemp(prefix="signalbox-up-"))
    said = home / "said"
    with said.open("w") as sink:
        killed = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", "0", "--data-dir", str(home / "data")],
            cwd=places.BASE_DIR,
            env=command_environment(),
            stderr=sink,
            stdout=sink,
        )
    assert happens(lambda: "building the demo" in said.read_text(), within_seconds=240)
    time.sleep(0.5)  # some of it is committed
    killed.kill()
    killed.wait()
    first = start(home / "data")
    assert set(first.users) == {"citizen", "reviewer", "admin", "support"}
    assert all({"username", "password"} == set(login) for login in first.users.values())
    assert all({"production", "staging"} == set(pair) for pair in first.keys.values())
    assert "127.0.0.0/8" in first.errors.read_text()
    assert (first.data_dir / "demo.json").stat().st_mode & 0o077 == 0
    assert first.stop() == 0
    second = start(home / "data")
    assert (second.users, second.keys) == (first.users, first.keys)
    assert "building the demo" not in second.errors.read_text()
    assert second.stop() == 0
    shutil.rmtree(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a default outside the checkout")
def test_root_keeps_its_data_outside_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNALBOX_DATA_DIR")
    assert places.data_dir() == Path("/var/lib/signalbox")
