"""The opposite of each formula: what holds exactly where it does not.

A formula about values of one type holds for all others, so its opposite asks for that type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.compatibility import formulas as f
from governance.compatibility.values import ALL_TYPES, JsonType

if TYPE_CHECKING:
    from governance.compatibility.algebra import Algebra


def opposite_of(algebra: Algebra, formula: f.Formula) -> f.Formula:
    """Return the opposite of a formula; raise ``TypeError`` for one that has none."""
    match formula:
        case f.AtLeast() | f.AtMost() | f.MultipleOf():
            return _only(algebra, JsonType.NUMBER, _of_number(algebra, formula))
        case f.Length() | f.Matches() | f.HasFormat():
            return _only(algebra, JsonType.STRING, _of_string(algebra, formula))
        case f.EachItem() | f.SomeItem() | f.Counted() | f.ItemCount() | f.Distinct():
            return _only(algebra, JsonType.ARRAY, _of_array(algebra, formula))
        case (
            f.EachProperty()
            | f.SomeProperty()
            | f.Has()
            | f.PropertyCount()
            | f.EachName()
            | f.SomeName()
        ):
            return _only(algebra, JsonType.OBJECT, _of_object(algebra, formula))
        case f.OfType() | f.AnyOfValues() | f.NoneOfValues():
            return _of_values(algebra, formula)
    return _of_compound(algebra, formula)


def _only(algebra: Algebra, kind: JsonType, formula: f.Formula) -> f.Formula:
    return algebra.both((algebra.of_type((kind,)), formula))


def _of_number(algebra: Algebra, formula: f.AtLeast | f.AtMost | f.MultipleOf) -> f.Formula:
    match formula:
        case f.AtLeast():
            return algebra.make(f.AtMost, formula.bound, not formula.strict)
        case f.AtMost():
            return algebra.make(f.AtLeast, formula.bound, not formula.strict)
        case f.MultipleOf():
            return algebra.make(f.MultipleOf, formula.divisor, not formula.negated)


def _of_string(algebra: Algebra, formula: f.Length | f.Matches | f.HasFormat) -> f.Formula:
    match formula:
        case f.Length():
            return _outside(algebra, formula)
        case f.Matches():
            return algebra.make(f.Matches, formula.pattern, not formula.negated)
        case f.HasFormat():
            return algebra.make(f.HasFormat, formula.name, not formula.negated)


def _of_array(
    algebra: Algebra, formula: f.EachItem | f.SomeItem | f.Counted | f.ItemCount | f.Distinct
) -> f.Formula:
    match formula:
        case f.EachItem():
            inner = algebra.opposite(formula.inner)
            return algebra.make(f.SomeItem, formula.start, formula.stop, inner)
        case f.SomeItem():
            inner = algebra.opposite(formula.inner)
            return algebra.make(f.EachItem, formula.start, formula.stop, inner)
        case f.Counted():
            return _miscounted(algebra, formula)
        case f.ItemCount():
            return _outside(algebra, formula)
        case f.Distinct():
            return algebra.make(f.Distinct, not formula.negated)


def _of_object(
    algebra: Algebra,
    formula: f.EachProperty | f.SomeProperty | f.Has | f.PropertyCount | f.EachName | f.SomeName,
) -> f.Formula:
    match formula:
        case f.EachProperty():
            return _some(algebra, formula.names, algebra.opposite(formula.inner))
        case f.SomeProperty():
            return algebra.each_property(formula.names, algebra.opposite(formula.inner))
        case f.Has():
            return algebra.lacks(formula.name)
        case f.PropertyCount():
            return _outside(algebra, formula)
        case f.EachName():
            return algebra.make(f.SomeName, algebra.opposite(formula.inner))
        case f.SomeName():
            return algebra.make(f.EachName, algebra.opposite(formula.inner))


def _of_values(algebra: Algebra, formula: f.OfType | f.AnyOfValues | f.NoneOfValues) -> f.Formula:
    match formula:
        case f.OfType():
            return algebra.of_type(ALL_TYPES - formula.types)
        case f.AnyOfValues():
            return algebra.make_values(f.NoneOfValues, dict(formula.values))
        case f.NoneOfValues():
            return algebra.make_values(f.AnyOfValues, dict(formula.values))


def _of_compound(algebra: Algebra, formula: f.Formula) -> f.Formula:
    match formula:
        case f.Both():
            return algebra.either(algebra.opposite(part) for part in formula.parts)
        case f.Either():
            return algebra.both(algebra.opposite(part) for part in formula.parts)
        case f.Reference():
            return algebra.make(f.Reference, formula.target, not formula.negated)
        case f.Unreadable():
            return algebra.make(f.Unreadable, formula.key, not formula.negated)
        case f.Remark():
            return algebra.either(())  # it holds for any value
    raise TypeError(f"has no opposite: {formula!r}")


def _some(algebra: Algebra, names: f.Names, inner: f.Formula) -> f.Formula:
    if not names.others and not names.patterns and len(names.exact) == 1:
        (name,) = names.exact
        return algebra.both((algebra.make(f.Has, name), algebra.each_property(names, inner)))
    return algebra.make(f.SomeProperty, names, inner)


def _outside(algebra: Algebra, formula: f.Length | f.ItemCount | f.PropertyCount) -> f.Formula:
    kind, least, most = type(formula), formula.least, formula.most
    sides = [algebra.make(kind, 0, least - 1)] if least > 0 else []
    if most is not None:
        sides.append(algebra.make(kind, most + 1, None))
    return algebra.either(sides)


def _miscounted(algebra: Algebra, formula: f.Counted) -> f.Formula:
    inner, least, most = formula.inner, formula.least, formula.most
    sides = [algebra.make(f.Counted, inner, 0, least - 1)] if least > 0 else []
    if most is not None:
        sides.append(algebra.make(f.Counted, inner, most + 1, None))
    return algebra.either(sides)
