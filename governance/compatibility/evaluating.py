"""Say of one document whether a formula holds for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from governance.compatibility import formats
from governance.compatibility import formulas as f
from governance.compatibility.values import exact, identity, is_float_multiple, plain, type_of

Unfold = Callable[[f.Reference], f.Formula]


def holds(formula: f.Formula, value: object, unfold: Unfold) -> bool | None:
    """Return whether a value fits; ``None`` where something unreadable decides it."""
    of_any = OF_ANY_VALUE.get(type(formula))
    if of_any is not None:
        return of_any(formula, value, unfold)
    if isinstance(value, str):
        return _string_holds(formula, value)
    if isinstance(value, dict):
        return _object_holds(formula, value, unfold)
    if isinstance(value, list):
        return _array_holds(formula, value, unfold)
    if value is None or isinstance(value, bool):
        return True
    return _number_holds(formula, value)


def _listed_holds(formula: f.AnyOfValues | f.NoneOfValues, value: object, _unfold: Unfold) -> bool:
    key = identity(value)
    is_listed = any(key == listed for listed, _ in formula.values)
    return is_listed is isinstance(formula, f.AnyOfValues)


def _both_hold(formula: f.Both, value: object, unfold: Unfold) -> bool | None:
    return _all(holds(part, value, unfold) for part in formula.parts)


def _either_holds(formula: f.Either, value: object, unfold: Unfold) -> bool | None:
    return _any(holds(part, value, unfold) for part in formula.parts)


def _reference_holds(formula: f.Reference, value: object, unfold: Unfold) -> bool | None:
    return holds(unfold(formula), value, unfold)


def _all(answers: Iterable[bool | None]) -> bool | None:
    result: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def _any(answers: Iterable[bool | None]) -> bool | None:
    result: bool | None = False
    for answer in answers:
        if answer is True:
            return True
        if answer is None:
            result = None
    return result


def _within(count: int, least: int, most: int | None) -> bool:
    return count >= least and (most is None or count <= most)


def _number_holds(formula: f.Formula, number: object) -> bool | None:
    value = exact(number)
    match formula:
        case f.AtLeast():
            return value > formula.bound if formula.strict else value >= formula.bound
        case f.AtMost():
            return value < formula.bound if formula.strict else value <= formula.bound
        case f.MultipleOf():
            is_multiple = value % formula.divisor == 0
            if is_multiple is not is_float_multiple(plain(value), formula.divisor):
                return None  # validators divide floats, and see it otherwise
            return is_multiple is not formula.negated
    return True


def _string_holds(formula: f.Formula, value: str) -> bool | None:
    match formula:
        case f.Length():
            return _within(len(value), formula.least, formula.most)
        case f.Matches():
            compiled = f.searcher(formula.pattern)
            if compiled is None:
                return None
            return (compiled.search(value) is not None) is not formula.negated
        case f.HasFormat():
            conforms = formats.conforms(formula.name, value)
            return None if conforms is None else conforms is not formula.negated
    return True


def _array_holds(  # noqa: PLR0911  one case a word
    formula: f.Formula, value: list[object], unfold: Unfold
) -> bool | None:
    match formula:
        case f.EachItem():
            some = value[formula.start : formula.stop]
            return _all(holds(formula.inner, item, unfold) for item in some)
        case f.SomeItem():
            some = value[formula.start : formula.stop]
            return _any(holds(formula.inner, item, unfold) for item in some)
        case f.ItemCount():
            return _within(len(value), formula.least, formula.most)
        case f.Distinct():
            is_distinct = len({identity(item) for item in value}) == len(value)
            return is_distinct is not formula.negated
        case f.Counted():
            answers = [holds(formula.inner, item, unfold) for item in value]
            sure, perhaps = answers.count(True), answers.count(None)
            if perhaps:
                return None
            return _within(sure, formula.least, formula.most)
    return True


def _object_holds(  # noqa: PLR0911  one case a word
    formula: f.Formula, value: Mapping[str, object], unfold: Unfold
) -> bool | None:
    match formula:
        case f.EachProperty():
            return _all(
                holds(formula.inner, inner, unfold)
                for name, inner in value.items()
                if formula.names.contains(name)
            )
        case f.SomeProperty():
            return _any(
                holds(formula.inner, inner, unfold)
                for name, inner in value.items()
                if formula.names.contains(name)
            )
        case f.Has():
            return formula.name in value
        case f.PropertyCount():
            return _within(len(value), formula.least, formula.most)
        case f.EachName():
            return _all(holds(formula.inner, name, unfold) for name in value)
        case f.SomeName():
            return _any(holds(formula.inner, name, unfold) for name in value)
    return True


# A formula of these kinds speaks of values of any type.
OF_ANY_VALUE: dict[type[f.Formula], Callable[[Any, object, Unfold], bool | None]] = {
    f.Always: lambda _formula, _value, _unfold: True,
    f.Never: lambda _formula, _value, _unfold: False,
    f.Remark: lambda _formula, _value, _unfold: True,
    f.Unreadable: lambda _formula, _value, _unfold: None,
    f.OfType: lambda formula, value, _unfold: type_of(value) in formula.types,
    f.OnlyDeclared: lambda formula, value, _unfold: formula.place.admits(value),
    f.AnyOfValues: _listed_holds,
    f.NoneOfValues: _listed_holds,
    f.Both: _both_hold,
    f.Either: _either_holds,
    f.Reference: _reference_holds,
}
