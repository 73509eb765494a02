"""The life of one running copy: prepare, start, announce, watch, stop."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from catalog.models import User
from catalog.words import UserKind
from config import broker, embedded, entry
from config.supervisor import Service, Supervisor
from delivery import partitions

HOST = "127.0.0.1"
# The demo's receivers live on this machine; nothing else may be reached there by default.
DEMO_NETWORK = "127.0.0.0/8"
RETRY_WAITS = "DELIVERY_RETRY_WAITS_SECONDS"
# Nobody watches a demo for the hours of the real schedule.
DEMO_PACE = {
    RETRY_WAITS: "2,5,10",
    "DELIVERY_OVERLOAD_FLOOR_SECONDS": "3",
    "DELIVERY_PROBE_SECONDS": "5",
}
READY_SECONDS = 180
WORKER_READY_SECONDS = 30
WORKER_PROCESSES = 2
# More deaths than this before the first readiness: it will not come up by itself.
HOPELESS_DEATHS = 3
# A terminal or `timeout` may send one request twice: to the process, and to its group.
SAME_SIGNAL_SECONDS = 1
Say = Callable[[str], None]


class CannotRun(Exception):
    """The copy cannot start; the message says what to change. Nothing was left running."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portal:
    """What a person or a script needs to use the copy that now runs."""

    url: str
    logs: Path
    users: dict[str, dict[str, str]]
    keys: dict[str, dict[str, str]]
    publish_command: str


class Stopping:
    """Turns signals into a request to stop; a second one asks for haste."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._is_preparing = True
        self._asked_at = 0.0
        self.is_asked = False

    def listen(self) -> None:
        """Take over the signals that ask a program to stop."""
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, self._on_signal)

    def prepared(self) -> None:
        """Let what runs now be stopped in order, no longer by an exception wherever we are."""
        self._is_preparing = False

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.is_asked and now - self._asked_at > SAME_SIGNAL_SECONDS:
            self._supervisor.hurry()
        if not self.is_asked:
            self.is_asked, self._asked_at = True, now
        if self._is_preparing:
            self._is_preparing = False
            raise KeyboardInterrupt


def run(*, port: int, wants_demo: bool, announce: Callable[[Portal], None], say: Say) -> None:
    """Run the copy in the settings' data folder until a signal; raises CannotRun when it cannot."""
    data: Path = settings.DATA_DIR
    supervisor = Supervisor(cwd=settings.BASE_DIR, logs=data / "logs", say=say)
    stopping = Stopping(supervisor)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_one(data))
        listener = stack.enter_context(_listen(port))
        stopping.listen()
        try:
            if entry.uses_embedded():
                say(f"Starting PostgreSQL in {data} …")
                lease = embedded.ensure_running(data, say=say)
                stack.callback(lease.release)
            stack.callback(connections.close_all)
            url = f"http://{HOST}:{listener.getsockname()[1]}"
            demo = _prepare(data, url, wants_demo=wants_demo, say=say)
            stack.callback(supervisor.stop)
            say("Starting web, worker and beat …")
            ready_file = data / "worker.ready"
            ready_file.unlink(missing_ok=True)
            for service in _services(listener, ready_file, has_demo=bool(demo)):
                supervisor.start(service)
            _wait_until_ready(url, ready_file, supervisor, say)
            stopping.prepared()
            announce(_portal(url, data, demo))
            while not stopping.is_asked:
                supervisor.watch()
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        say("Stopping …")
        listener.close()
    say("Stopped.")


def _prepare(data: Path, url: str, *, wants_demo: bool, say: Say) -> dict[str, Any]:
    """Bring database, broker and environment to where the children can start; return the demo."""
    os.environ["SIGNALBOX_DATA_DIR"] = str(data)
    if not os.environ.get("PUBLIC_URL"):
        os.environ["PUBLIC_URL"] = settings.PUBLIC_URL = url
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        broker.empty(Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["folder"]))
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)  # WhiteNoise warns in each process otherwise
    _drop_unfinished_demo(data, say)
    call_command("migrate", interactive=False, verbosity=0)
    partitions.ensure(datetime.now(tz=UTC))
    if settings.IS_PRODUCTION:
        call_command("ensure_portal_topic")
        call_command("collectstatic", interactive=False, verbosity=0)
        return {}
    demo = _demo(data, say) if wants_demo else {}
    call_command("ensure_portal_topic")
    connections.close_all()
    return demo


def _demo(data: Path, say: Say) -> dict[str, Any]:
    """Build the demo in an empty database; return its logins and keys, none if it has no demo."""
    settings.DEMO_RECEIVER_URL = os.environ["DEMO_RECEIVER_URL"] = _receiver_url(data)
    _allow_demo_receiver(say)
    if not User.objects.filter(kind=UserKind.PERSON).exists():
        say("The database is empty: building the demo shop …")
        unfinished = _unfinished_demo(data)
        unfinished.touch()
        call_command("seed_demo", stdout=sys.stderr)
        unfinished.unlink()
    demo_file = data / "demo.json"
    return dict(json.loads(demo_file.read_text())) if demo_file.exists() else {}


def _unfinished_demo(data: Path) -> Path:
    """Return the file that stands while the demo is built: a database with it has half a shop."""
    return data / "demo.unfinished"


def _drop_unfinished_demo(data: Path, say: Say) -> None:
    if not _unfinished_demo(data).exists():
        return
    if not entry.uses_embedded():
        raise CannotRun(
            "Building the demo was interrupted. Empty the database of DATABASE_URL, remove "
            f"{_unfinished_demo(data)}, and run this again."
        )
    say("Building the demo was interrupted: beginning anew.")
    connections.close_all()
    embedded.start_over(data)
    (data / "demo.json").unlink(missing_ok=True)
    _unfinished_demo(data).unlink()


def _receiver_url(data: Path) -> str:
    """Return where the demo's receiver listens: chosen once, for the seeded endpoints name it."""
    kept = data / "demo-receiver.port"
    if not kept.exists():
        with socket.socket() as free:
            free.bind((HOST, 0))
            kept.write_text(str(free.getsockname()[1]))
    return f"http://{HOST}:{kept.read_text().strip()}"


def _allow_demo_receiver(say: Say) -> None:
    allowed = [*settings.DELIVERY_ALLOWED_NETWORKS]
    if DEMO_NETWORK not in allowed:
        settings.DELIVERY_ALLOWED_NETWORKS = [*allowed, DEMO_NETWORK]
        os.environ["DELIVERY_ALLOWED_NETWORKS"] = ",".join(settings.DELIVERY_ALLOWED_NETWORKS)
        say(f"Deliveries may reach {DEMO_NETWORK} in this copy: the demo's receivers live there.")
    for name, value in DEMO_PACE.items():
        os.environ.setdefault(name, value)
    if folder := getattr(settings, "EMAIL_FILE_PATH", ""):
        say(f"E-mail is kept as files in {folder}; EMAIL_URL names a server.")
    say(f"A failed delivery is tried again after {os.environ[RETRY_WAITS]} seconds in this copy.")


def _services(listener: socket.socket, ready_file: Path, *, has_demo: bool) -> Iterator[Service]:
    """Yield the children in the order in which they stop: what makes work before what does it."""
    python = sys.executable
    celery = (python, "-m", "celery", "-A", "config.celery")
    yield Service(
        name="beat",
        command=(*celery, "beat", "--pidfile="),
        stop_seconds=4,
    )
    for number in range(1, min(2, os.cpu_count() or 1) + 1):
        yield Service(
            name=f"web-{number}",
            command=(python, "-m", "config.serve", "--fd", str(listener.fileno())),
            pass_fds=(listener.fileno(),),
            stop_seconds=5,
        )
    yield Service(
        name="worker",
        command=(
            *celery, "worker", "--concurrency", str(WORKER_PROCESSES), "--loglevel", "INFO",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ),
        environment={"SIGNALBOX_READY_FILE": str(ready_file)},
        stop_seconds=8,
    )  # fmt: skip
    if has_demo:
        receiver = str(urllib.parse.urlsplit(settings.DEMO_RECEIVER_URL).port)
        yield Service(
            name="demo-receiver",
            command=(python, "manage.py", "demo_receiver", "--port", receiver),
            stop_seconds=2,
            is_vital=False,
        )


def _wait_until_ready(url: str, ready_file: Path, supervisor: Supervisor, say: Say) -> None:
    until = time.monotonic() + READY_SECONDS
    while problem := _why_not_ready(url):
        supervisor.watch()
        if supervisor.deaths() > HOPELESS_DEATHS:
            raise CannotRun(f"The portal does not come up.\n{supervisor.tail()}")
        if time.monotonic() > until:
            raise CannotRun(f"The portal does not come up: {problem}\n{supervisor.tail()}")
        time.sleep(0.1)
    until = time.monotonic() + WORKER_READY_SECONDS
    while not ready_file.exists():
        supervisor.watch()
        if supervisor.deaths() > HOPELESS_DEATHS:
            raise CannotRun(f"The worker does not come up.\n{supervisor.tail()}")
        if time.monotonic() > until:
            say("The worker is still starting; events are kept until it delivers them.")
            return
        time.sleep(0.1)


def _why_not_ready(url: str) -> str:
    """Return what `/readyz` misses; empty when it misses nothing."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5):  # noqa: S310 - our own, http
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode(errors="replace")
    except OSError as error:
        return str(error)


def _portal(url: str, data: Path, demo: dict[str, Any]) -> Portal:
    return Portal(
        url=url,
        logs=data / "logs",
        users=demo.get("users", {}),
        keys=demo.get("keys", {}),
        publish_command=demo.get("publish_command", "").replace("{url}", url),
    )


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the data folder against a second `up`; the kernel lets go however this one ends."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun(
                f"This copy already runs (process {_holder(lock)}, data in {data}). Stop that one, "
                "or give another --data-dir."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read().strip() or "unknown"


@contextlib.contextmanager
def _listen(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise CannotRun(
                f"Port {port} cannot be used ({error.strerror}). Choose another with --port N; "
                "--port 0 takes a free one."
            ) from error
        listener.listen(2048)
        yield listener
