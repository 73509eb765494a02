"""CloudEvents 1.0.2 over HTTP: the envelope, the way in, the way out, and what makes two equal.

Lives here: the JSON format and the HTTP binding, to the letter, for JSON data.
Does not: who may publish, which contract applies, how anything is stored.
Start reading at `envelope.py`; `attributes.py` has the grammar, `inbound.py` reads requests,
`outbound.py` writes them, `identity.py` says when two publications are the same.
"""

from delivery.cloudevents.attributes import MAX_ATTRIBUTE_BYTES, MAX_EVENT_BYTES, parse_time
from delivery.cloudevents.envelope import (
    Envelope,
    ExtensionValue,
    NotACloudEvent,
    Refusal,
    TooLarge,
    UnsupportedContentType,
)
from delivery.cloudevents.identity import content_digest, dedup_key
from delivery.cloudevents.inbound import (
    MAX_BATCH_EVENTS,
    MAX_REQUEST_BYTES,
    Mode,
    Request,
    from_http,
    from_members,
)
from delivery.cloudevents.outbound import (
    BATCH_CONTENT_TYPE,
    STRUCTURED_CONTENT_TYPE,
    deprecation_extensions,
    to_batch_bytes,
    to_binary,
    to_structured_bytes,
)

__all__ = [
    "BATCH_CONTENT_TYPE",
    "MAX_ATTRIBUTE_BYTES",
    "MAX_BATCH_EVENTS",
    "MAX_EVENT_BYTES",
    "MAX_REQUEST_BYTES",
    "STRUCTURED_CONTENT_TYPE",
    "Envelope",
    "ExtensionValue",
    "Mode",
    "NotACloudEvent",
    "Refusal",
    "Request",
    "TooLarge",
    "UnsupportedContentType",
    "content_digest",
    "dedup_key",
    "deprecation_extensions",
    "from_http",
    "from_members",
    "parse_time",
    "to_batch_bytes",
    "to_binary",
    "to_structured_bytes",
]
