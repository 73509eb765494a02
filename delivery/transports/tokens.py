"""Access tokens by OAuth 2.0 client credentials, fetched once and kept until they are old."""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode

import orjson

from delivery.transports import ClientCredentials, ErrorClass, Outgoing, TransportError

MAX_KEPT = 4_096
DEFAULT_LIFE_SECONDS = 300  # when the server does not say how long a token lives
RENEW_BEFORE_SECONDS = 30
MAX_ANSWER_BYTES = 64 * 1024

# What carries a request: answers status and body, raises `TransportError`.
Fetch = Callable[[Outgoing], Awaitable[tuple[int, bytes]]]


@dataclass(slots=True)
class _Kept:
    token: str = ""
    expires_at: float = 0.0


class Tokens:
    """The tokens of one process; one fetch at a time for each set of credentials."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: OrderedDict[ClientCredentials, _Kept] = OrderedDict()
        self._locks: dict[ClientCredentials, asyncio.Lock] = {}

    async def token(
        self, credentials: ClientCredentials, *, timeout_seconds: float, refused: str = ""
    ) -> str:
        """Return a token that is still good for a while; `refused` is one that was turned down.

        Raises `TransportError`, of class `token` where the token server itself says no.
        """
        lock = self._locks.setdefault(credentials, asyncio.Lock())
        try:
            async with lock:
                kept = self._kept.get(credentials)
                now = asyncio.get_running_loop().time()
                if kept and kept.token != refused and now < kept.expires_at:
                    return kept.token
                kept = await self._fetched(credentials, timeout_seconds, now)
                self._kept[credentials] = kept
                self._kept.move_to_end(credentials)
                if len(self._kept) > MAX_KEPT:
                    self._kept.popitem(last=False)
                return kept.token
        finally:
            # Nobody waits for a lock that is free, so it need not be kept.
            if not lock.locked():
                self._locks.pop(credentials, None)

    async def _fetched(
        self, credentials: ClientCredentials, timeout_seconds: float, now: float
    ) -> _Kept:
        status, body = await self._fetch(_request(credentials, timeout_seconds))
        if status != 200:
            raise TransportError(
                f"The token server answers {status} to our credentials.",
                error_class=ErrorClass.TOKEN,
                # RFC 6749, section 5.2: 400 and 401 mean that the request as it stands is wrong.
                permanent=status in (400, 401, 403),
            )
        try:
            answer = orjson.loads(body)
            token = answer["access_token"]
            life = float(answer.get("expires_in") or DEFAULT_LIFE_SECONDS)
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                raise ValueError("no token that a header can hold")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TransportError(
                "The token server's answer holds no token.", error_class=ErrorClass.TOKEN
            ) from None
        # A token that lives shortly is renewed at half its life.
        return _Kept(token=token, expires_at=now + max(life - RENEW_BEFORE_SECONDS, life / 2))


def _request(credentials: ClientCredentials, timeout_seconds: float) -> Outgoing:
    form = {"grant_type": "client_credentials"}
    if credentials.scope:
        form["scope"] = credentials.scope
    if credentials.audience:
        form["audience"] = credentials.audience
    # RFC 6749, section 2.3.1: both halves are form-encoded before they are joined.
    pair = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"
    return Outgoing(
        url=credentials.token_url,
        headers=(
            ("authorization", "Basic " + base64.b64encode(pair.encode()).decode()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
        ),
        body=urlencode(form).encode(),
        timeout_seconds=timeout_seconds,
    )
