"""Write events into HTTP requests by joining bytes: data is never parsed and written again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

import orjson

from delivery.cloudevents.envelope import Envelope, ExtensionValue, canonical

STRUCTURED_CONTENT_TYPE = "application/cloudevents+json"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
_JSON_CONTENT_TYPE = "application/json"

# Section 3.1.3.2 encodes space, double quote, percent and all that is not printable ASCII.
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_PLAIN = re.compile(r"[!#$&-~]*")


def to_binary(envelope: Envelope) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Return headers and body in binary mode; an event without data has an empty body."""
    headers = [
        ("ce-specversion", "1.0"),
        ("ce-id", _encoded(envelope.id)),
        ("ce-source", _encoded(envelope.source)),
        ("ce-type", _encoded(envelope.type)),
    ]
    if envelope.subject is not None:
        headers.append(("ce-subject", _encoded(envelope.subject)))
    if envelope.time_text is not None:
        headers.append(("ce-time", _encoded(envelope.time_text)))
    if envelope.dataschema is not None:
        headers.append(("ce-dataschema", _encoded(envelope.dataschema)))
    headers.extend(
        (f"ce-{name}", _encoded(canonical(value))) for name, value in envelope.extensions.items()
    )
    if envelope.datacontenttype is not None:
        headers.append(("content-type", envelope.datacontenttype))
    elif envelope.data_raw is not None:
        headers.append(("content-type", _JSON_CONTENT_TYPE))
    return tuple(headers), envelope.data_raw or b""


def to_structured_bytes(envelope: Envelope) -> bytes:
    """Return the event as one JSON object, its data as it came in."""
    members: dict[str, object] = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
    }
    if envelope.subject is not None:
        members["subject"] = envelope.subject
    if envelope.time_text is not None:
        members["time"] = envelope.time_text
    if envelope.datacontenttype is not None:
        members["datacontenttype"] = envelope.datacontenttype
    if envelope.dataschema is not None:
        members["dataschema"] = envelope.dataschema
    members.update(envelope.extensions)
    head = orjson.dumps(members)
    if envelope.data_raw is None:
        return head
    return b'%b,"data":%b}' % (head[:-1], envelope.data_raw)


def to_batch_bytes(events: Iterable[bytes]) -> bytes:
    """Return a batch of events that `to_structured_bytes` wrote."""
    return b"[" + b",".join(events) + b"]"


def deprecation_extensions(
    *,
    since: datetime | None = None,
    sunset: datetime | None = None,
    migration_url: str | None = None,
) -> dict[str, ExtensionValue]:
    """Return the attributes of the CloudEvents deprecation extension; instants are aware."""
    extensions: dict[str, ExtensionValue] = {"deprecated": True}
    if since is not None:
        extensions["deprecationfrom"] = _timestamp(since)
    if sunset is not None:
        extensions["deprecationsunset"] = _timestamp(sunset)
    if migration_url is not None:
        extensions["deprecationmigration"] = migration_url
    return extensions


def _timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _encoded(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_SAFE)
