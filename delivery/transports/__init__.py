"""How a delivery leaves the house: one file a transport, behind the interface in this file.

Lives here: sending one request and telling what became of it.
Does not: retries, signatures, models, settings, the clock of anything but its own requests.
Adding one is one file, one line in `table.py` and one test file. Start at `Transport` below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class ErrorClass(StrEnum):
    """What kind of failure an attempt met; failure groups and runbooks go by it."""

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    READ_TIMEOUT = "read_timeout"
    TLS_EXPIRED = "tls_expired"
    TLS_NAME = "tls_name"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_OTHER = "tls_other"
    RESET = "reset"
    BLOCKED_ADDRESS = "blocked_address"
    REDIRECT = "redirect"
    BODY_TOO_LARGE = "body_too_large"
    PROTOCOL = "protocol"
    BAD_URL = "bad_url"
    BAD_SETTINGS = "bad_settings"
    MAPPING = "mapping"
    TRANSLATION = "translation"
    TOKEN = "token"  # noqa: S105 - the name of a failure: no access token could be had
    HTTP_STATUS = "http_status"
    PARTIAL = "partial"  # an event of a batch that the receiver refused, having taken others
    BATCH_ANSWER = "batch_answer"  # an answer to a batch of which nobody knows what it refuses
    INTERRUPTED = "interrupted"


TIMEOUTS = frozenset({ErrorClass.CONNECT_TIMEOUT, ErrorClass.READ_TIMEOUT})


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """An endpoint's own TLS: authorities (PEM) to trust beside the usual, a client certificate.

    `client_pem` holds the certificate chain and its unencrypted private key.
    """

    ca_pem: str = ""
    client_pem: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Basic:
    """HTTP basic authentication."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bearer:
    """A fixed bearer token."""

    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientCredentials:
    """OAuth 2.0 client credentials (RFC 6749, section 4.4)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""


Auth = Basic | Bearer | ClientCredentials


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """One request to send, complete but for the credentials that `auth` adds."""

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"
    timeout_seconds: float = 15.0
    tls: Tls | None = None
    auth: Auth | None = None
    # Asked when a connection stands, which may take seconds; if not, `INTERRUPTED` is raised.
    may_go: Callable[[], bool] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The receiver took it: a 2xx answer and how its body starts (at most 20 KB of text)."""

    status: int
    duration_ms: int
    response_excerpt: str = ""
    retry_after: str | None = None
    webhook_delivery: str | None = None


class TransportError(Exception):
    """The attempt failed: record it, and let `retrying.decide` say what follows.

    `permanent` says that trying again as it stands cannot help. `status`, `response_excerpt`,
    `retry_after` and `webhook_delivery` are the receiver's, where it answered.
    """

    def __init__(
        self,
        message: str,
        *,
        error_class: ErrorClass,
        permanent: bool = False,
        duration_ms: int = 0,
        status: int | None = None,
        response_excerpt: str = "",
        retry_after: str | None = None,
        webhook_delivery: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_class = error_class
        self.permanent = permanent
        self.duration_ms = duration_ms
        self.status = status
        self.response_excerpt = response_excerpt
        self.retry_after = retry_after
        self.webhook_delivery = webhook_delivery


class Transport(Protocol):
    """What sends: one object a process, used on one event loop."""

    async def send(self, outgoing: Outgoing) -> Receipt:
        """Send and return the receipt; raises only `TransportError`, and lets cancellation pass."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
