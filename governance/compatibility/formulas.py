"""The words of the decision: what one constraint asks of one JSON value.

A formula that speaks of one JSON type holds for every value of another type, as in JSON Schema.
Equal formulas are one object (made by ``Formulas``), so identity is equality.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from governance.compatibility.values import Identity, JsonType

if TYPE_CHECKING:
    from governance.compatibility.declared import Place
    from governance.compatibility.documents import Located


@lru_cache(maxsize=2048)
def searcher(pattern: str) -> re.Pattern[str] | None:
    """Return the compiled pattern, or ``None`` where Python does not understand it."""
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Names:
    """A set of property names: some exact ones and those that match patterns, or all others."""

    exact: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    others: bool = False

    def contains(self, name: str) -> bool:
        """Return whether a name belongs; patterns that cannot be read never get here."""
        found = name in self.exact or any(
            (compiled := searcher(pattern)) is not None and compiled.search(name) is not None
            for pattern in self.patterns
        )
        return found is not self.others

    def surely_within(self, wider: Names) -> bool:
        """Return whether each name here is in ``wider``; ``False`` may also mean unknown."""
        if self.others:
            return wider.others and wider.exact <= self.exact and wider.patterns <= self.patterns
        if wider.others:
            return not self.patterns and all(map(wider.contains, self.exact))
        return self.patterns <= wider.patterns and all(map(wider.contains, self.exact))


class Formula:
    """A constraint on one JSON value."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Always(Formula):
    """Any value."""


@dataclass(frozen=True, slots=True, eq=False)
class Never(Formula):
    """No value."""


@dataclass(frozen=True, slots=True, eq=False)
class OfType(Formula):
    """A value of one of these types."""

    types: frozenset[JsonType]


@dataclass(frozen=True, slots=True, eq=False)
class AnyOfValues(Formula):
    """One of these values, by identity."""

    values: tuple[tuple[Identity, object], ...]


@dataclass(frozen=True, slots=True, eq=False)
class NoneOfValues(Formula):
    """None of these values."""

    values: tuple[tuple[Identity, object], ...]


@dataclass(frozen=True, slots=True, eq=False)
class AtLeast(Formula):
    """A number from here upwards; ``strict`` leaves the bound itself out."""

    bound: Fraction
    strict: bool


@dataclass(frozen=True, slots=True, eq=False)
class AtMost(Formula):
    """A number up to here; ``strict`` leaves the bound itself out."""

    bound: Fraction
    strict: bool


@dataclass(frozen=True, slots=True, eq=False)
class MultipleOf(Formula):
    """A number that is, or with ``negated`` is not, a multiple."""

    divisor: Fraction
    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Length(Formula):
    """A string with at least and at most this many code points."""

    least: int
    most: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Matches(Formula):
    """A string in which the pattern is found, or with ``negated`` is not."""

    pattern: str
    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class HasFormat(Formula):
    """A string of an asserted format, or with ``negated`` not of it."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EachItem(Formula):
    """Every entry with an index from ``start`` and below ``stop`` fits ``inner``."""

    start: int
    stop: int | None
    inner: Formula


@dataclass(frozen=True, slots=True, eq=False)
class SomeItem(Formula):
    """An entry with an index from ``start`` and below ``stop`` exists and fits ``inner``."""

    start: int
    stop: int | None
    inner: Formula


@dataclass(frozen=True, slots=True, eq=False)
class Counted(Formula):
    """At least and at most this many entries fit ``inner``."""

    inner: Formula
    least: int
    most: int | None


@dataclass(frozen=True, slots=True, eq=False)
class ItemCount(Formula):
    """An array with at least and at most this many entries."""

    least: int
    most: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Distinct(Formula):
    """No two entries are equal, or with ``negated`` two are."""

    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EachProperty(Formula):
    """Every property with such a name has a value that fits ``inner``."""

    names: Names
    inner: Formula


@dataclass(frozen=True, slots=True, eq=False)
class SomeProperty(Formula):
    """A property with such a name exists and has a value that fits ``inner``."""

    names: Names
    inner: Formula


@dataclass(frozen=True, slots=True, eq=False)
class Has(Formula):
    """The property is present."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class PropertyCount(Formula):
    """An object with at least and at most this many properties."""

    least: int
    most: int | None


@dataclass(frozen=True, slots=True, eq=False)
class EachName(Formula):
    """Every property name fits ``inner``."""

    inner: Formula


@dataclass(frozen=True, slots=True, eq=False)
class SomeName(Formula):
    """Some property name fits ``inner``."""

    inner: Formula


@dataclass(frozen=True, slots=True, eq=False)
class Both(Formula):
    """All parts hold."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Either(Formula):
    """One part holds at least."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reference(Formula):
    """What the schema at ``target`` asks, or its opposite; read when needed (it may recur)."""

    target: Located
    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Unreadable(Formula):
    """Something that we cannot decide; ``key`` tells whether two of them are the same."""

    key: Hashable
    negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Remark(Formula):
    """A promise that validators do not check (how a text is encoded); it holds for any value.

    ``meant`` is what it would ask if they did, as far as that can be said.
    """

    keyword: str
    value: Hashable
    about: JsonType
    meant: Formula | None


@dataclass(frozen=True, slots=True, eq=False)
class OnlyDeclared(Formula):
    """At every level only properties that the writer declares (the lenient policy)."""

    place: Place
