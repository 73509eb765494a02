"""What a keyword asks: the shape of a reader, and how readers are found.

Keywords are read as the declared draft reads them; what a draft does not know constrains nothing.
A reader raises for what is malformed, and the caller then treats the keyword as unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from governance.compatibility import formulas as f
from governance.compatibility.documents import Dialect, Located
from governance.compatibility.values import exact

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One thing that a schema asks: by which keyword, for which detail (a name, an index)."""

    keyword: str
    formula: f.Formula
    detail: str = ""


Raw: TypeAlias = Mapping[str, object]
Read: TypeAlias = "Callable[[Compiler, Located, Raw], Iterator[Part]]"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a keyword, and in which drafts it exists."""

    read: Read
    first: Dialect
    last: Dialect


class Readers(dict[str, Reader]):
    """Who reads which keyword."""

    def reads(
        self,
        *keywords: str,
        first: Dialect = Dialect.DRAFT_04,
        last: Dialect = Dialect.DRAFT_2020_12,
    ) -> Callable[[Read], Read]:
        """Register the reader of some keywords."""

        def register(read: Read) -> Read:
            for keyword in keywords:
                self[keyword] = Reader(read, first, last)
            return read

        return register


def whole(value: object) -> int:
    """Return a count as written (``2`` or ``2.0``); raise ``ValueError`` for anything else."""
    number = exact(value)
    if isinstance(value, bool) or number.denominator != 1 or number < 0:
        raise ValueError(f"not a count: {value!r}")
    return number.numerator


def as_mapping(value: object) -> Mapping[str, object]:
    """Return a mapping as such; raise ``TypeError`` for anything else."""
    if not isinstance(value, dict):
        raise TypeError("not a mapping")
    return value


def as_names(value: object) -> list[str]:
    """Return a list of names as such; raise ``TypeError`` for anything else."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TypeError("not a list of names")
    return value
