"""From a stored event and an endpoint to the signed request that goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from delivery import mapping, signing
from delivery.cloudevents import (
    BATCH_CONTENT_TYPE,
    STRUCTURED_CONTENT_TYPE,
    Envelope,
    parse_time,
    to_batch_bytes,
    to_binary,
    to_structured_bytes,
)
from delivery.endpoints import Credentials
from delivery.expressions import Expression
from delivery.states import BodyMode
from delivery.translating import Translation
from delivery.transports import Auth, Outgoing, Tls

Headers = tuple[tuple[str, str], ...]

_JSON: Headers = (("content-type", "application/json"),)
_BATCH: Headers = (("content-type", BATCH_CONTENT_TYPE),)
_STRUCTURED: Headers = (("content-type", STRUCTURED_CONTENT_TYPE),)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """An endpoint as it is called: where, with which headers, signed by which secrets.

    `secrets` are in plain, the newest first; each makes a signature of its own.
    """

    url: str
    region: str
    headers: Headers = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    auth: Auth | None = None
    tls: Tls | None = None


@dataclass(kw_only=True, slots=True)
class Message:
    """An event on its way out; what it looks like is worked out once, however many receive it.

    `is_gone` says that its payload was expunged or is past its retention; `translations` are the
    conversions to other major versions that its own has.
    """

    event_id: UUID
    envelope: Envelope
    regions: tuple[str, ...] = ()
    is_gone: bool = False
    translations: Mapping[int, Translation] = field(default_factory=dict, repr=False)
    id: str = field(init=False)  # the `webhook-id`
    constant_headers: Headers = field(init=False, repr=False)
    _rendered: dict[BodyMode, tuple[Headers, bytes]] = field(default_factory=dict, repr=False)
    _converted: dict[int, Message] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.id = signing.message_id(str(self.event_id))
        trace = self.envelope.text("traceparent")
        self.constant_headers = (("webhook-id", self.id),)
        if trace:
            self.constant_headers += (("traceparent", trace),)

    @property
    def size_bytes(self) -> int:
        """Return how long the text of its data is."""
        return len(self.envelope.data_raw or b"")

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the event itself says that it is of no use any more (`expirytime`)."""
        text = self.envelope.text("expirytime")
        expires_at = parse_time(text) if text else None
        return expires_at is not None and expires_at <= now

    def pinned_to(self, major: int | None) -> Message:
        """Return the event as a subscriber of that major version gets it, None for any.

        Raises `TranslationFailed` where the conversion to it does not fit.
        """
        translation = self.translations.get(major) if major is not None else None
        if translation is None or major is None:
            return self
        found = self._converted.get(major)
        if found is None:
            found = self._converted[major] = Message(
                event_id=self.event_id,
                envelope=translation.envelope(self.envelope),
                regions=self.regions,
                is_gone=self.is_gone,
            )
        return found

    def rendered(self, mode: BodyMode) -> tuple[Headers, bytes]:
        """Return the headers and the body of a mode that needs no mapping."""
        found = self._rendered.get(mode)
        if found is None:
            found = self._rendered[mode] = _render(self.envelope, mode)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """Events that go out in one request, as a CloudEvents batch under an id of its own."""

    batch_id: UUID
    messages: tuple[Message, ...]

    @property
    def id(self) -> str:
        """Return the `webhook-id`: the same as often as this batch is tried."""
        return signing.message_id(str(self.batch_id))

    @property
    def constant_headers(self) -> Headers:
        """Return what each try has; a batch belongs to no one trace."""
        return (("webhook-id", self.id),)

    def pinned_to(self, major: int | None) -> Bundle:
        """Return the batch: each of its events was converted before it was taken in."""
        del major
        return self

    def rendered(self, mode: BodyMode) -> tuple[Headers, bytes]:
        """Return headers and body: whole CloudEvents, whatever the mode for single events is."""
        del mode
        events = (message.rendered(BodyMode.STRUCTURED)[1] for message in self.messages)
        return _BATCH, to_batch_bytes(events)


def address(
    url: str,
    *,
    region: str,
    secrets: Sequence[str],
    credentials: Credentials,
    custom_ca: str = "",
) -> Address:
    """Return the address of an endpoint, with its credentials unsealed."""
    has_tls = custom_ca or credentials.client_pem
    return Address(
        url=url,
        region=region,
        headers=tuple(credentials.headers.items()),
        secrets=tuple(secrets),
        auth=credentials.auth,
        tls=Tls(ca_pem=custom_ca, client_pem=credentials.client_pem) if has_tls else None,
    )


def build(
    message: Message | Bundle,
    address: Address,
    *,
    mode: BodyMode,
    mapped_by: Expression | None = None,
    timeout_seconds: float,
    timestamp: int,
) -> Outgoing:
    """Return the request that brings an event to an address, signed as Standard Webhooks says.

    `webhook-id` is the same for every attempt and every replay of the event: it is what a consumer
    recognises a repetition by. `timestamp` is the attempt's, in seconds since 1970. Raises
    `mapping.MappingFailed` when the subscription's mapping does not fit the event.
    """
    if isinstance(message, Message) and mode is BodyMode.MAPPED and mapped_by is not None:
        data = json.loads(message.envelope.data_raw or b"null")
        headers, body = _JSON, mapping.apply_to_bytes(mapped_by, data)
    else:
        headers, body = message.rendered(mode)
    return Outgoing(
        url=address.url,
        headers=headers + _signed(message, address, body, timestamp) + address.headers,
        body=body,
        timeout_seconds=timeout_seconds,
        tls=address.tls,
        auth=address.auth,
    )


def _signed(message: Message | Bundle, address: Address, body: bytes, timestamp: int) -> Headers:
    headers = message.constant_headers
    if not address.secrets:
        return (*headers, ("webhook-timestamp", str(timestamp)))
    return (
        *headers,
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", signing.sign(address.secrets, message.id, timestamp, body)),
    )


def _render(envelope: Envelope, mode: BodyMode) -> tuple[Headers, bytes]:
    if mode is BodyMode.STRUCTURED:
        return _STRUCTURED, to_structured_bytes(envelope)
    if mode is BodyMode.BINARY:
        return to_binary(envelope)
    return _JSON, envelope.data_raw or b"null"
