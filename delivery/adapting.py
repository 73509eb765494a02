"""From what a builder sends to an event: the secret, the body, the mapping. Pure, no database."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import orjson

from delivery import mapping, strict_json
from delivery.cloudevents import MAX_REQUEST_BYTES, Envelope, Refusal, from_members
from delivery.cloudevents.attributes import is_json, media_type
from delivery.edge import Kind, Refused
from delivery.states import SecretKind

FORM = "application/x-www-form-urlencoded"
MAX_FORM_FIELDS = 1_000
# A Unix time above this is in milliseconds: as seconds it would be the year 5138.
_MILLISECONDS_FROM = 100_000_000_000


class MappingFailed(ValueError):
    """The mapping does not fit what came: show `errors`, pairs of pointer and sentence."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(message for _pointer, message in self.errors))


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What came: header names in lower case, the query's last value of each name, the raw body."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How a body becomes an event: an expression for each attribute by its name, and for data.

    `source` stands where no expression makes one; no expression for data takes the whole body.
    """

    event_type: str
    source: str
    expressions: Mapping[str, str]
    data: str = ""

    @property
    def fingerprint(self) -> bytes:
        """Return text that is another for another mapping."""
        return orjson.dumps([self.event_type, self.source, dict(self.expressions), self.data])


def is_known(call: Call, *, kind: str, name: str, secrets: Sequence[str]) -> bool:
    """Tell whether the call shows one of the secrets; takes as long for a wrong one as for right.

    A signature is HMAC-SHA256 of the raw body in hex (also after `sha256=`) or base64.
    """
    if kind == SecretKind.HMAC:
        return _is_signed(call, name, secrets)
    shown = _shown(call, kind, name).encode()
    found = False
    for one in secrets:
        found |= hmac.compare_digest(shown, one.encode())
    return found


def _shown(call: Call, kind: str, name: str) -> str:
    if kind == SecretKind.HEADER:
        return call.headers.get(name.lower(), "")
    if kind == SecretKind.QUERY:
        return call.query.get(name, "")
    scheme, _space, token = call.headers.get("authorization", "").partition(" ")
    try:
        user, _colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    is_user = hmac.compare_digest(user.encode(), name.encode())
    return password if scheme.lower() == "basic" and is_user else ""


def _is_signed(call: Call, name: str, secrets: Sequence[str]) -> bool:
    shown = call.headers.get(name.lower(), "").strip().removeprefix("sha256=").encode()
    found = False
    for secret in secrets:
        digest = hmac.digest(secret.encode(), call.body, "sha256")
        is_hex = hmac.compare_digest(shown.lower(), digest.hex().encode())
        found |= is_hex | hmac.compare_digest(shown, base64.b64encode(digest))
    return found


def document_of(call: Call) -> object:
    """Return the body as a document; a form's names and texts, lists where a name repeats.

    Raises `Refused`: not JSON, too large, another content type.
    """
    if len(call.body) > MAX_REQUEST_BYTES:
        raise Refused(
            Kind.TOO_LARGE, f"A request may hold {MAX_REQUEST_BYTES // 1024} KiB, no more."
        )
    kind, charset = media_type(call.headers.get("content-type", ""))
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise Refused(Kind.CONTENT_TYPE, f"The body is read as UTF-8; the request says {charset}.")
    if kind == FORM:
        return _parse(orjson.dumps(_form(call.body)))
    # Some builders send JSON as text.
    if kind and kind != "text/plain" and not is_json(kind):
        raise Refused(Kind.CONTENT_TYPE, f"Send JSON or a form ({FORM}), not {kind}.")
    return _parse(call.body)


def _form(body: bytes) -> dict[str, str | list[str]]:
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except UnicodeDecodeError:
        raise Refused(Kind.NOT_A_CLOUDEVENT, "The form is not UTF-8.") from None
    except ValueError:
        raise Refused(
            Kind.TOO_LARGE, f"A form may have {MAX_FORM_FIELDS} fields, no more."
        ) from None
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


def _parse(text: bytes) -> object:
    try:
        return strict_json.parse(text)
    except strict_json.Refused as refused:
        raise Refused(
            Kind.NOT_A_CLOUDEVENT, refused.message, errors=((refused.pointer, refused.message),)
        ) from None


def digest_of(shape: Shape, body: bytes) -> str:
    """Return what tells bodies apart under one mapping: 32 hexadecimal digits."""
    return hashlib.sha256(shape.fingerprint + b"\0" + body).hexdigest()[:32]


def envelope_of(document: object, shape: Shape, *, fallback_id: str, trace: str = "") -> Envelope:
    """Return the event that the mapping makes; raises `MappingFailed` with every fault."""
    faults: list[tuple[str, str]] = []
    members: dict[str, object] = {"id": fallback_id, "source": shape.source}
    for name, expression in shape.expressions.items():
        if not expression:
            continue
        try:
            members[name] = _text_of(name, _found(expression, document))
        except ValueError as error:
            faults.append((f"/{name}", _sentence(name, expression, error)))
    raw = b"null"
    try:
        raw = _data(shape.data, document)
    except ValueError as error:
        faults.append(("/data", _sentence("data", shape.data, error)))
    if faults:
        raise MappingFailed(faults)
    members |= {"specversion": "1.0", "type": shape.event_type}
    members |= {"datacontenttype": "application/json", "data": strict_json.parse(raw)}
    if trace:
        members["traceparent"] = trace
    try:
        return from_members(members, raw)
    except Refusal as refusal:
        raise MappingFailed([_placed(shape, *error) for error in refusal.errors]) from None


def _found(expression: str, document: object) -> object:
    value = mapping.apply(mapping.compile(expression), document)
    if value is None or value == "":
        raise mapping.MappingFailed("It finds nothing in this body.")
    return value


def _data(expression: str, document: object) -> bytes:
    found = _found(expression, document) if expression else document
    return mapping.apply_to_bytes(mapping.compile("@"), found)


def _text_of(name: str, value: object) -> str:
    """Return an attribute's text: numbers in digits, a Unix time as an instant."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mapping.MappingFailed("It finds a list, an object or a truth value, not a text.")
    if name != "time":
        return str(value)
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    try:
        instant = datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError, ValueError):
        raise mapping.MappingFailed("It finds a number that is no time.") from None
    return instant.isoformat().replace("+00:00", "Z")


def _placed(shape: Shape, pointer: str, message: str) -> tuple[str, str]:
    expression = shape.expressions.get(pointer.strip("/"), "")
    return pointer, f"{message} The expression is {expression}" if expression else message


def _sentence(name: str, expression: str, error: ValueError) -> str:
    return f"The expression for {name} does not fit: {expression or '@'}: {error}"
