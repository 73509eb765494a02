"""Make formulas: equal ones once, the trivial ones away, and the opposite of each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from governance.compatibility import formulas as f
from governance.compatibility.opposites import opposite_of
from governance.compatibility.values import ALL_TYPES, Identity, JsonType, identity

Made = TypeVar("Made", bound=f.Formula)

ALWAYS = f.Always()
NEVER = f.Never()
CONTAINERS = frozenset((JsonType.ARRAY, JsonType.OBJECT))


class Algebra:
    """Makes the formulas of one comparison; not shared between threads."""

    def __init__(self) -> None:
        self._made: dict[Hashable, f.Formula] = {}
        self._serial: dict[f.Formula, int] = {ALWAYS: -2, NEVER: -1}
        self._opposite: dict[f.Formula, f.Formula] = {ALWAYS: NEVER, NEVER: ALWAYS}
        self._scalar: dict[f.Formula, bool] = {}
        self._special: dict[tuple[f.Formula, JsonType], f.Formula] = {}

    def make(self, kind: type[Made], *fields: Hashable) -> Made:
        """Return the one formula of this kind with these fields."""
        key = (kind, *fields)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = kind(*fields)
            self._serial[made] = len(self._serial)
        return made  # type: ignore[return-value]

    def of_type(self, types: Iterable[JsonType]) -> f.Formula:
        """Return the formula for a set of types."""
        chosen = frozenset(types)
        if chosen == ALL_TYPES:
            return ALWAYS
        return self.make(f.OfType, chosen) if chosen else NEVER

    def any_of_values(self, values: Iterable[object]) -> f.Formula:
        """Return the formula for an enumeration."""
        keyed = {identity(value): value for value in values}
        return self.make_values(f.AnyOfValues, keyed) if keyed else NEVER

    def none_of_values(self, values: Iterable[object]) -> f.Formula:
        """Return the formula for everything outside an enumeration."""
        keyed = {identity(value): value for value in values}
        return self.make_values(f.NoneOfValues, keyed) if keyed else ALWAYS

    def make_values(
        self, kind: type[f.AnyOfValues | f.NoneOfValues], keyed: Mapping[Identity, object]
    ) -> f.Formula:
        """Return one enumeration formula whatever the order of its values."""
        key = (kind, frozenset(keyed))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = kind(tuple(keyed.items()))
            self._serial[made] = len(self._serial)
        return made

    def each_property(self, names: f.Names, inner: f.Formula) -> f.Formula:
        """Return ``EachProperty``, unless it asks nothing."""
        return ALWAYS if inner is ALWAYS else self.make(f.EachProperty, names, inner)

    def each_item(self, start: int, stop: int | None, inner: f.Formula) -> f.Formula:
        """Return ``EachItem``, unless it asks nothing."""
        if inner is ALWAYS or (stop is not None and stop <= start):
            return ALWAYS
        return self.make(f.EachItem, start, stop, inner)

    def lacks(self, name: str) -> f.Formula:
        """Return the formula that forbids a property."""
        return self.make(f.EachProperty, f.Names(frozenset((name,))), NEVER)

    def both(self, parts: Iterable[f.Formula]) -> f.Formula:
        """Return the conjunction, flat, without repetition and in one order."""
        flat: dict[f.Formula, None] = {}
        types = ALL_TYPES
        for part in parts:
            for piece in part.parts if isinstance(part, f.Both) else (part,):
                if piece is NEVER:
                    return NEVER
                if isinstance(piece, f.OfType):
                    types &= piece.types
                elif piece is not ALWAYS:
                    flat[piece] = None
        kinds = self.of_type(types)
        if kinds is NEVER:
            return NEVER
        if kinds is not ALWAYS:
            flat[kinds] = None
        if any(self._opposite.get(piece) in flat for piece in flat):
            return NEVER
        return self._joined(f.Both, flat, ALWAYS)

    def either(self, parts: Iterable[f.Formula]) -> f.Formula:
        """Return the disjunction, flat, without repetition and in one order."""
        flat: dict[f.Formula, None] = {}
        types: frozenset[JsonType] = frozenset()
        for part in parts:
            for piece in part.parts if isinstance(part, f.Either) else (part,):
                if piece is ALWAYS:
                    return ALWAYS
                if isinstance(piece, f.OfType):
                    types |= piece.types
                elif piece is not NEVER:
                    flat[piece] = None
        kinds = self.of_type(types)
        if kinds is ALWAYS:
            return ALWAYS
        if kinds is not NEVER:
            flat[kinds] = None
        return self._joined(f.Either, flat, NEVER)

    def _joined(
        self,
        kind: type[f.Both | f.Either],
        flat: dict[f.Formula, None],
        empty: f.Formula,
    ) -> f.Formula:
        if not flat:
            return empty
        if len(flat) == 1:
            return next(iter(flat))
        return self.make(kind, tuple(sorted(flat, key=self._serial.__getitem__)))

    def opposite(self, formula: f.Formula) -> f.Formula:
        """Return the formula that holds exactly where this one does not."""
        known = self._opposite.get(formula)
        if known is None:
            known = opposite_of(self, formula)
            self._opposite[formula] = known
            # The opposite of a conjunction is found part by part; NEVER has its own.
            if not isinstance(known, f.Both | f.Never):
                self._opposite.setdefault(known, formula)
        return known

    def known_opposite(self, formula: f.Formula) -> f.Formula | None:
        """Return the opposite if somebody has asked for it before."""
        return self._opposite.get(formula)

    def is_scalar(self, formula: f.Formula) -> bool:
        """Return whether a formula surely leaves out objects and arrays, as far as is plain."""
        known = self._scalar.get(formula)
        if known is None:
            pieces = formula.parts if isinstance(formula, f.Both) else (formula,)
            known = self._scalar[formula] = any(
                isinstance(piece, f.OfType) and piece.types.isdisjoint(CONTAINERS)
                for piece in pieces
            )
        return known

    def ordered(self, formulas: Iterable[f.Formula]) -> list[f.Formula]:
        """Return formulas in the order in which they were made, so that runs repeat."""
        return sorted(formulas, key=self._serial.__getitem__)

    def specialised(self, formula: f.Formula, kind: JsonType) -> f.Formula:
        """Return what a formula still asks of a value that is known to be of this type."""
        key = (formula, kind)
        known = self._special.get(key)
        if known is None:
            known = self._special[key] = self._specialise(formula, kind)
        return known

    def _specialise(self, formula: f.Formula, kind: JsonType) -> f.Formula:  # noqa: PLR0911  cases
        match formula:
            case f.OfType():
                return ALWAYS if kind in formula.types else NEVER
            case f.AnyOfValues() | f.NoneOfValues():
                kept = {key: value for key, value in formula.values if key[0] == kind.value}
                if not kept:
                    return NEVER if isinstance(formula, f.AnyOfValues) else ALWAYS
                return self.make_values(type(formula), kept)
            case f.Both():
                return self.both(self.specialised(part, kind) for part in formula.parts)
            case f.Either():
                return self.either(self.specialised(part, kind) for part in formula.parts)
            case f.Always() | f.Never() | f.Reference() | f.Unreadable():
                return formula
        return formula if kind in SPEAKS_OF.get(type(formula), ()) else ALWAYS


SPEAKS_OF: dict[type[f.Formula], tuple[JsonType, ...]] = {
    f.AtLeast: (JsonType.NUMBER,),
    f.AtMost: (JsonType.NUMBER,),
    f.MultipleOf: (JsonType.NUMBER,),
    f.Length: (JsonType.STRING,),
    f.Matches: (JsonType.STRING,),
    f.HasFormat: (JsonType.STRING,),
    f.EachItem: (JsonType.ARRAY,),
    f.SomeItem: (JsonType.ARRAY,),
    f.Counted: (JsonType.ARRAY,),
    f.ItemCount: (JsonType.ARRAY,),
    f.Distinct: (JsonType.ARRAY,),
    f.EachProperty: (JsonType.OBJECT,),
    f.SomeProperty: (JsonType.OBJECT,),
    f.Has: (JsonType.OBJECT,),
    f.PropertyCount: (JsonType.OBJECT,),
    f.EachName: (JsonType.OBJECT,),
    f.SomeName: (JsonType.OBJECT,),
    f.OnlyDeclared: (JsonType.ARRAY, JsonType.OBJECT),
}
