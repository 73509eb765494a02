"""Parse JSON that means one thing only: what two readers could understand differently is refused.

The quick road (`orjson`) proves by cheap counts that nothing is wrong; whatever it cannot prove
takes the reference road (the standard library, walked from the top), which alone decides and words
the refusal. So `parse` accepts exactly what `parse_by_reference` accepts, with an equal result.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

import orjson

MAX_DEPTH = 64  # levels of objects and arrays in each other
MAX_KEYS = 10_000  # members of all objects of one document together
WRITABLE_DEPTH = 254  # orjson reads deeper texts and refuses to write them

_ALL_DIGITS_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19  # from here on an integer may not fit 64 bits, and orjson would round it
_SURROGATE = re.compile("[\ud800-\udfff]")


class Refused(ValueError):
    """The document is not strict JSON: show `message`, and `pointer` (RFC 6901) for the place."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH, max_keys: int = MAX_KEYS) -> object:
    """Return the value of a JSON text.

    Refuses what is not UTF-8 or not JSON, duplicate keys, NaN and infinities (numbers too large for
    a double included), NUL characters and unpaired surrogates in strings and keys, more than
    `max_depth` levels, and more than `max_keys` keys. Integers keep all their digits.
    Raises `Refused`.
    """
    try:
        document: object = orjson.loads(raw)
        again = orjson.dumps(document)
    except (ValueError, TypeError, RecursionError):
        return parse_by_reference(raw, max_depth=max_depth, max_keys=max_keys)
    colons = raw.count(b":")
    is_proved = (
        # What orjson writes again byte for byte has no duplicate key and no number that it rounds.
        b"\\u0000" not in raw if again == raw else _is_proved(raw, colons, again)
    )
    if (
        not is_proved
        or colons > max_keys
        or (
            max_depth < WRITABLE_DEPTH
            and not has_few_brackets(raw, max_depth)
            and _is_deeper(document, max_depth)
        )
    ):
        return parse_by_reference(raw, max_depth=max_depth, max_keys=max_keys)
    return document


def _is_proved(raw: bytes, colons: int, again: bytes) -> bool:
    """Say whether a text that orjson read and wrote as `again` surely has no fault."""
    return (
        # orjson keeps the last of two equal keys: what it writes then has fewer colons.
        again.count(b":") == colons
        # Either of these spells a NUL, or a colon that the count above would miss.
        and (b"\\u" not in raw or (b"\\u0000" not in raw and b"\\u003" not in raw))
        and _LONG_NUMBER not in raw.translate(_ALL_DIGITS_ZERO)
    )


def parse_by_reference(
    raw: bytes, *, max_depth: int = MAX_DEPTH, max_keys: int = MAX_KEYS
) -> object:
    """Return the same as `parse`, slowly; raises `Refused` that names the first place at fault."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"The text is not UTF-8: byte {error.start} cannot be read.") from None
    if _deepest(text) > max_depth:
        raise Refused(f"The document is nested more than {max_depth} levels deep.")
    try:
        document = _decoder.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Refused(f"The text is not JSON: {error.msg} at {place}.") from None
    except ValueError:
        # Python bounds the digits of an integer: the time to read one grows with their square.
        raise Refused("A number has too many digits.") from None
    keys_left = max_keys
    for found, pointer in _walk(document):
        if isinstance(found, _Members):
            keys_left -= len(found.pairs)
            if keys_left < 0:
                raise Refused(f"The document has more than {max_keys} keys.")
        _refuse_one(found, pointer)
    return _plain(document)


class _Members:
    """An object as it was written: its pairs in order, duplicates included."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


class _NotANumber:
    """Stands where the text says NaN, Infinity or -Infinity, so that the walk can point to it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_decoder = json.JSONDecoder(object_pairs_hook=_Members, parse_constant=_NotANumber)


def _refuse_one(found: object, pointer: str) -> None:
    match found:
        case _Members():
            seen: set[str] = set()
            for key, _ in found.pairs:
                _refuse_text(key, pointer, "A key")
                if key in seen:
                    raise Refused(f"The key “{key}” stands twice in one object.", pointer)
                seen.add(key)
        case str():
            _refuse_text(found, pointer, "A text")
        case _NotANumber():
            raise Refused(f"{found.text} is not a JSON number.", pointer)
        case float() if math.isinf(found):
            raise Refused("A number is too large for a computer's double precision.", pointer)


def _refuse_text(text: str, pointer: str, what: str) -> None:
    if "\0" in text:
        raise Refused(f"{what} contains a NUL character, which cannot be stored.", pointer)
    if _SURROGATE.search(text):
        raise Refused(f"{what} contains half a surrogate pair, which is not a character.", pointer)


def _walk(document: object) -> Iterator[tuple[object, str]]:
    """Yield every value with its JSON pointer, parents first, in the order of the text."""
    waiting: list[tuple[object, str]] = [(document, "")]
    while waiting:
        found, pointer = waiting.pop()
        yield found, pointer
        if isinstance(found, _Members):
            waiting.extend((v, f"{pointer}/{escape(k)}") for k, v in reversed(found.pairs))
        elif isinstance(found, list):
            waiting.extend((v, f"{pointer}/{i}") for i, v in reversed(list(enumerate(found))))


def _plain(found: object) -> object:
    """Turn members into dicts; safe to recurse because the depth was checked."""
    if isinstance(found, _Members):
        return {key: _plain(value) for key, value in found.pairs}
    if isinstance(found, list):
        return [_plain(value) for value in found]
    return found


def escape(key: str) -> str:
    """Return a key as one reference token of a JSON pointer (RFC 6901, section 3)."""
    return key.replace("~", "~0").replace("/", "~1")


_BRACKET_OR_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


def _deepest(text: str) -> int:
    """Count the levels of brackets outside strings, before a parser recurses into them."""
    depth = deepest = 0
    if text.count("[") + text.count("{") == 0:
        return 0
    for match in _BRACKET_OR_STRING.finditer(text):
        token = match[0]
        if token in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif token in ("]", "}"):
            depth -= 1
    return deepest


def has_few_brackets(raw: bytes, max_depth: int) -> bool:
    """Tell whether a text cannot be nested deeper than that, by how many brackets it has."""
    return raw.count(b"{") + raw.count(b"[") <= max_depth


def _is_deeper(document: object, max_depth: int) -> bool:
    """Say whether a value has more than `max_depth` levels of containers, going level by level."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(max_depth):
        if not level:
            return False
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return bool(level)
