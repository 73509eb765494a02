"""Webhooks: HTTP requests over kept-alive connections, guarded against what a URL may hide."""

from __future__ import annotations

import asyncio
import base64
import socket
import time
from collections.abc import Sequence
from functools import lru_cache

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from delivery import addresses
from delivery.transports import (
    Basic,
    Bearer,
    ClientCredentials,
    ErrorClass,
    Outgoing,
    Receipt,
    TransportError,
    failures,
    tls,
)
from delivery.transports.tokens import MAX_ANSWER_BYTES, Tokens

EXCERPT_BYTES = 20 * 1024  # of the answer's body are kept (design, section 9)
READ_BYTES = 64 * 1024  # are read so that the connection can be used again; then it is closed
READ_SECONDS = 5  # at most, for a body behind a status that is already known
CONNECT_SECONDS = 10
# Less than the 5 s after which Node and uvicorn close an idle connection: a request that crosses
# such a close looks like a reset.
KEEP_ALIVE_SECONDS = 4

_HEADERS = {
    "User-Agent": "Signalbox-Webhooks/1.0",
    "Accept": "*/*",
    # A compressed answer could not be shown, and unpacking it could fill the memory.
    "Accept-Encoding": "identity",
}

AddrInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class WebhookTransport:
    """Sends webhooks from one event loop; its session opens with the first request."""

    def __init__(
        self,
        *,
        allowed_networks: Sequence[addresses.Network] = (),
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._allowed_networks = tuple(allowed_networks)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._tokens = Tokens(self._fetch)

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Send the request; a 2xx status is a receipt, everything else a `TransportError`."""
        started = time.perf_counter()
        if not isinstance(outgoing.auth, ClientCredentials):
            return await self._attempt(outgoing, _fixed_authorization(outgoing), started)
        token = await self._token(outgoing, outgoing.auth, started)
        try:
            return await self._attempt(outgoing, f"Bearer {token}", started)
        except TransportError as error:
            if error.status != 401:
                raise
        # The token may have been revoked while we kept it: 401 counts only with a fresh one.
        fresh = await self._token(outgoing, outgoing.auth, started, refused=token)
        return await self._attempt(outgoing, f"Bearer {fresh}", started)

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _attempt(
        self, outgoing: Outgoing, authorization: str | None, started: float
    ) -> Receipt:
        try:
            async with await self._answer(outgoing, authorization) as answer:
                body = await _read_some(answer)
        except failures.EXPECTED as error:
            raise failures.translate(error, duration_ms=_milliseconds_since(started)) from error
        receipt = Receipt(
            status=answer.status,
            duration_ms=_milliseconds_since(started),
            response_excerpt=_excerpt(body, answer.headers.get("Content-Encoding", "")),
            retry_after=answer.headers.get("Retry-After"),
            webhook_delivery=answer.headers.get("webhook-delivery"),
        )
        if 200 <= answer.status < 300:
            return receipt
        raise _refused_by_status(receipt)

    async def _answer(
        self, outgoing: Outgoing, authorization: str | None
    ) -> aiohttp.ClientResponse:
        headers = list(outgoing.headers)
        if authorization is not None:
            headers.append(("Authorization", authorization))
        return await self._opened().request(
            outgoing.method,
            _url(outgoing.url),
            data=outgoing.body,
            headers=headers,
            timeout=_timeout(outgoing.timeout_seconds),
            ssl=tls.context(outgoing.tls) if outgoing.tls else tls.usual(),
            allow_redirects=False,
        )

    async def _fetch(self, outgoing: Outgoing) -> tuple[int, bytes]:
        """Carry a token request: the same guarded session, the whole answer."""
        async with await self._answer(outgoing, None) as answer:
            body = await answer.content.read(MAX_ANSWER_BYTES + 1)
            while len(body) <= MAX_ANSWER_BYTES and not answer.content.at_eof():
                body += await answer.content.read(MAX_ANSWER_BYTES + 1 - len(body))
            if len(body) > MAX_ANSWER_BYTES:
                answer.close()
                raise TransportError(
                    "The token server's answer does not end.",
                    error_class=ErrorClass.BODY_TOO_LARGE,
                )
            return answer.status, body

    async def _token(
        self, outgoing: Outgoing, auth: ClientCredentials, started: float, *, refused: str = ""
    ) -> str:
        try:
            return await self._tokens.token(
                auth, timeout_seconds=outgoing.timeout_seconds, refused=refused
            )
        except failures.EXPECTED as error:
            translated = failures.translate(error, duration_ms=_milliseconds_since(started))
            translated.message = f"No access token could be had. {translated.message}"
            raise translated from error
        except TransportError as error:
            error.duration_ms = _milliseconds_since(started)
            raise

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=0,  # each subscription has its own window
                    keepalive_timeout=KEEP_ALIVE_SECONDS,
                    socket_factory=self._guarded_socket,
                    resolver=self._resolver,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_HEADERS,
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    def _guarded_socket(self, address: AddrInfo) -> socket.socket:
        """Make the socket for an address about to be connected, or refuse to."""
        family, kind, protocol, _, where = address
        reason = addresses.refuse_reason(str(where[0]), allowed_networks=self._allowed_networks)
        if reason:
            raise failures.BlockedAddress(reason)
        made = socket.socket(family, kind, protocol)
        # Small requests must not wait for the acknowledgement of the one before.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


@lru_cache(maxsize=8_192)
def _url(text: str) -> URL:
    # A URL that is fit as it stands goes out as it stands: receivers sign and compare them.
    try:
        return URL(text, encoded=text.isascii())
    except ValueError:
        raise aiohttp.InvalidURL(text) from None


@lru_cache(maxsize=256)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    # Connecting (look-up and TLS included) ends before the whole does, so the two are told apart.
    return aiohttp.ClientTimeout(total=seconds, connect=min(0.9 * seconds, CONNECT_SECONDS))


def _fixed_authorization(outgoing: Outgoing) -> str | None:
    match outgoing.auth:
        case Basic(username=username, password=password):
            pair = base64.b64encode(f"{username}:{password}".encode())
            return f"Basic {pair.decode()}"
        case Bearer(token=token):
            return f"Bearer {token}"
    return None


async def _read_some(answer: aiohttp.ClientResponse) -> bytes:
    """Return the start of the body; what goes wrong after the status changes nothing.

    The receiver has said whether it took the event. A body that ends soon leaves the connection
    fit for the next request; any other is not waited for.
    """
    body = b""
    try:
        async with asyncio.timeout(READ_SECONDS):
            while len(body) <= READ_BYTES:
                piece = await answer.content.read(READ_BYTES)
                if not piece:
                    return body[:EXCERPT_BYTES]
                body += piece
    except (aiohttp.ClientError, OSError):
        pass
    answer.close()
    return body[:EXCERPT_BYTES]


def _excerpt(body: bytes, encoding: str) -> str:
    if encoding.strip().lower() not in ("", "identity"):
        return f"(an answer packed with {encoding[:20]}, not shown)"
    return body.decode("utf-8", "replace").replace("\0", "\ufffd")


def _refused_by_status(receipt: Receipt) -> TransportError:
    is_redirect = 300 <= receipt.status < 400
    return TransportError(
        f"The receiver answered {receipt.status}"
        + (", a redirect; redirects are not followed." if is_redirect else "."),
        error_class=ErrorClass.REDIRECT if is_redirect else ErrorClass.HTTP_STATUS,
        duration_ms=receipt.duration_ms,
        status=receipt.status,
        response_excerpt=receipt.response_excerpt,
        retry_after=receipt.retry_after,
        webhook_delivery=receipt.webhook_delivery,
    )


def _milliseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1_000)
