"""Find the text of each event's `data` in the request, so that it travels on exactly as sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

import orjson

_DATA_KEY = re.compile(r'"data"[ \t\n\r]*:[ \t\n\r]*')
_SPACE = re.compile(r"[ \t\n\r]*")
_read = json.JSONDecoder().raw_decode


def data_texts(raw: bytes, items: Sequence[object]) -> list[bytes | None]:
    """Return the text of the `data` member of each item, `None` for an item without.

    `raw` is the strict JSON text that `items` were parsed from: one object, or an array of them.
    """
    text = raw.decode()
    if len(items) == 1 and not text.lstrip().startswith("["):
        return _quickly(text, items) or [_carefully(text, _after_space(text, 0))[0]]
    return _quickly(text, items) or list(_carefully_each(text))


def _quickly(text: str, items: Sequence[object]) -> list[bytes | None] | None:
    """Look for the literal key; give up where that could find another one.

    When every such literal is an item's own, there is nothing to confuse. Else, in an event that is
    regular (only `data` holds a container), the first `"data":` after the previous item's data is
    this item's own: inside a string its quotes would be escaped.
    """
    if "\\u00" in text:
        return None  # a key may be spelled with escapes
    own = sum(isinstance(item, dict) and "data" in item for item in items)
    if text.count('"data"') != own and any(map(_is_irregular, items)):
        return None
    found: list[bytes | None] = []
    position = 0
    for item in items:
        if not isinstance(item, dict) or "data" not in item:
            found.append(None)
            continue
        key = _DATA_KEY.search(text, position)
        if key is None:
            return None
        start = key.end()
        position = _end_of(item["data"], text, start)
        found.append(text[start:position].encode())
    return found


def _is_irregular(item: object) -> bool:
    return not isinstance(item, dict) or any(
        isinstance(value, dict | list) and name != "data" for name, value in item.items()
    )


def _end_of(value: object, text: str, start: int) -> int:
    """Return where the text of `value` ends, at once if it is written without white space."""
    if isinstance(value, dict | list | str):
        try:
            compact = orjson.dumps(value).decode()
        except TypeError:  # an integer of more than 64 bits
            pass
        else:
            if text.startswith(compact, start):
                return start + len(compact)
    return int(_read(text, start)[1])


def _carefully_each(text: str) -> Iterator[bytes | None]:
    """Walk an array of values, member by member of each object."""
    position = _after_space(text, _after_space(text, 0) + 1)
    while text[position] != "]":
        if text[position] == "{":
            data, position = _carefully(text, position)
        else:
            data, position = None, _read(text, position)[1]
        yield data
        position = _after_space(text, position)
        if text[position] == ",":
            position = _after_space(text, position + 1)


def _carefully(text: str, position: int) -> tuple[bytes | None, int]:
    """Walk the members of the object at `position`: the text of its data, and where it ends."""
    data = None
    position = _after_space(text, position + 1)
    while text[position] != "}":
        name, position = _read(text, position)
        start = _after_space(text, _after_space(text, position) + 1)
        position = _read(text, start)[1]
        if name == "data":
            data = text[start:position].encode()
        position = _after_space(text, position)
        if text[position] == ",":
            position = _after_space(text, position + 1)
    return data, position + 1


def _after_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position
