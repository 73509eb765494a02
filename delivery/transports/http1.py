"""A small HTTP/1.1 client for webhooks: one request at a time on kept-alive connections.

It exists because a general client costs several times as much as all else that a delivery costs.
It does what webhooks need and no more: TLS, chunked and close-delimited answers, time-outs, caps on
all that a receiver may send. No redirects, cookies, proxies, pipelining, or automatic repetition.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import aiohappyeyeballs
from yarl import URL

from delivery.transports.connection import Answer, Connection
from delivery.transports.failures import BadUrl, ConnectTimeout
from delivery.transports.headers import is_sendable
from delivery.transports.names import AddrInfo, Names, Resolve

CONNECT_SECONDS = 10
# Less than the 5 s after which Node and uvicorn close an idle connection: a request that crosses
# such a close looks like a reset.
KEEP_ALIVE_SECONDS = 4

MakeSocket = Callable[[AddrInfo], socket.socket]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """Where a URL leads, and what every request to it starts with."""

    host: str
    port: int
    is_tls: bool
    path: str
    host_header: str


_Key = tuple[str, int, ssl.SSLContext | None]


class Client:
    """Connections of one process on one event loop."""

    def __init__(self, *, make_socket: MakeSocket, resolve: Resolve | None = None) -> None:
        self._make_socket = make_socket
        self._names = Names(resolve)
        self._idle: defaultdict[_Key, list[Connection]] = defaultdict(list)
        self._reaper: asyncio.TimerHandle | None = None

    async def exchange(
        self,
        *,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes,
        timeout_seconds: float,
        tls: ssl.SSLContext,
        keep_bytes: int,
        before_sending: Callable[[], None] | None = None,
    ) -> Answer:
        """Send a request and return the answer, with at most `keep_bytes` of its body.

        `before_sending` is called when the connection stands; what it raises is raised here.
        Once the status is known nothing fails any more: the body is as much as came. Raises
        `BadUrl`, `ValueError` for headers that cannot be sent, `ConnectTimeout`, `TimeoutError`,
        `NotHttp` and `OSError`.
        """
        target = _target(url)
        request = _request(method, target, headers, body)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        key = (target.host, target.port, tls if target.is_tls else None)
        connection = self._taken(key, loop.time()) or await self._connected(
            key, min(0.9 * timeout_seconds, CONNECT_SECONDS)
        )
        try:
            if before_sending is not None:
                before_sending()
            return await connection.exchange(request, deadline=deadline, keep_bytes=keep_bytes)
        finally:
            if connection.is_reusable():
                self._put_back(key, connection, loop)
            else:
                connection.abort()

    async def close(self) -> None:
        """Close every idle connection."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()
        self._names.close()
        await asyncio.sleep(0)  # so that the loop lets go of the sockets

    def _taken(self, key: _Key, now: float) -> Connection | None:
        """Return the connection that was used last, if any is still good."""
        connections = self._idle.get(key)
        while connections:
            connection = connections.pop()
            if connection.is_reusable() and now - connection.idle_since < KEEP_ALIVE_SECONDS:
                return connection
            connection.abort()
        return None

    def _put_back(self, key: _Key, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        connection.idle_since = loop.time()
        self._idle[key].append(connection)
        if self._reaper is None:
            self._reaper = loop.call_later(KEEP_ALIVE_SECONDS, self._reap, loop)

    def _reap(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close what has been idle for too long, and look again later if anything is left."""
        oldest = loop.time() - KEEP_ALIVE_SECONDS
        for key, connections in list(self._idle.items()):
            for connection in connections:
                if connection.idle_since <= oldest:
                    connection.abort()
            self._idle[key] = [c for c in connections if c.idle_since > oldest]
            if not self._idle[key]:
                del self._idle[key]
        self._reaper = loop.call_later(KEEP_ALIVE_SECONDS, self._reap, loop) if self._idle else None

    async def _connected(self, key: _Key, timeout_seconds: float) -> Connection:
        host, port, tls = key
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_seconds):
                made = await aiohappyeyeballs.start_connection(
                    await self._names.addresses(host, port),
                    happy_eyeballs_delay=0.25,  # RFC 8305, section 8
                    socket_factory=cast(aiohappyeyeballs.SocketFactoryType, self._make_socket),
                )
                _, connection = await loop.create_connection(
                    lambda: Connection(loop),
                    sock=made,
                    ssl=tls,
                    server_hostname=host.removesuffix(".") if tls else None,
                )
                return connection
        except TimeoutError:
            raise ConnectTimeout from None


@lru_cache(maxsize=8_192)
def _target(text: str) -> _Target:
    try:
        # A URL that is fit as it stands goes out as it stands: receivers sign and compare them.
        url = URL(text, encoded=text.isascii())
        host, port = url.host, url.port
    except ValueError:
        raise BadUrl(text) from None
    path = url.raw_path_qs or "/"
    if (
        url.scheme not in ("http", "https")
        or not host
        or not port
        or url.raw_user is not None
        or not re.fullmatch(r"[!-~]+", path)
    ):
        raise BadUrl(text)
    name = url.raw_host or host
    bracketed = f"[{name}]" if ":" in name else name
    return _Target(
        host=name,
        port=port,
        is_tls=url.scheme == "https",
        path=path,
        host_header=bracketed if url.is_default_port() else f"{bracketed}:{port}",
    )


_DEFAULTS = (("User-Agent", "Signalbox-Webhooks/1.0"), ("Accept", "*/*"))


def _request(
    method: str, target: _Target, headers: Sequence[tuple[str, str]], body: bytes
) -> bytes:
    """Return the whole request; raises `ValueError` for what would break out of a header."""
    given = {_checked_name(name) for name, _ in headers}
    lines = [
        f"{method} {target.path} HTTP/1.1",
        f"Host: {target.host_header}",
        # A packed answer could not be shown, and unpacking it could fill the memory.
        "Accept-Encoding: identity",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in _DEFAULTS if name.lower() not in given),
        *(f"{name}: {value}" for name, value in headers),
    ]
    head = "\r\n".join(lines)
    if not head.count("\n") == head.count("\r") == len(lines) - 1 or "\0" in head:
        raise ValueError("a header with a line break or a NUL")
    return b"%b\r\n\r\n%b" % (head.encode(), body)


@lru_cache(maxsize=4_096)
def _checked_name(name: str) -> str:
    if not is_sendable(name):
        raise ValueError(f"{name} cannot be sent")
    return name.lower()
