"""Between an envelope and the columns of its stored event, both ways.

Some extension attributes have a column of their own, because pages search by them; the others stand
in `Event.extensions`. What goes out again is what came in, completed at the edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from delivery.cloudevents import Envelope, ExtensionValue, parse_time

CORRELATION = "correlationid"
CAUSATION = "causationid"
TRACE = "traceparent"
HOPS = "hops"
PARTITION = "partitionkey"
REGIONS = "regions"  # of ours: region codes, joined by commas, that the event may be delivered to
OWN_COLUMNS = frozenset({CORRELATION, CAUSATION, TRACE, HOPS, PARTITION, REGIONS})


def further(extensions: Mapping[str, ExtensionValue]) -> dict[str, ExtensionValue]:
    """Return the extensions that have no column of their own."""
    return {name: value for name, value in extensions.items() if name not in OWN_COLUMNS}


def regions_of(envelope: Envelope) -> tuple[str, ...]:
    """Return the regions that the event itself is bound to; empty means anywhere."""
    text = envelope.text(REGIONS)
    if not text:
        return ()
    return tuple(code for code in (part.strip().lower() for part in text.split(",")) if code)


class Stored(Protocol):
    """The columns of a stored event that make its envelope: a row of `Event`, or as much of one."""

    @property
    def event_id(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def subject(self) -> str | None: ...
    @property
    def time(self) -> str | None: ...
    @property
    def dataschema(self) -> str | None: ...
    @property
    def correlation_id(self) -> str: ...
    @property
    def causation_id(self) -> str: ...
    @property
    def trace_parent(self) -> str: ...
    @property
    def hops(self) -> int: ...
    @property
    def partition_key(self) -> str: ...
    @property
    def regions(self) -> Sequence[str]: ...
    @property
    def extensions(self) -> Mapping[str, ExtensionValue]: ...


def envelope_of(event: Stored, data: str | None, *, type_name: str) -> Envelope:
    """Build the envelope of a stored event again.

    `data` is `Payload.data`: empty for an event without data, None when the payload is gone.
    """
    extensions: dict[str, ExtensionValue] = dict(_columns(event))
    extensions.update(event.extensions)
    return Envelope(
        id=event.event_id,
        source=event.source,
        type=type_name,
        subject=event.subject,
        time=parse_time(event.time) if event.time else None,
        time_text=event.time,
        datacontenttype="application/json" if data else None,
        dataschema=event.dataschema,
        extensions=extensions,
        data_raw=data.encode() if data else None,
    )


def _columns(event: Stored) -> Mapping[str, ExtensionValue]:
    found: dict[str, ExtensionValue] = {
        CORRELATION: event.correlation_id,
        CAUSATION: event.causation_id,
        TRACE: event.trace_parent,
        HOPS: event.hops,
        PARTITION: event.partition_key,
        REGIONS: ",".join(event.regions),
    }
    return {name: value for name, value in found.items() if value}
