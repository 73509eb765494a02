"""When two publications are one: the key that must not repeat, and the content behind it."""

from __future__ import annotations

import json
from hashlib import blake2b
from uuid import UUID

import orjson

from delivery.cloudevents.envelope import Envelope, canonical

DIGEST_BYTES = 16

# A publisher that tries again after a time-out sends the same event inside a new trace.
_NOT_CONTENT = frozenset({"traceparent", "tracestate"})
_ALL_DIGITS_ZERO = bytes.maketrans(b"123456789", b"0" * 9)


def dedup_key(environment: str, application_id: UUID, source: str, id: str) -> bytes:
    """Return 16 bytes that stand for (environment, application, source, id).

    The application is the producer that vouches for (source, id): without it, any other one could
    take an identity first, and so have the true event refused. No attribute may contain a NUL, so
    joining by it cannot make two look alike.
    """
    whole = f"{environment}\0{application_id.hex}\0{source}\0{id}"
    return blake2b(whole.encode(), digest_size=DIGEST_BYTES).digest()


def content_digest(envelope: Envelope) -> bytes:
    """Return 16 bytes that are equal for events with equal content.

    Attributes count by their canonical text, times by their instant, data by its value: white
    space, the order of keys, the way a number is spelled (1, 1.0, 1e0) and the content mode do not
    count. The media type (always JSON here) and the trace context are left out. Needs `data`.
    """
    named = {
        name: canonical(value)
        for name, value in envelope.extensions.items()
        if name not in _NOT_CONTENT
    }
    attributes = [
        envelope.id,
        envelope.source,
        envelope.type,
        envelope.subject,
        envelope.time.isoformat() if envelope.time else envelope.time_text,
        envelope.dataschema,
        sorted(named.items()),
    ]
    digest = blake2b(orjson.dumps(attributes), digest_size=DIGEST_BYTES)
    if envelope.data_raw is not None:
        digest.update(canonical_json(envelope.data))
    return digest.digest()


def canonical_json(value: object) -> bytes:
    """Return one text for all JSON texts with this value: keys sorted, no white space.

    Whole numbers are written as integers. It is for comparing, not for sending.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        if b".0" in text or b"0e" in text.translate(_ALL_DIGITS_ZERO):
            text = orjson.dumps(_whole(value), option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # orjson writes integers of up to 64 bits; equal values all come here or all do not.
        return json.dumps(_whole(value), sort_keys=True).encode()
    return text


def _whole(value: object) -> object:
    """Return the value with every whole float as an integer, as RFC 8785 writes it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return value
