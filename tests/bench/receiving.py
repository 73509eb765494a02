"""The receiver of the benches: a process that answers at once, or as late as the path says.

POST /any          200 at once
POST /slow/50/2    200 after 50 ms; two of a hundred after 1 s
POST /timed        200 at once; notes how long ago the body's "sent_at" was
GET  /             {"count", "marks": [[count, seconds], …], "latencies_ms": […]}, a mark each
                   hundred requests
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httptools
import uvloop

MARK_EVERY = 100
SLOW_SECONDS = 1.0
START_SECONDS = 20
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A running receiver, seen from the bench."""

    port: int

    def url(self, path: str = "/hook") -> str:
        """Return an address that leads to it."""
        return f"http://127.0.0.1:{self.port}{path}"

    def marks(self) -> list[tuple[int, float]]:
        """Return how many requests had come when, oldest first; the last is the newest."""
        return [(count, at) for count, at in self._told()["marks"]]

    def latencies_ms(self) -> list[float]:
        """Return how long each timed request had been on its way, in the order they came."""
        found: list[float] = self._told()["latencies_ms"]
        return found

    def _told(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            told: dict[str, Any] = json.loads(connection.getresponse().read())
        return told

    def count(self) -> int:
        """Return how many requests have come."""
        marks = self.marks()
        return marks[-1][0] if marks else 0

    def wait_for(self, count: int, *, seconds: float) -> None:
        """Return when so many have come in all; raise when they do not."""
        until = time.monotonic() + seconds
        while self.count() < count:
            if time.monotonic() > until:
                raise RuntimeError(f"{self.count()} of {count} requests came in {seconds} s.")
            time.sleep(0.05)

    def rate(self, first: int, last: int) -> float:
        """Return the requests a second between two counts, in the middle of the time between.

        The first and the last tenth are left out: processes start and end there.
        """
        tenth = (last - first) // 10
        within = [
            (count, at) for count, at in self.marks() if first + tenth <= count <= last - tenth
        ]
        (low, start), (high, end) = within[0], within[-1]
        return (high - low) / (end - start)


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.receiving"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield Receiver(port=int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)


class _Protocol(asyncio.Protocol):
    count = 0
    marks: list[tuple[int, float]] = []
    latencies_ms: list[float] = []

    def connection_made(self, transport: Any) -> None:  # uvloop's is no asyncio.Transport
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_body(self, body: bytes) -> None:
        if self._path == b"/timed":
            sent_at = json.loads(body)["sent_at"]
            type(self).latencies_ms.append((time.time() - sent_at) * 1000)

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"GET":
            self._tell()
            return
        cls = type(self)
        cls.count += 1
        if cls.count % MARK_EVERY == 0:
            cls.marks.append((cls.count, time.monotonic()))
        wait = self._wait()
        if wait:
            asyncio.get_running_loop().call_later(wait, self._answer)
        else:
            self._transport.write(OK)

    def _wait(self) -> float:
        if not self._path.startswith(b"/slow/"):
            return 0.0
        milliseconds, slow_of_hundred = map(int, self._path.split(b"/")[2:4])
        is_slow = type(self).count % 100 < slow_of_hundred
        return SLOW_SECONDS if is_slow else milliseconds / 1_000

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(OK)

    def _tell(self) -> None:
        cls = type(self)
        marks = [*cls.marks, (cls.count, time.monotonic())]
        body = json.dumps({"marks": marks, "latencies_ms": cls.latencies_ms}).encode()
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Protocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve())
