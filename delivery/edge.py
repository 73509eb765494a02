"""What an event must pass before it is stored, in the order of the design (section 4, step 2).

Every door asks here: HTTP, inbound adapters, `publishing.publish`. Nothing here touches the
database: what governance says comes as `Knowledge`.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from delivery import envelopes
from delivery.cloudevents import (
    Envelope,
    ExtensionValue,
    NotACloudEvent,
    Refusal,
    TooLarge,
    content_digest,
)
from delivery.known import EventType, Key, Knowledge, Topic, Version
from governance import keys
from governance.states import Verb

MAX_HOPS = 16  # flows that trigger each other are stopped here (design, section 4)
# Where a version's schema stands in the portal; the host may be any name that leads here.
_DATASCHEMA = re.compile(r"/api/v1/event-types/([^/?#]+)/versions/([^/?#]+)/schema$")
_TRACE_PARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Kind(StrEnum):
    """Why an event was refused: the last part of the problem's type."""

    NOT_A_CLOUDEVENT = "not-a-cloudevent"
    NO_KEY = "no-key"
    UNKNOWN_TYPE = "unknown-event-type"
    NO_GRANT = "no-grant"
    RESIDENCY = "residency"
    OTHER_CONTENT = "other-content"
    TOO_LARGE = "too-large"
    CONTENT_TYPE = "content-type"
    UNKNOWN_VERSION = "unknown-version"
    CONTRACT = "contract"
    RATE = "rate"
    NOT_NOW = "not-now"


class Refused(Exception):
    """The event is not taken: show `detail` and `errors`, pairs of JSON pointer and sentence."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: tuple[tuple[str, str], ...] = (),
        retry_after_seconds: int = 1,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Publisher:
    """Who publishes, and into which environment; a key, or an adapter, stands for it."""

    application_id: UUID
    environment: str
    key_id: UUID | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """An event that passed, completed, with everything that storing and routing need."""

    envelope: Envelope
    publisher: Publisher
    event_type: EventType
    version: Version
    regions: tuple[str, ...]
    partition_key: str
    content: bytes
    hops: int

    @property
    def topic(self) -> Topic:
        """Return the topic of its type."""
        return self.event_type.topic


def identify(knowledge: Knowledge, plain_key: str | None, now: datetime) -> Publisher:
    """Return whom an API key stands for; raises `Refused` for none, an unknown or an ended one."""
    if not plain_key:
        raise Refused(
            Kind.NO_KEY, "Send an API key of your application, as a bearer token or in X-API-Key."
        )
    # Found by the digest of what was sent: how long the look-up takes says nothing of the key.
    key: Key | None = knowledge.keys.get(keys.digest(plain_key))
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        raise Refused(Kind.NO_KEY, "This API key is not known here, was revoked or has expired.")
    return Publisher(application_id=key.application_id, environment=key.environment, key_id=key.id)


def accept(
    knowledge: Knowledge, publisher: Publisher, envelope: Envelope, now: datetime
) -> Accepted:
    """Let an envelope through every rule and complete it; raises `Refused` at the first broken."""
    event_type = _event_type(knowledge, publisher, envelope)
    topic = event_type.topic
    _require_grant(knowledge, publisher, topic, now)
    regions = envelopes.regions_of(envelope)
    _require_residency(knowledge, publisher, topic, regions)
    version = _version(event_type, publisher.environment, envelope)
    _require_size(topic, envelope)
    _require_contract(event_type, version, envelope)
    partition_key = topic.partition_key(envelope)
    return Accepted(
        envelope=_completed(envelope, partition_key),
        publisher=publisher,
        event_type=event_type,
        version=version,
        regions=regions,
        partition_key=partition_key,
        content=content_digest(envelope),
        hops=envelope.hops,
    )


def refused(refusal: Refusal) -> Refused:
    """Say a refusal of the CloudEvents binding in the words of the edge."""
    kind = Kind.CONTENT_TYPE
    if isinstance(refusal, NotACloudEvent):
        kind = Kind.NOT_A_CLOUDEVENT
    elif isinstance(refusal, TooLarge):
        kind = Kind.TOO_LARGE
    return Refused(kind, refusal.errors[0][1], errors=refusal.errors)


def _event_type(knowledge: Knowledge, publisher: Publisher, envelope: Envelope) -> EventType:
    """Return the type; one of a topic that the publisher may not view is as unknown as any."""
    found = knowledge.event_types.get(envelope.type)
    if found is None or not knowledge.may_view(publisher.application_id, found.topic):
        message = f"There is no event type {envelope.type} here. The catalog lists those there are."
        raise Refused(Kind.UNKNOWN_TYPE, message, errors=(("/type", message),))
    return found


def _require_grant(knowledge: Knowledge, publisher: Publisher, topic: Topic, now: datetime) -> None:
    if not knowledge.entitlements.allows(
        publisher.application_id, Verb.PUBLISH, topic.id, publisher.environment, now
    ):
        raise Refused(
            Kind.NO_GRANT,
            f"This application may not publish to {topic.name} in {publisher.environment}. "
            "Ask for access on the topic's page.",
        )


def _require_residency(
    knowledge: Knowledge, publisher: Publisher, topic: Topic, regions: tuple[str, ...]
) -> None:
    """Refuse what may be delivered nowhere, and a publisher outside the topic's regions."""
    if not topic.regions:
        return
    bound = ", ".join(sorted(topic.regions))
    own = knowledge.regions.get(publisher.application_id, "")
    if own not in topic.regions:
        raise Refused(
            Kind.RESIDENCY,
            f"Events of {topic.name} stay in {bound}; this application is in {own or 'no region'}.",
        )
    if regions and not topic.regions.intersection(regions):
        message = f"Events of {topic.name} stay in {bound}; this one asks for {', '.join(regions)}."
        raise Refused(Kind.RESIDENCY, message, errors=(("/regions", message),))


def _version(event_type: EventType, environment: str, envelope: Envelope) -> Version:
    if envelope.dataschema is None:
        newest = event_type.newest.get(environment)
        if newest is None:
            raise Refused(
                Kind.UNKNOWN_VERSION,
                f"No version of {event_type.name} is live in {environment} yet.",
            )
        return newest
    named = _DATASCHEMA.search(envelope.dataschema)
    version = None
    if named is not None and named[1] == event_type.name:
        version = event_type.versions.get((environment, named[2]))
    if version is None:
        live = ", ".join(
            sorted(number for place, number in event_type.versions if place == environment)
        )
        message = (
            f"“dataschema” names no version of {event_type.name} that is live in {environment}. "
            f"Live: {live or 'none'}."
        )
        raise Refused(Kind.UNKNOWN_VERSION, message, errors=(("/dataschema", message),))
    return version


def _require_size(topic: Topic, envelope: Envelope) -> None:
    size = len(envelope.data_raw) if envelope.data_raw is not None else 0
    if size > topic.payload_ceiling_bytes:
        message = (
            f"The data has {size} bytes; events of {topic.name} may have "
            f"{topic.payload_ceiling_bytes}."
        )
        raise Refused(Kind.TOO_LARGE, message, errors=(("/data", message),))


def _require_contract(event_type: EventType, version: Version, envelope: Envelope) -> None:
    validator = version.validator
    # An event without data is held against the contract as null.
    if validator.is_valid(envelope.data):
        return
    errors = tuple(
        (f"/data{pointer}", message) for pointer, message in validator.iter_errors(envelope.data)
    )
    raise Refused(
        Kind.CONTRACT,
        f"The data breaks the contract of {event_type.name} {version.number}.",
        errors=errors,
    )


def _completed(envelope: Envelope, partition_key: str) -> Envelope:
    """Add what finds the event again: correlation and trace, where the publisher sent none."""
    added: dict[str, ExtensionValue] = {}
    if not envelope.text(envelopes.CORRELATION):
        added[envelopes.CORRELATION] = secrets.token_hex(16)
    trace = envelope.text(envelopes.TRACE)
    if trace is None or not _TRACE_PARENT.fullmatch(trace):
        added[envelopes.TRACE] = _new_trace()
    if partition_key and envelope.text(envelopes.PARTITION) is None:
        added[envelopes.PARTITION] = partition_key
    return replace(envelope, extensions={**envelope.extensions, **added}) if added else envelope


def _new_trace() -> str:
    """Return a new W3C trace context, sampled."""
    digits = secrets.token_hex(24)
    return f"00-{digits[:32]}-{digits[32:]}-01"
