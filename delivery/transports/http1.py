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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import aiohappyeyeballs
import httptools
from yarl import URL

from delivery.transports.failures import BadUrl, ConnectTimeout, NotHttp
from delivery.transports.headers import is_sendable
from delivery.transports.names import AddrInfo, Names, Resolve

CONNECT_SECONDS = 10
READ_SECONDS = 5  # at most, for a body behind a status that is already known
READ_BYTES = 64 * 1024  # of a body are read so that the connection can be used again
HEAD_BYTES = 64 * 1024  # of status line and headers, interim answers included
MAX_HEADERS = 128
# Less than the 5 s after which Node and uvicorn close an idle connection: a request that crosses
# such a close looks like a reset.
KEEP_ALIVE_SECONDS = 4

_WANTED = frozenset({b"retry-after", b"webhook-delivery", b"content-encoding"})
MakeSocket = Callable[[AddrInfo], socket.socket]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back: the headers that webhooks care about, and the start of the body."""

    status: int
    headers: Mapping[bytes, str]
    body: bytes
    is_whole: bool


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
        self._idle: defaultdict[_Key, list[_Connection]] = defaultdict(list)
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
    ) -> Answer:
        """Send a request and return the answer, with at most `keep_bytes` of its body.

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

    def _taken(self, key: _Key, now: float) -> _Connection | None:
        """Return the connection that was used last, if any is still good."""
        connections = self._idle.get(key)
        while connections:
            connection = connections.pop()
            if connection.is_reusable() and now - connection.idle_since < KEEP_ALIVE_SECONDS:
                return connection
            connection.abort()
        return None

    def _put_back(
        self, key: _Key, connection: _Connection, loop: asyncio.AbstractEventLoop
    ) -> None:
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

    async def _connected(self, key: _Key, timeout_seconds: float) -> _Connection:
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
                    lambda: _Connection(loop),
                    sock=made,
                    ssl=tls,
                    server_hostname=host.removesuffix(".") if tls else None,
                )
                return connection
        except TimeoutError:
            raise ConnectTimeout from None


class _Connection(asyncio.Protocol):
    """One connection; a request is under way while `_waiter` is set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.idle_since = 0.0
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._read_timer: asyncio.TimerHandle | None = None
        self._is_spoilt = False

    async def exchange(self, request: bytes, *, deadline: float, keep_bytes: int) -> Answer:
        """Send a request on an idle connection and return the answer."""
        self._begin(keep_bytes)
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        self._waiter = waiter
        timer = self._loop.call_at(deadline, self._give_up)
        try:
            if self._transport is None or self._is_spoilt:
                raise ConnectionResetError
            self._transport.write(request)
            return await waiter
        finally:
            timer.cancel()
            if self._read_timer is not None:
                self._read_timer.cancel()
            # Cancelled, or ended early: what still comes belongs to no later request.
            if self._waiter is not None:
                self._waiter = None
                self._is_spoilt = True

    def is_reusable(self) -> bool:
        """Say whether another request may be sent."""
        return (
            not self._is_spoilt
            and self._transport is not None
            and not self._transport.is_closing()
            # The receiver answered before it had read all: the rest would follow later.
            and self._transport.get_write_buffer_size() == 0
        )

    def abort(self) -> None:
        """Close at once."""
        self._is_spoilt = True
        if self._transport is not None:
            self._transport.abort()

    def _begin(self, keep_bytes: int) -> None:
        self._read_timer = None
        self._keep_bytes = keep_bytes
        self._received = 0
        self._header_count = 0
        self._status = 0
        self._headers: dict[bytes, str] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0

    def _finish(self, *, is_whole: bool) -> None:
        """Hand the answer over; one that is not whole spoils the connection."""
        waiter, self._waiter = self._waiter, None
        if not is_whole:
            self._is_spoilt = True
        if waiter is not None and not waiter.done():
            waiter.set_result(
                Answer(
                    status=self._status,
                    headers=self._headers,
                    body=b"".join(self._body)[: self._keep_bytes],
                    is_whole=is_whole,
                )
            )

    def _fail(self, error: Exception) -> None:
        """End without an answer, or with what there is of it."""
        self._is_spoilt = True
        if self._status:
            self._finish(is_whole=False)
            return
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def _give_up(self) -> None:
        self._fail(TimeoutError())

    # --- what the transport calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # A body without a length ends here, too; its status is known then.
        self._fail(exc or ConnectionResetError("closed without an answer"))

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            self.abort()  # nobody asked: the receiver is not in step
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(NotHttp("an upgrade that nobody asked for"))
        except httptools.HttpParserError as error:
            self._fail(NotHttp(str(error)))
        else:
            self._limit()

    def _limit(self) -> None:
        """Bound what is still to come of an answer that has begun."""
        if self._waiter is None:
            return
        if self._received > (READ_BYTES if self._status else 0) + HEAD_BYTES:
            self._fail(NotHttp("an answer without end"))
        elif self._status and self._read_timer is None:
            self._read_timer = self._loop.call_later(READ_SECONDS, self._give_up)

    # --- what the parser calls ---

    def on_message_begin(self) -> None:
        if self._waiter is None:
            self._is_spoilt = True  # a second answer right behind the first

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_count += 1
        if self._header_count > MAX_HEADERS:
            raise NotHttp("too many headers")
        name = name.lower()
        # Behind the body stand trailers, and behind the answer nothing that counts.
        if name in _WANTED and not self._status:
            self._headers[name] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        # Interim answers (100, 103) announce the answer; their headers are not its own.
        if status >= 200:
            self._status = status
        else:
            self._headers = {}

    def on_body(self, body: bytes) -> None:
        if self._body_bytes < self._keep_bytes:
            self._body.append(body)
        self._body_bytes += len(body)

    def on_message_complete(self) -> None:
        if self._status:
            self._is_spoilt = self._is_spoilt or not self._parser.should_keep_alive()
            self._finish(is_whole=True)


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
