"""Put back what somebody edited around: the masked values that they could not see.

Pure: from what was edited, what was shown and what is stored to the document that is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalog.schemas import MASK
from catalog.schemas.reading import pointer_to

Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """The document that is meant; `hidden` are pointers to values that were put back.

    `unclear` are pointers to masks of which nobody can tell what they stand for.
    """

    data: object
    hidden: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


@dataclass(slots=True)
class _Places:
    hidden: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)


def restore(edited: object, *, shown: object, stored: object) -> Restored:
    """Return `edited` with each mask replaced by the stored value that it was shown for.

    `shown` is `stored` with sensitive values masked. A mask stands for the value at its own place;
    an entry of a list may have moved, and is known by being as it was shown, if only one was.
    """
    places = _Places()
    data = _restored(edited, shown, stored, (), places)
    return Restored(data=data, hidden=tuple(places.hidden), unclear=tuple(places.unclear))


def _restored(edited: object, shown: object, stored: object, path: Path, places: _Places) -> object:
    if edited == MASK:
        if shown == MASK:
            places.hidden.append(pointer_to(path))
            return stored
        places.unclear.append(pointer_to(path))
        return edited
    if isinstance(edited, Mapping):
        return {
            name: _restored(
                value, _member(shown, name), _member(stored, name), (*path, name), places
            )
            for name, value in edited.items()
        }
    if isinstance(edited, list):
        return _entries(edited, shown, stored, path, places)
    return edited


def _entries(
    edited: list[object], shown: object, stored: object, path: Path, places: _Places
) -> list[object]:
    was = shown if isinstance(shown, list) else []
    kept = stored if isinstance(stored, list) else []
    found = []
    for index, entry in enumerate(edited):
        source = _source(edited, index, was) if _has_mask(entry) else None
        before, held = (None, None) if source is None else (was[source], kept[source])
        found.append(_restored(entry, before, held, (*path, index), places))
    return found


def _source(edited: Sequence[object], index: int, was: Sequence[object]) -> int | None:
    """Return which entry of `was` this one is; None where that cannot be told."""
    entry = edited[index]
    same = [number for number, one in enumerate(was) if one == entry]
    is_in_place = len(edited) == len(was)
    if same:
        if is_in_place and index in same:
            return index
        return same[0] if len(same) == 1 and edited.count(entry) == 1 else None
    # Changed where it stood, which nothing else has taken.
    return index if is_in_place and was[index] not in edited else None


def _member(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, Mapping) else None


def _has_mask(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_has_mask(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_mask(one) for one in value)
    return value == MASK
