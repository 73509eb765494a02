"""One JSON text for one value: I-JSON (RFC 7493), members sorted, nothing lost.

Decimals and integers beyond 2^53 - 1 become strings, instants RFC 3339 UTC with six decimals.
A whole float is the same number as the integer: the database does not tell them apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

MAX_SAFE_INTEGER = 2**53 - 1


def plain(value: object) -> Any:
    """Return `value` as JSON values only.

    Raises TypeError for what has no agreed form, ValueError for members of the same name and for
    numbers that JSON does not have.
    """
    if value is None or isinstance(value, bool):
        return value
    for kinds, form in _FORMS:
        if isinstance(value, kinds):
            return form(value)
    raise TypeError(f"{type(value).__name__} has no form in the ledger.")


def encode(value: object) -> bytes:
    """Return the one JSON text of `value` as UTF-8 bytes."""
    return json.dumps(
        plain(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def _integer(value: int) -> int | str:
    return int(value) if abs(value) <= MAX_SAFE_INTEGER else str(int(value))


def _float(value: float) -> float | int | str:
    # A NaN or an infinity raises here or in the encoder; -0.0 is 0.
    return _integer(int(value)) if value.is_integer() else float(value)


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _members(value: Mapping[object, object]) -> dict[str, Any]:
    members = {str(key): plain(inner) for key, inner in value.items()}
    if len(members) < len(value):
        raise ValueError("Two members have the same name.")
    return members


def _items(value: list[object] | tuple[object, ...]) -> list[Any]:
    return [plain(inner) for inner in value]


def _sorted(value: set[object] | frozenset[object]) -> list[Any]:
    return sorted((plain(inner) for inner in value), key=encode)


# In this order: a datetime is a date too.
_FORMS: list[tuple[type | tuple[type, ...], Callable[[Any], Any]]] = [
    (str, str),
    (int, _integer),
    (float, _float),
    (datetime, _instant),
    ((date, UUID, Decimal), str),
    (timedelta, lambda value: plain(value.total_seconds())),
    ((bytes, memoryview), lambda value: bytes(value).hex()),
    (Mapping, _members),
    ((list, tuple), _items),
    ((set, frozenset), _sorted),
]
