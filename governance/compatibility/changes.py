"""One difference between two schemas as written: its kind, its sentence, and where it stands.

What a change does to anybody is not judged here: ``keys`` name the things in either schema that
it touches, and ``checking`` looks up which of them are broken. How a part of a schema is compared
is told in ``value_changes``, ``object_changes`` and ``form_changes``; ``differing`` walks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from governance.compatibility import sentences
from governance.compatibility.report import Kind
from governance.compatibility.spots import Key, Spot

if TYPE_CHECKING:
    from governance.compatibility.differing import Differ

Labels: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference between two schemas."""

    kind: Kind
    message: str
    old_pointer: str | None
    new_pointer: str | None
    keys: frozenset[Key]


# Compares one subject of two schemas that stand at the same place; asks the walk to go deeper.
Compare: TypeAlias = "Callable[[Differ, Spot, Spot, Labels], Iterator[Change]]"


def change_of(
    kind: Kind,
    labels: Labels,
    was: Spot,
    now: Spot,
    *keywords: str,
    detail: str = "",
    **words: str,
) -> Change:
    """Return the change of some keywords, which points at the first of them that is used."""
    return Change(
        kind=kind,
        message=sentences.say(kind, labels, detail=detail, **words),
        old_pointer=was.pointer(*keywords),
        new_pointer=now.pointer(*keywords),
        keys=was.keys(*keywords, detail=detail) | now.keys(*keywords, detail=detail),
    )
