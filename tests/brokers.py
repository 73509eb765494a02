"""Private Redis and RabbitMQ servers, fixtures of them, and the environment of child processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from celery import Celery
from django.db import connection

from config import testing

START_SECONDS = 60
HOST = "127.0.0.1"


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """Return the path of a system program; without it the test is skipped, but fails in CI."""
    found = testing.find(name)
    if found is None:
        reason = f"{name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Start a Redis of this run; return its URL."""
    with redis() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """Start a RabbitMQ of this run; return its URL."""
    with rabbitmq() as url:
        yield url


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a Redis until the end of the block; yield its URL."""
    port = free_port()
    command = [
        program("redis-server"), "--bind", HOST, "--port", str(port),
        "--save", "", "--appendonly", "no",
    ]  # fmt: skip
    with _server(command, {}) as process:
        _wait_for_broker(url := f"redis://{HOST}:{port}/0", process)
        yield url


@contextlib.contextmanager
def rabbitmq() -> Iterator[str]:
    """Run a RabbitMQ until the end of the block; yield its URL."""
    port, distribution_port = free_port(), free_port()
    folder = Path(tempfile.mkdtemp(prefix="signalbox-rabbitmq-"))
    environment = {
        "RABBITMQ_NODENAME": f"signalbox{os.getpid()}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        # Its port mapper outlives it; one of our own can be ended without harm to others.
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": HOST,
        "HOME": str(folder),
    }
    (folder / "plugins").write_text("[].")
    try:
        with _server([_rabbitmq()], environment) as process:
            _wait_for_broker(url := f"amqp://guest:guest@{HOST}:{port}//", process)
            yield url
    finally:
        mapper = shutil.which("epmd") or "epmd"
        subprocess.run(
            [mapper, "-port", environment["ERL_EPMD_PORT"], "-kill"],
            capture_output=True,
            check=False,
        )
        shutil.rmtree(folder, ignore_errors=True)


def _rabbitmq() -> str:
    """Return the server itself: Debian's wrapper changes the user and hides the exit status."""
    behind_wrapper = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    return str(behind_wrapper) if behind_wrapper.exists() else program("rabbitmq-server")


@pytest.fixture
def process_environment() -> dict[str, str]:
    """Return the environment in which a process works on this run's database and folders.

    It uses the product's own settings, not those of the tests. The test must see to it that its
    rows are committed: `@pytest.mark.django_db(transaction=True)`.
    """
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def database_url() -> str:
    """Return the URL of the database that this process uses now."""
    settings = connection.settings_dict
    host = quote(str(settings["HOST"]), safe="/")
    port = f"&port={settings['PORT']}" if settings["PORT"] else ""
    login = ":".join(quote(str(settings[part]), safe="") for part in ("USER", "PASSWORD"))
    return f"postgresql://{login}@/{settings['NAME']}?host={host}{port}"


@contextlib.contextmanager
def _server(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a process group of its own, and end the whole group."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_broker(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    app = Celery(broker=url, set_as_current=False)
    while True:
        try:
            with app.connection_for_write() as broker:
                broker.ensure_connection(max_retries=1, timeout=2)
            return
        except Exception as error:  # noqa: BLE001 - each broker's client has errors of its own
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{process.args!r} does not answer at {url}: {error}")
            time.sleep(0.2)
