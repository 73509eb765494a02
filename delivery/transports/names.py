"""Looking names up: kept for some seconds, asked once at a time, never in another's way."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import cast

from delivery import addresses

KEEP_SECONDS = 10  # an answer serves so long; what is connected is judged at the socket each time
MAX_KEPT = 10_000
# A name server that does not answer holds a thread for many seconds; the event loop's own few
# threads would soon all wait for the dead.
THREADS = 64

Where = tuple[str, int] | tuple[str, int, int, int]
AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, Where]
Resolve = Callable[[str, int], Awaitable[Sequence[AddrInfo]]]


class Names:
    """The names that one process has looked up of late."""

    def __init__(self, resolve: Resolve | None = None) -> None:
        self._resolve = resolve or self._by_system
        self._kept: dict[tuple[str, int], tuple[float, asyncio.Task[Sequence[AddrInfo]]]] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def addresses(self, host: str, port: int) -> Sequence[AddrInfo]:
        """Return where a host can be connected, in the order of preference; raises `OSError`."""
        literal = addresses.literal(host)
        if literal is not None:
            family = socket.AF_INET if literal.version == 4 else socket.AF_INET6
            return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
        now = asyncio.get_running_loop().time()
        expires_at, task = self._kept.get((host, port), (0.0, None))
        if task is None or (task.done() and (expires_at <= now or _failed(task))):
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            task = asyncio.ensure_future(_awaited(self._resolve(host, port)))
            self._kept[host, port] = (now + KEEP_SECONDS, task)
        # One who gives up waiting must not take the answer from the others.
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Look every name up anew."""
        self._kept.clear()

    def close(self) -> None:
        """Stop looking up."""
        for _, task in self._kept.values():
            task.cancel()
        self._kept.clear()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None

    async def _by_system(self, host: str, port: int) -> Sequence[AddrInfo]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="look-up")
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM
        )
        return cast(Sequence[AddrInfo], found)


async def _awaited(found: Awaitable[Sequence[AddrInfo]]) -> Sequence[AddrInfo]:
    return await found


def _failed(task: asyncio.Task[Sequence[AddrInfo]]) -> bool:
    return task.cancelled() or task.exception() is not None
