"""One HTTP/1.1 connection: a request goes out, an answer comes in, and both have limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import httptools

from delivery.transports.failures import NotHttp

READ_SECONDS = 5  # at most, for a body behind a status that is already known
READ_BYTES = 64 * 1024  # of a body are read so that the connection can be used again
HEAD_BYTES = 64 * 1024  # of status line and headers, interim answers included
MAX_HEADERS = 128

_WANTED = frozenset({b"retry-after", b"webhook-delivery", b"content-encoding"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back: the headers that webhooks care about, and the start of the body."""

    status: int
    headers: Mapping[bytes, str]
    body: bytes
    is_whole: bool


class Connection(asyncio.Protocol):
    """One connection; a request is under way while `_waiter` is set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.idle_since = 0.0
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._read_timer: asyncio.TimerHandle | None = None
        self._is_spoilt = False
        self._status = 0  # it may be closed before its first request

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
