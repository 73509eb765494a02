"""Webhooks: signed requests go out, and a 2xx status is the receipt."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable, Sequence

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
from delivery.transports.connection import Answer
from delivery.transports.http1 import Client
from delivery.transports.names import AddrInfo, Resolve
from delivery.transports.tokens import MAX_ANSWER_BYTES, Tokens

EXCERPT_BYTES = 20 * 1024  # of the answer's body are kept (design, section 9)


class WebhookTransport:
    """Sends webhooks from one event loop, never to an address that it must not reach."""

    def __init__(
        self,
        *,
        allowed_networks: Sequence[addresses.Network] = (),
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed_networks = tuple(allowed_networks)
        self._client = Client(make_socket=self._guarded_socket, resolve=resolve)
        self._tokens = Tokens(self._fetch)

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Send the request; a 2xx status is a receipt, everything else a `TransportError`."""
        started = time.perf_counter()
        try:
            answer = await self._authorized(outgoing)
        except failures.EXPECTED as error:
            raise failures.translate(error, duration_ms=_milliseconds_since(started)) from error
        except TransportError as error:
            error.duration_ms = _milliseconds_since(started)
            raise
        receipt = Receipt(
            status=answer.status,
            duration_ms=_milliseconds_since(started),
            response_excerpt=_excerpt(answer),
            retry_after=answer.headers.get(b"retry-after"),
            webhook_delivery=answer.headers.get(b"webhook-delivery"),
        )
        if 200 <= answer.status < 300:
            return receipt
        raise _refused_by_status(receipt)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def _authorized(self, outgoing: Outgoing) -> Answer:
        match outgoing.auth:
            case None:
                return await self._exchange(outgoing, None)
            case Basic(username=username, password=password):
                pair = base64.b64encode(f"{username}:{password}".encode())
                return await self._exchange(outgoing, f"Basic {pair.decode()}")
            case Bearer(token=token):
                return await self._exchange(outgoing, f"Bearer {token}")
            case ClientCredentials() as credentials:
                return await self._with_token(outgoing, credentials)

    async def _with_token(self, outgoing: Outgoing, credentials: ClientCredentials) -> Answer:
        token = await self._tokens.token(credentials, timeout_seconds=outgoing.timeout_seconds)
        answer = await self._exchange(outgoing, f"Bearer {token}")
        if answer.status != 401:
            return answer
        # The token may have been revoked while we kept it: 401 counts only with a fresh one.
        fresh = await self._tokens.token(
            credentials, timeout_seconds=outgoing.timeout_seconds, refused=token
        )
        return await self._exchange(outgoing, f"Bearer {fresh}")

    async def _exchange(
        self, outgoing: Outgoing, authorization: str | None, *, keep_bytes: int = EXCERPT_BYTES
    ) -> Answer:
        headers = outgoing.headers
        if authorization is not None:
            headers = (*headers, ("Authorization", authorization))
        return await self._client.exchange(
            method=outgoing.method,
            url=outgoing.url,
            headers=headers,
            body=outgoing.body,
            timeout_seconds=outgoing.timeout_seconds,
            tls=tls.context(outgoing.tls) if outgoing.tls else tls.usual(),
            keep_bytes=keep_bytes,
            before_sending=_guard(outgoing.may_go),
        )

    async def _fetch(self, outgoing: Outgoing) -> tuple[int, bytes]:
        """Carry a token request: the same guarded way, and the whole answer."""
        answer = await self._exchange(outgoing, None, keep_bytes=MAX_ANSWER_BYTES + 1)
        if len(answer.body) > MAX_ANSWER_BYTES:
            raise TransportError(
                "The token server's answer does not end.", error_class=ErrorClass.BODY_TOO_LARGE
            )
        return answer.status, answer.body

    def _guarded_socket(self, address: AddrInfo) -> socket.socket:
        """Make the socket for an address about to be connected, or refuse to."""
        family, kind, protocol, _, where = address
        reason = addresses.refuse_reason(where[0], allowed_networks=self._allowed_networks)
        if reason:
            raise failures.BlockedAddress(reason)
        made = socket.socket(family, kind, protocol)
        # A small request must not wait for the acknowledgement of the one before.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


def _guard(may_go: Callable[[], bool] | None) -> Callable[[], None] | None:
    if may_go is None:
        return None

    def check() -> None:
        if not may_go():
            raise TransportError(
                "Whether this may be sent is no longer sure: it is asked again.",
                error_class=ErrorClass.INTERRUPTED,
            )

    return check


def _excerpt(answer: Answer) -> str:
    encoding = answer.headers.get(b"content-encoding", "")
    if encoding.strip().lower() not in ("", "identity"):
        return f"(an answer packed with {encoding[:20]}, not shown)"
    return answer.body.decode("utf-8", "replace").replace("\0", "\ufffd")


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
