"""The attributes of an event: which names and values CloudEvents 1.0.2 (section 3) allows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from delivery import strict_json
from delivery.cloudevents.envelope import (
    Envelope,
    ExtensionValue,
    NotACloudEvent,
    TooLarge,
    UnsupportedContentType,
)

MAX_EVENT_BYTES = 256 * 1024  # names and values of the attributes, and the text of the data
MAX_ATTRIBUTE_BYTES = 1_024  # in UTF-8: attributes become headers, and are indexed
MAX_HOPS = 2**31 - 1  # a CloudEvents integer is signed and has 32 bits

_NAME = re.compile(r"[a-z0-9]+")
_REQUIRED = ("specversion", "id", "source", "type")
_CORE = frozenset((*_REQUIRED, "subject", "time", "datacontenttype", "dataschema"))
_INTEGERS = range(-(2**31), 2**31)


def envelope(attributes: Mapping[str, object], *, data_raw: bytes | None, data: object) -> Envelope:
    """Check every attribute that is set, and build the envelope; a `Refusal` lists every fault."""
    faults = [
        (f"/{name}", f"Every CloudEvent has the attribute “{name}”.")
        for name in _REQUIRED
        if name not in attributes
    ]
    core: dict[str, str] = {}
    extensions: dict[str, ExtensionValue] = {}
    for name, value in attributes.items():
        if name in _CORE:
            fault = _core_fault(name, value)
            core[name] = value if isinstance(value, str) else ""
        else:
            fault = _extension_fault(name, value)
            if isinstance(value, str | int):
                extensions[name] = value
        if fault:
            faults.append((f"/{strict_json.escape(name)}", f"“{name}” {fault}."))
    time = parse_time(core["time"]) if "time" in core else None
    if core.get("time") and time is None:
        faults.append(("/time", "“time” is not an instant such as 2026-11-22T10:00:00Z."))
    if faults:
        raise NotACloudEvent(faults)
    if "hops" in extensions:
        extensions["hops"] = int(extensions["hops"])
    if data_raw is not None:
        _require_json(core)
    _require_small(core, extensions, data_raw or b"")
    return Envelope(
        id=core["id"],
        source=core["source"],
        type=core["type"],
        subject=core.get("subject"),
        time=time,
        time_text=core.get("time"),
        datacontenttype=core.get("datacontenttype"),
        dataschema=core.get("dataschema"),
        extensions=extensions,
        data_raw=data_raw,
        data=data,
    )


def _require_json(core: Mapping[str, str]) -> None:
    if "datacontenttype" in core:
        kind, _ = media_type(core["datacontenttype"])
        if not is_json(kind):
            raise not_json(kind)


def _require_small(
    core: Mapping[str, str], extensions: Mapping[str, ExtensionValue], data_raw: bytes
) -> None:
    size = len(data_raw) + sum(map(len, core)) + sum(map(len, core.values()))
    size += sum(len(name) + len(str(value)) for name, value in extensions.items())
    if size > MAX_EVENT_BYTES:
        raise TooLarge([("", f"An event may hold {MAX_EVENT_BYTES // 1024} KiB, no more.")])


def _core_fault(name: str, value: object) -> str | None:
    """Say what is wrong with an attribute of the specification, `None` if nothing."""
    if not isinstance(value, str):
        return "must be a text"
    grammar = _GRAMMARS.get(name)
    return string_fault(value) or (grammar(value) if grammar else None)


def _extension_fault(name: str, value: object) -> str | None:
    if name == "data" or not _NAME.fullmatch(name):
        return "is not an attribute name: lower-case letters a to z and digits only"
    if name == "hops":
        text = str(value)
        is_count = not isinstance(value, bool) and re.fullmatch("[0-9]{1,10}", text, re.ASCII)
        return None if is_count and int(text) <= MAX_HOPS else "must be a count from 0 on"
    match value:
        case str():
            # Unlike the core ones, an extension may be an empty text.
            return string_fault(value) if value else None
        case bool():
            return None
        case int():
            return None if value in _INTEGERS else "is an integer of more than 32 bits"
    return "must be a text, an integer or a boolean"


# Section 3 forbids control characters and Unicode's noncharacters in a String.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff"
    + "".join(chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF))
    + "\ud800-\udfff]"
)
_URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def string_fault(value: str) -> str | None:
    """Say what is wrong with a String attribute, `None` if nothing."""
    if not value:
        return "is empty"
    if value.isascii() and value.isprintable():
        length = len(value)
    else:
        forbidden = _FORBIDDEN.search(value)
        if forbidden:
            return f"contains the forbidden character U+{ord(forbidden[0]):04X}"
        length = len(value.encode())
    if length > MAX_ATTRIBUTE_BYTES:
        return f"is longer than {MAX_ATTRIBUTE_BYTES} bytes"
    return None


def uri_reference_fault(value: str) -> str | None:
    """Say why a text is not a URI-reference (RFC 3986, section 4.1), `None` if it is one."""
    if not _URI_CHARACTERS.fullmatch(value):
        return (
            "is not a URI: percent-encode spaces, and every character that a URI cannot hold as is"
        )
    return None


def uri_fault(value: str) -> str | None:
    """Say why a text is not an absolute URI (RFC 3986, section 3), `None` if it is one."""
    if not _ABSOLUTE.match(value):
        return "is not an absolute URI: it must start with a scheme such as https:"
    return uri_reference_fault(value)


def _specversion_fault(value: str) -> str | None:
    return None if value == "1.0" else f"must be 1.0, not {value}"


_GRAMMARS: dict[str, Callable[[str], str | None]] = {
    "specversion": _specversion_fault,
    "source": uri_reference_fault,
    "dataschema": uri_fault,
}


def parse_time(text: str) -> datetime | None:
    """Return the instant that an RFC 3339 text names, `None` if it names none.

    Digits beyond microseconds are cut. A leap second counts as the first instant after it.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    date, minute, second, fraction, zone = match.groups()
    is_leap = second == "60"
    try:
        instant = datetime.fromisoformat(
            f"{date}T{minute}:{'59' if is_leap else second}{(fraction or '')[:7]}{zone.upper()}"
        )
        if is_leap:
            instant = instant.replace(microsecond=0) + timedelta(seconds=1)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def media_type(header: str) -> tuple[str, str]:
    """Return the media type and its charset in lower case, empty where the header has none."""
    kind, *parameters = header.split(";")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return kind.strip().lower(), charset


def is_json(kind: str) -> bool:
    """Say whether a media type declares JSON (JSON format, section 3.1.1)."""
    subtype = kind.partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


def not_json(kind: str) -> UnsupportedContentType:
    """Return the refusal of data that is not declared as JSON."""
    return UnsupportedContentType(
        [("/datacontenttype", f"Data must be JSON, so that its contract holds; not {kind}.")]
    )
