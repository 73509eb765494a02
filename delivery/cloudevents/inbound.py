"""Read HTTP requests as CloudEvents (HTTP binding 1.0.2, JSON format 1.0.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from delivery import strict_json
from delivery.cloudevents import attributes, spans
from delivery.cloudevents.envelope import (
    Envelope,
    ExtensionValue,
    NotACloudEvent,
    Refusal,
    TooLarge,
    UnsupportedContentType,
)

MAX_REQUEST_BYTES = 1024 * 1024
MAX_BATCH_EVENTS = 1_000


class Mode(StrEnum):
    """How a request carries its events: the HTTP binding's content modes."""

    STRUCTURED = "structured"
    BINARY = "binary"
    BATCHED = "batched"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a request holds: for each event, in order, its envelope or why it cannot be taken.

    Only a batch has refusals in it; their pointers start with `/{index}`.
    """

    mode: Mode
    items: tuple[Envelope | Refusal, ...]

    @property
    def envelopes(self) -> tuple[Envelope, ...]:
        """The events that can be taken, in order."""
        return tuple(item for item in self.items if isinstance(item, Envelope))

    def within(self, trace_parent: str) -> Request:
        """Return the request with this trace context on each event that has none of its own."""
        traced: dict[str, ExtensionValue] = {"traceparent": trace_parent}
        items = (
            one.extended(traced)
            if isinstance(one, Envelope) and "traceparent" not in one.extensions
            else one
            for one in self.items
        )
        return replace(self, items=tuple(items))

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Why the others cannot, in order."""
        return tuple(item for item in self.items if isinstance(item, Refusal))


def from_http(headers: Mapping[str, str], body: bytes) -> Request:
    """Read a request; header names are in lower case.

    Raises `NotACloudEvent`, `UnsupportedContentType` or `TooLarge` when nothing of it can be
    taken; the faults of single events of a batch are in the answer.
    """
    if len(body) > MAX_REQUEST_BYTES:
        raise TooLarge([("", f"A request may hold {MAX_REQUEST_BYTES // 1024} KiB, no more.")])
    media_type, charset = attributes.media_type(headers.get("content-type", ""))
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise UnsupportedContentType([("", f"JSON is always UTF-8; the request says {charset}.")])
    if media_type.startswith("application/cloudevents-batch"):
        _require_json_format(media_type, "application/cloudevents-batch")
        return Request(mode=Mode.BATCHED, items=_batched(body))
    if media_type.startswith("application/cloudevents"):
        _require_json_format(media_type, "application/cloudevents")
        return Request(mode=Mode.STRUCTURED, items=(_structured(body),))
    return Request(mode=Mode.BINARY, items=(_binary(headers, media_type, body),))


def _require_json_format(media_type: str, family: str) -> None:
    # Version 0.1 had no suffix and meant JSON; some senders still leave it out.
    if media_type not in (family, f"{family}+json"):
        raise UnsupportedContentType(
            [("", f"The event format {media_type} is not spoken here; send {family}+json.")]
        )


def _structured(body: bytes) -> Envelope:
    # The data's own limits are asked with the data, so that a refusal points there.
    members = _parse(
        body, max_depth=strict_json.WRITABLE_DEPTH, max_keys=strict_json.MAX_KEYS + 1_000
    )
    if not isinstance(members, dict):
        raise NotACloudEvent([("", "A CloudEvent in structured mode is a JSON object.")])
    return from_members(members, spans.data_texts(body, [members])[0])


def _batched(body: bytes) -> tuple[Envelope | Refusal, ...]:
    # 1 MiB cannot hold more keys than this; each event's own limits are asked with its data.
    items = _parse(body, max_depth=strict_json.WRITABLE_DEPTH, max_keys=MAX_REQUEST_BYTES // 4)
    if not isinstance(items, list):
        raise NotACloudEvent([("", "A batch is a JSON array of CloudEvents.")])
    if len(items) > MAX_BATCH_EVENTS:
        raise TooLarge([("", f"A batch may hold {MAX_BATCH_EVENTS} events, no more.")])
    taken: list[Envelope | Refusal] = []
    for index, (members, data_raw) in enumerate(
        zip(items, spans.data_texts(body, items), strict=True)
    ):
        try:
            taken.append(from_members(members, data_raw))
        except Refusal as refusal:
            taken.append(refusal.under(f"/{index}"))
    return tuple(taken)


def _parse(body: bytes, *, max_depth: int, max_keys: int, at: str = "") -> object:
    try:
        return strict_json.parse(body, max_depth=max_depth, max_keys=max_keys)
    except strict_json.Refused as refused:
        raise NotACloudEvent([(at + refused.pointer, refused.message)]) from None


def from_members(members: object, data_raw: bytes | None) -> Envelope:
    """Build the envelope from the members of a JSON-format event.

    `data_raw` is the text of its `data` member as sent, `None` without one. Raises a `Refusal`
    that lists every fault.
    """
    if not isinstance(members, dict):
        raise NotACloudEvent([("", "A CloudEvent is a JSON object.")])
    if members.get("data_base64") is not None:
        raise NotACloudEvent(
            [("/data_base64", "Data is taken as JSON only: put it into “data”, not base64.")]
        )
    if data_raw is not None:
        _require_limits(data_raw)
    given = {
        name: value
        for name, value in members.items()
        # A null attribute is an unset one (JSON format, section 2.2).
        if value is not None and name != "data"
    }
    return attributes.envelope(given, data_raw=data_raw, data=members.get("data"))


def _require_limits(data_raw: bytes) -> None:
    """Refuse data with too many keys or levels; mostly a count shows that it has not."""
    is_small = data_raw.count(b":") <= strict_json.MAX_KEYS
    if not is_small or not strict_json.has_few_brackets(data_raw, strict_json.MAX_DEPTH):
        _parse_data(data_raw)


def _parse_data(data_raw: bytes) -> object:
    limits = {"max_depth": strict_json.MAX_DEPTH, "max_keys": strict_json.MAX_KEYS}
    return _parse(data_raw, **limits, at="/data")


def _binary(headers: Mapping[str, str], media_type: str, body: bytes) -> Envelope:
    given: dict[str, object] = {}
    faults: list[tuple[str, str]] = []
    for header, value in headers.items():
        if header.startswith("ce-"):
            try:
                given[header[3:]] = _decoded(value)
            except UnicodeDecodeError:
                faults.append(
                    (f"/{header[3:]}", f"The header {header} does not decode to UTF-8 text.")
                )
    is_json = attributes.is_json(media_type)
    if not given and not faults:
        raise _no_cloudevent_at_all(is_json=is_json or not media_type)
    if "datacontenttype" in given:
        faults.append(
            ("/datacontenttype", "In binary mode the Content-Type header says the data's type.")
        )
    if faults:
        raise NotACloudEvent(faults)
    if media_type:
        given["datacontenttype"] = headers["content-type"].strip()
    data_raw = body.strip(b" \t\r\n") or None
    if data_raw is None:
        return attributes.envelope(given, data_raw=None, data=None)
    if media_type and not is_json:
        raise attributes.not_json(media_type)
    data = _parse_data(data_raw)
    return attributes.envelope(given, data_raw=data_raw, data=data)


def _no_cloudevent_at_all(*, is_json: bool) -> Refusal:
    if is_json:
        return NotACloudEvent(
            [
                (
                    "",
                    "This is not a CloudEvent: send application/cloudevents+json, or keep the body"
                    " and add the headers ce-specversion, ce-id, ce-source and ce-type.",
                )
            ]
        )
    return UnsupportedContentType(
        [("", "Send application/cloudevents+json, or JSON with ce- headers.")]
    )


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PRINTABLE = re.compile(r"[\t -~]*")


def _decoded(value: str) -> str:
    """Undo the quoting and one round of percent-encoding of a header (section 3.1.3.2)."""
    if not _PRINTABLE.fullmatch(value):
        raise UnicodeDecodeError("ascii", value.encode("latin-1", "replace"), 0, 1, "not ASCII")
    quoted = _QUOTED.fullmatch(value)
    if quoted:
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    return unquote_to_bytes(value).decode() if "%" in value else value
