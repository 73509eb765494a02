"""A broker in a folder: kombu's file-system transport, made safe for a copy that is killed.

What differs from kombu's own, and why:

- A message appears whole: written aside, then renamed. Kombu's reader may see half of one.
- A file that is not a message is set aside with a warning. Kombu's worker stops for good at an
  empty one, and a crash leaves empty ones.
- A queue is a folder of its own, so an idle poll reads one empty folder and takes no lock.
- The names of messages sort by wall-clock time: the monotonic clock starts anew at each boot.
- Who sends rings a bell, a named pipe of each reader: one that waits comes at once, and costs
  nothing meanwhile. Kombu's 1 s between two looks would be the whole latency of a delivery.

    <folder>/queues/<queue>/<nanoseconds>-<random>.json
    <folder>/bindings/<exchange>.json
    <folder>/bells/<process>-<random>
    <folder>/drafts/   <folder>/unreadable/
"""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import json
import logging
import os
import select
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu import Connection
from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.transport.filesystem import exchange_queue_t

# *: kombu's stubs type a method differently in this transport and in its bases.
logger = logging.getLogger(__name__)

# Between two looks while tasks run, and where no bell can be: some file systems have no pipes.
POLLING_SECONDS = 0.02
# Celery's loop asks for 2 s at a time, and notices only between two of them that it is to stop.
LONGEST_WAIT_SECONDS = 0.25
BELLS = "bells"


def register() -> None:
    """Have `filesystem://` mean this transport in this process."""
    TRANSPORT_ALIASES["filesystem"] = "config.broker:Transport"


def empty(folder: Path) -> None:
    """Throw away what an earlier run left: wake-ups, whose work the sweep finds in the database."""
    for name in ("queues", "bindings", "drafts"):
        shutil.rmtree(folder / name, ignore_errors=True)


class Channel(filesystem.Channel):
    """Reads and writes the folder named by the transport option `folder`."""

    @property
    def folder(self) -> Path:
        return Path(self.transport_options["folder"])

    def _queue_folder(self, queue: str) -> Path:
        return self.folder / "queues" / _file_name(queue)

    def _put(self, queue: str, message: object, **_o: object) -> None:  # type: ignore[override] # *
        """Append a message; it is there whole or not at all."""
        name = f"{time.time_ns():020}-{uuid.uuid4().hex}.json"
        try:
            self._publish(self._queue_folder(queue) / name, json.dumps(message))
        except OSError as error:
            raise ChannelError(f"The message for {queue} cannot be written: {error}") from error
        _ring(self.folder / BELLS)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """Take the oldest message; raises Empty when there is none. It never waits."""
        for path in _oldest_first(self._queue_folder(queue)):
            try:
                content = path.read_bytes()
                message = _parse(content)
                if message is not None:
                    path.unlink()  # of two readers one succeeds
                    return message
            except FileNotFoundError:
                continue
            self._set_aside(path, f"{queue}-{path.name}")
        raise Empty

    def _size(self, queue: str) -> int:
        return len(_oldest_first(self._queue_folder(queue)))

    def _purge(self, queue: str) -> int:
        removed = 0
        for path in _oldest_first(self._queue_folder(queue)):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                removed += 1
        return removed

    def get_table(self, exchange: str) -> list[exchange_queue_t]:  # type: ignore[override] # *
        """Return who is bound to `exchange`; what this process bound is bound again if lost."""
        table = self._read_table(exchange)
        if not table:
            for queue, source, routing_key in list(self.state.bindings or ()):
                if source == exchange:
                    bind = self.typeof(exchange).prepare_bind(queue, exchange, routing_key, None)
                    self._queue_bind(exchange, bind[0], bind[1], bind[2])
            table = self._read_table(exchange)
        return table

    def _read_table(self, exchange: str) -> list[exchange_queue_t]:
        path = self._exchange_file(exchange)
        try:
            rows = json.loads(path.read_bytes())
            return [exchange_queue_t(*map(str, row)) for row in rows]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            self._set_aside(path, path.name)
            return []

    def _queue_bind(
        self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None
    ) -> None:
        binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        if binding in self._read_table(exchange):
            return
        with self._bindings_lock():
            others = [other for other in self._read_table(exchange) if other != binding]
            self._publish(self._exchange_file(exchange), json.dumps([binding, *others]))

    def _delete(
        self, queue: str, exchange: str, routing_key: str, pattern: str, *_a: object, **_k: object
    ) -> None:
        binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._bindings_lock():
            table = self._read_table(exchange)
            if binding in table:
                table.remove(binding)
                self._publish(self._exchange_file(exchange), json.dumps(table))
        shutil.rmtree(self._queue_folder(queue), ignore_errors=True)

    def _exchange_file(self, exchange: str) -> Path:
        return self.folder / "bindings" / f"{_file_name(exchange)}.json"

    @contextlib.contextmanager
    def _bindings_lock(self) -> Iterator[None]:
        path = self.folder / "bindings.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _publish(self, path: Path, text: str) -> None:
        draft = self.folder / "drafts" / f"{os.getpid()}-{uuid.uuid4().hex}"
        for _again in range(2):
            try:
                draft.write_text(text)
                draft.rename(path)
                return
            except FileNotFoundError:  # a folder is missing: the first message, or `empty()`
                draft.parent.mkdir(parents=True, exist_ok=True)
                path.parent.mkdir(parents=True, exist_ok=True)
        raise ChannelError(f"{path} cannot be written")

    def _set_aside(self, path: Path, name: str) -> None:
        folder = self.folder / "unreadable"
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"{time.time_ns()}-{_file_name(name)}"
        with contextlib.suppress(FileNotFoundError):  # a rival set it aside
            path.rename(kept)
            logger.warning("A file in the broker's folder was not a message; kept as %s", kept)


class Bell:
    """Wakes one reader: a pipe that it listens to, and that whoever sends a message writes into."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{os.getpid()}-{uuid.uuid4().hex}"
        self._pipe: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.mkfifo(self._path)
            # Read and write, so that the pipe does not end when a sender closes it.
            self._pipe = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            logger.warning("No pipe can be made in %s (%s): it is polled.", folder, error)

    def wait(self, seconds: float) -> None:
        """Wait until it rings, at most so long; for a moment where it cannot be heard."""
        if self._pipe is None or not self._path.exists():
            time.sleep(min(seconds, POLLING_SECONDS))
        elif select.select([self._pipe], [], [], seconds)[0]:
            os.read(self._pipe, 4_096)

    def close(self) -> None:
        """Take it down."""
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        self._path.unlink(missing_ok=True)


def _ring(folder: Path) -> None:
    """Wake all readers, as far as it can be done; the bell of one that is gone is taken down."""
    with contextlib.suppress(NotADirectoryError):
        for path in _oldest_first(folder):
            try:
                pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    path.unlink(missing_ok=True)
                continue
            with contextlib.suppress(BlockingIOError, BrokenPipeError):  # full: it rings already
                os.write(pipe, b".")
            os.close(pipe)


class Transport(filesystem.Transport):
    """`filesystem://` for Signalbox."""

    Channel = Channel
    # Kombu's types leave open what a transport in use has.
    client: Any
    cycle: Any
    _bell: Bell | None = None

    @property
    def default_connection_params(self) -> dict[str, object]:
        """Return none: a folder has no host, and kombu warns when it falls back to one."""
        return {}

    def drain_events(  # type: ignore[override] # *
        self, connection: Connection, timeout: float | None = None
    ) -> None:
        """Wait for a message; `TimeoutError` after `timeout` seconds, or sooner."""
        del connection
        # Celery notes only between two calls that a task ended, and takes no other until then.
        longest = LONGEST_WAIT_SECONDS if self._is_idle else POLLING_SECONDS
        if timeout is not None:
            longest = min(timeout, longest)
        ends_at, bell = time.monotonic() + longest, self._listen()
        while True:
            try:
                self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                left = ends_at - time.monotonic()
                if left <= 0 and timeout is not None:
                    raise TimeoutError from None
                bell.wait(longest if timeout is None else left)
            else:
                return

    def close_connection(self, connection: Connection) -> None:
        """Close the channels and take the bell down."""
        super().close_connection(connection)
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def _listen(self) -> Bell:
        if self._bell is None:
            self._bell = Bell(Path(self.client.transport_options["folder"]) / BELLS)
        return self._bell

    @property
    def _is_idle(self) -> bool:
        """Tell whether every message that was taken has been acknowledged."""
        qualities = [channel.qos for channel in self.channels or ()]
        return all(len(one._delivered or ()) == len(one._dirty or ()) for one in qualities)


def _oldest_first(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder))]  # noqa: PTH208 - polled: cheapest
    except FileNotFoundError:
        return []


def _parse(content: bytes) -> dict[str, Any] | None:
    """Return the message, or nothing where kombu would fail in its loop and end the worker."""
    try:
        message = json.loads(content)
        properties = message["properties"]
        delivery = properties["delivery_info"]
        is_addressed = {"exchange", "routing_key"} <= delivery.keys()
        if properties.get("body_encoding") == "base64":
            base64.b64decode(message["body"], validate=True)
        is_whole = "body" in message and "delivery_tag" in properties
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return message if is_addressed and is_whole else None


def _file_name(name: str) -> str:
    """Return `name` as one that stays inside its folder, whatever characters it has."""
    return quote(name, safe="@ ").replace(".", "%2E") or "%"
