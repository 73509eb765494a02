"""What a receiver says of the events of a batch that it does not want.

Any 2xx takes the whole batch, unless its body is a JSON object with a list `refused`:

    {"refused": [{"index": 3, "reason": "unknown order"},
                 {"id": "A-7", "source": "/shop", "reason": "no such customer", "retry": false}]}

Each entry names one event, by its place in the batch (from 0) or by its `id` (and `source`, where
ids repeat). Those alone are tried again, or with `"retry": false` become dead letters at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from delivery.transports import ErrorClass, Receipt, TransportError

MEMBER = "refused"
MAX_REASON_CHARACTERS = 500
_MESSAGE = "The receiver refused this event of a batch."


class Unreadable(ValueError):
    """The answer names refused events in a way that cannot be read: the whole batch goes again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """What an event of a batch is known by."""

    source: str
    id: str


def read(receipt: Receipt, names: Sequence[Name]) -> Mapping[int, TransportError]:
    """Return the refused events by their place, with what is to be recorded of each.

    Raises Unreadable where a refusal is meant and cannot be understood: then nobody knows which
    events arrived.
    """
    entries = _entries(receipt.response_excerpt)
    found: dict[int, TransportError] = {}
    for entry in entries:
        found[_place(entry, names)] = _refusal(entry, receipt)
    return found


def unreadable(receipt: Receipt, why: Unreadable) -> TransportError:
    """Return the failure of a whole batch whose answer cannot be read."""
    return TransportError(
        f"The answer names refused events and cannot be read: {why}",
        error_class=ErrorClass.BATCH_ANSWER,
        duration_ms=receipt.duration_ms,
        status=receipt.status,
        response_excerpt=receipt.response_excerpt,
        retry_after=receipt.retry_after,
    )


def _entries(text: str) -> Sequence[Mapping[str, object]]:
    if f'"{MEMBER}"' not in text:
        return ()
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unreadable("it is no JSON, or longer than what is read of an answer.") from None
    if not isinstance(document, dict) or MEMBER not in document:
        return ()
    entries = document[MEMBER]
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise Unreadable("“refused” is no list of objects.")
    return entries


def _place(entry: Mapping[str, object], names: Sequence[Name]) -> int:
    if "index" in entry:
        index = entry["index"]
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(names):
            raise Unreadable(f"there is no event {index!r} in the batch.")
        return index
    wanted, source = entry.get("id"), entry.get("source")
    places = [
        place
        for place, name in enumerate(names)
        if name.id == wanted and source in (None, name.source)
    ]
    if len(places) != 1:
        raise Unreadable(f"{len(places)} events of the batch have the id {wanted!r}.")
    return places[0]


def _refusal(entry: Mapping[str, object], receipt: Receipt) -> TransportError:
    reason = entry.get("reason")
    text = reason.strip()[:MAX_REASON_CHARACTERS] if isinstance(reason, str) else ""
    return TransportError(
        _MESSAGE,
        error_class=ErrorClass.PARTIAL,
        permanent=entry.get("retry") is False,
        duration_ms=receipt.duration_ms,
        status=receipt.status,
        response_excerpt=text,
        retry_after=receipt.retry_after,
    )
