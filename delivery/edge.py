"""What an event must pass before it is stored, in the order of the design (section 4, step 2).

Every door asks here: HTTP, inbound adapters, `publishing.publish`. Nothing here touches the
database: what governance says comes as `Knowledge`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from catalog import ids
from delivery import envelopes
from delivery.cloudevents import (
    Envelope,
    ExtensionValue,
    NotACloudEvent,
    Refusal,
    TooLarge,
    content_digest,
)
from delivery.cloudevents.envelope import canonical
from delivery.known import EventType, Key, Knowledge, Publisher, Topic, Version
from governance import keys

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
    """The event is not taken: show `detail` and `errors`, pairs of JSON pointer and sentence.

    `version_id` is the version whose contract it breaks.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: tuple[tuple[str, str], ...] = (),
        retry_after_seconds: int = 1,
        version_id: UUID | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds
        self.version_id = version_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """An event that passed, with everything that storing and routing need.

    `envelope` is what came; `extensions` are its own and those that the edge added.
    """

    envelope: Envelope
    extensions: Mapping[str, ExtensionValue]
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

    def text(self, name: str) -> str:
        """Return an extension as text, empty for one that is not set."""
        value = self.extensions.get(name)
        return value if isinstance(value, str) else "" if value is None else canonical(value)

    def attributes(self) -> dict[str, str]:
        """Return every attribute as filters see it."""
        return replace(self.envelope, extensions=self.extensions).attributes()


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
    return key.publisher


def accept(
    knowledge: Knowledge, publisher: Publisher, envelope: Envelope, now: datetime
) -> Accepted:
    """Let an envelope through every rule and complete it; raises `Refused` at the first broken."""
    event_type = _event_type(knowledge, publisher, envelope, now)
    topic = event_type.topic
    regions = envelopes.regions_of(envelope)
    _require_residency(knowledge, publisher, topic, regions)
    version = _version(event_type, publisher.environment, envelope)
    _require_size(topic, envelope)
    _require_contract(event_type, version, envelope)
    partition_key = topic.partition_key(envelope)
    return Accepted(
        envelope=envelope,
        extensions=_completed(envelope, partition_key),
        publisher=publisher,
        event_type=event_type,
        version=version,
        regions=regions,
        partition_key=partition_key,
        content=content_digest(envelope),
        hops=envelope.hops if envelope.extensions else 0,
    )


def refused(refusal: Refusal) -> Refused:
    """Say a refusal of the CloudEvents binding in the words of the edge."""
    kind = Kind.CONTENT_TYPE
    if isinstance(refusal, NotACloudEvent):
        kind = Kind.NOT_A_CLOUDEVENT
    elif isinstance(refusal, TooLarge):
        kind = Kind.TOO_LARGE
    return Refused(kind, refusal.errors[0][1], errors=refusal.errors)


def _event_type(
    knowledge: Knowledge, publisher: Publisher, envelope: Envelope, now: datetime
) -> EventType:
    """Return the type; one of a topic that the publisher may not view is as unknown as any."""
    found = knowledge.pass_of(publisher, envelope.type)
    if found is None or not found.is_visible:
        message = f"There is no event type {envelope.type} here. The catalog lists those there are."
        raise Refused(Kind.UNKNOWN_TYPE, message, errors=(("/type", message),))
    if found.may_publish_until <= now:
        raise Refused(
            Kind.NO_GRANT,
            f"This application may not publish to {found.event_type.topic.name} "
            f"in {publisher.environment}. Ask for access on the topic's page.",
        )
    return found.event_type


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
        version_id=version.id,
    )


def _completed(envelope: Envelope, partition_key: str) -> dict[str, ExtensionValue]:
    """Return the extensions with what finds the event again, where the publisher sent none."""
    extensions = dict(envelope.extensions)
    if not extensions.get(envelopes.CORRELATION):
        extensions[envelopes.CORRELATION] = ids.random_hex(32)
    trace = extensions.get(envelopes.TRACE)
    if not isinstance(trace, str) or not _TRACE_PARENT.fullmatch(trace):
        # A new W3C trace context, sampled.
        extensions[envelopes.TRACE] = f"00-{ids.random_hex(32)}-{ids.random_hex(16)}-01"
    if partition_key:
        extensions.setdefault(envelopes.PARTITION, partition_key)
    return extensions
