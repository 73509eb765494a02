"""Fixtures: a browser and a whole running portal, as a person starts it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from config import places
from tests.brokers import program

READY_SECONDS = 240
LOAD_SECONDS = 600
# So many past deliveries are laid behind the demo first: `tests.bench.journeys` asks for a million.
PAST = int(os.environ.get("JOURNEY_DELIVERIES", "0"))
STOP_SECONDS = 40
# What the test run chose for itself; the portal is to find its own.
OF_THIS_RUN = (
    "DATABASE_URL",
    "ALLOWED_HOSTS",
    "DJANGO_SETTINGS_MODULE",
    "SIGNALBOX_DATA_DIR",
    "CELERY_BROKER_URL",
    "PUBLIC_URL",
)
CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True, kw_only=True)
class RunningPortal:
    """A portal that `manage.py up --json` said is ready."""

    url: str
    users: dict[str, dict[str, str]]
    keys: dict[str, dict[str, str]]
    data_dir: Path
    process: subprocess.Popen[str]
    errors: Path

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End `up` itself with no chance to clean up."""
        self.process.kill()
        self.process.wait(10)


def command_environment(**extra: str) -> dict[str, str]:
    """Return the environment of a command that a person types, with `extra` set."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_THIS_RUN}
    return {**kept, **extra}


def start(data_dir: Path, *arguments: str, **environment: str) -> RunningPortal:
    """Run `manage.py up --json --port 0` on `data_dir`; fail with what it said if it does not."""
    errors = data_dir.with_name(f"{data_dir.name}.err")
    with errors.open("w") as sink:
        process = subprocess.Popen(
            [
                sys.executable, "manage.py", "up", "--json", "--port", "0",
                "--data-dir", str(data_dir), *arguments,
            ],
            cwd=places.BASE_DIR,
            env=command_environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=sink,
            text=True,
        )  # fmt: skip
    assert process.stdout is not None
    too_long = threading.Timer(READY_SECONDS, process.kill)
    too_long.start()
    line = process.stdout.readline()
    too_long.cancel()
    process.stdout.close()
    if not line:
        process.wait(STOP_SECONDS)
        pytest.fail(f"up ended with {process.returncode}:\n{errors.read_text()[-4000:]}")
    return RunningPortal(**json.loads(line), data_dir=data_dir, process=process, errors=errors)


def lay_past(portal: RunningPortal, deliveries: int) -> None:
    """Load so many past deliveries into a running portal, as its operator would."""
    subprocess.run(
        [sys.executable, "manage.py", "load_history", "--deliveries", str(deliveries)],
        cwd=places.BASE_DIR,
        env=command_environment(SIGNALBOX_DATA_DIR=str(portal.data_dir)),
        check=True,
        timeout=LOAD_SECONDS,
    )


@pytest.fixture(scope="session")
def portal() -> Iterator[RunningPortal]:
    """Run the demo once for all journeys; they share it, so each looks only at what it made."""
    home = Path(tempfile.mkdtemp(prefix="signalbox-portal-"))
    running = start(home / "data", DELIVERY_RETRY_WAITS_SECONDS="1,1")
    if PAST:
        lay_past(running, PAST)
    yield running
    status = running.stop()
    said = running.errors.read_text()
    shutil.rmtree(home, ignore_errors=True)
    assert status == 0, said


@pytest.fixture
def run_portal(tmp_path: Path) -> Iterator[Callable[..., RunningPortal]]:
    """Return a way to start portals of the test's own; what still runs at its end is stopped."""
    del tmp_path  # pytest keeps its folders closed to PostgreSQL's user, and their names are long
    home = Path(tempfile.mkdtemp(prefix="signalbox-up-"))
    running: list[RunningPortal] = []

    def run(*arguments: str, **environment: str) -> RunningPortal:
        running.append(start(home / "data", *arguments, **environment))
        return running[-1]

    yield run
    for each in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            each.process.terminate()
            each.process.wait(STOP_SECONDS)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium, headless, with no network but this machine's.

    One for each module: while Playwright runs, this thread has an event loop, and Django refuses
    its database to such a thread. So a module uses this or the database, not both.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program("chromium"), args=CHROMIUM_ARGUMENTS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def axe() -> Callable[[Page], list[dict[str, Any]]]:
    """Return a function that lists a page's serious and critical accessibility findings."""

    def findings(page: Page) -> list[dict[str, Any]]:
        violations = Axe().run(page).response["violations"]
        return [each for each in violations if each["impact"] in ("serious", "critical")]

    return findings
