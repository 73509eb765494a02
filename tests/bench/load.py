"""A load generator that costs little: raw HTTP/1.1 on kept-alive connections, one request each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httptools
import uvloop

MakeRequest = Callable[[], bytes]


@dataclass(kw_only=True, slots=True)
class Load:
    """What came back in how many seconds; latencies in milliseconds."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_ms: list[float] = field(default_factory=list)

    def per_second(self, status: int = 202) -> float:
        """Return the answers of one status a second."""
        return self.statuses[status] / self.seconds if self.seconds else 0.0


class _Client(asyncio.Protocol):
    """One connection: sends the next request as soon as the last was answered."""

    def __init__(self, make: MakeRequest, load: Load, until: float, done: asyncio.Event) -> None:
        self._make = make
        self._load = load
        self._until = until
        self._done = done
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        self._load.statuses[self._parser.get_status_code()] += 1
        self._load.latencies_ms.append((now - self._sent_at) * 1000)
        self._parser = httptools.HttpResponseParser(self)
        if now < self._until:
            self._next()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._done.set()

    def _next(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._make())  # type: ignore[attr-defined]  # a stream's transport


def press(port: int, make: MakeRequest, *, connections: int, seconds: float) -> Load:
    """Send requests over so many connections for so long; return what came back."""
    return uvloop.run(_press(port, make, connections, seconds))


async def _press(port: int, make: MakeRequest, connections: int, seconds: float) -> Load:
    load = Load()
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    until = started + seconds
    waiting = []
    for _ in range(connections):
        done = asyncio.Event()
        waiting.append(done.wait())
        await loop.create_connection(
            lambda done=done: _Client(make, load, until, done),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
    async with asyncio.timeout(seconds + 20):
        await asyncio.gather(*waiting)
    load.seconds = time.perf_counter() - started
    return load


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return the bytes of one POST."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
