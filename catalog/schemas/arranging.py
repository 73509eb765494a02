"""Rows in another order: one more, one less, one place up or down; what stands in a row goes along.

The rows of an editor stand in one list, each right below the row that holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from catalog.schemas.rows import Row, RowKind


def holds_fields(row: Row) -> bool:
    """Tell whether other rows may stand in this one: an object, or a list of objects."""
    return row.kind is RowKind.OBJECT or (row.kind is RowKind.LIST and row.entry is RowKind.OBJECT)


def with_row(rows: Sequence[Row], row: Row) -> list[Row]:
    """Return the rows with one more, the last of those that stand in the same place."""
    return _flat([*rows, row])


def without_row(rows: Sequence[Row], key: str) -> list[Row]:
    """Return the rows without that one and what stands in it; all of them for an unknown key."""
    return _flat(row for row in rows if row.key != key)


def moved(rows: Sequence[Row], key: str, *, by: int) -> list[Row]:
    """Return the rows with that one `by` places further among its neighbours, at most to an end."""
    row = next((one for one in rows if one.key == key), None)
    if row is None:
        return list(rows)
    beside = [one for one in rows if one.parent == row.parent]
    place = beside.index(row)
    beside.insert(max(place + by, 0), beside.pop(place))
    return _flat([*(one for one in rows if one.parent != row.parent), *beside])


def reachable(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that stand at the top, or in a row that may hold them."""
    places = {row.key for row in rows if holds_fields(row)}
    return _flat(row for row in rows if not row.parent or row.parent in places)


def levels(rows: Iterable[Row]) -> Mapping[str, int]:
    """Return by key how deep each row stands, 0 at the top."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.key] = found[row.parent] + 1 if row.parent in found else 0
    return found


def _flat(rows: Iterable[Row]) -> list[Row]:
    """Return the rows depth first; those whose place is gone are gone with it."""
    below: dict[str, list[Row]] = {}
    for row in rows:
        below.setdefault(row.parent, []).append(row)
    flat: list[Row] = []
    waiting = below.pop("", [])[::-1]
    while waiting:
        row = waiting.pop()
        flat.append(row)
        waiting += below.pop(row.key, [])[::-1]
    return flat
