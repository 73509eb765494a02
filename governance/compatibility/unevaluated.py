"""What ``unevaluatedProperties`` and ``unevaluatedItems`` speak of, case by case.

Which names or entries are left over depends on which alternatives hold. So every combination of
alternatives is one case: a condition, and what is evaluated if it holds (core 2020-12, section 11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from governance.compatibility import formulas as f
from governance.compatibility.algebra import ALWAYS
from governance.compatibility.documents import Dialect, Located
from governance.compatibility.formulas import Names

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler

MOST_CASES = 128  # beyond it the keyword counts as unreadable


class TooManyCasesError(ValueError):
    """The alternatives combine to more cases than the bound; treat the keyword as unreadable."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One combination of alternatives and what it evaluates.

    ``matched``: entries that fit one of these are evaluated too (``contains``).
    """

    condition: f.Formula = ALWAYS
    exact: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    prefix: int = 0
    matched: tuple[f.Formula, ...] = ()
    everything: bool = False

    def joined(self, other: Case, condition: f.Formula) -> Case:
        """Return the case in which both hold."""
        return Case(
            condition=condition,
            exact=self.exact | other.exact,
            patterns=self.patterns | other.patterns,
            prefix=max(self.prefix, other.prefix),
            matched=self.matched + other.matched,
            everything=self.everything or other.everything,
        )


Own = Callable[["Compiler", Located, bool], Case]


def properties_formula(c: Compiler, node: Located) -> f.Formula:
    """Return what ``unevaluatedProperties`` at a node asks."""
    inner = c.below(node, "unevaluatedProperties")

    def consequence(case: Case) -> f.Formula:
        return c.algebra.each_property(Names(case.exact, case.patterns, others=True), inner)

    return _formula(c, node, _own_properties, consequence)


def items_formula(c: Compiler, node: Located) -> f.Formula:
    """Return what ``unevaluatedItems`` at a node asks."""
    inner = c.below(node, "unevaluatedItems")

    def consequence(case: Case) -> f.Formula:
        fits = c.algebra.either((inner, *case.matched))
        return c.algebra.each_item(case.prefix, None, fits)

    return _formula(c, node, _own_items, consequence)


def _formula(
    c: Compiler, node: Located, own: Own, consequence: Callable[[Case], f.Formula]
) -> f.Formula:
    return c.algebra.both(
        c.algebra.either((c.algebra.opposite(case.condition), consequence(case)))
        for case in _cases(c, node, own, frozenset(), is_outermost=True)
        if not case.everything
    )


def _cases(
    c: Compiler, node: Located, own: Own, above: frozenset[Located], *, is_outermost: bool
) -> list[Case]:
    """Return the cases of the schema at a node, given that the schema holds."""
    if node in above:
        raise TooManyCasesError("a schema that applies to itself")
    cases = [own(c, node, is_outermost)]
    for choice in _choices(c, node, own, above | {node}):
        cases = [
            case.joined(option, c.algebra.both((case.condition, option.condition)))
            for case in cases
            for option in choice
        ]
        if len(cases) > MOST_CASES:
            raise TooManyCasesError("too many combinations of alternatives")
    return cases


def _choices(  # noqa: C901  one loop a keyword
    c: Compiler, node: Located, own: Own, above: frozenset[Located]
) -> Iterator[list[Case]]:
    raw = c.keywords(node)

    def inside(schema: Located) -> list[Case]:
        return _cases(c, schema, own, above, is_outermost=False)

    def perhaps(schema: Located, condition: f.Formula) -> list[Case]:
        holds = c.algebra.both
        return [
            Case(condition=c.algebra.opposite(condition)),
            *(replace(x, condition=holds((condition, x.condition))) for x in inside(schema)),
        ]

    if any(keyword in raw for keyword in ("$ref", "$dynamicRef", "$recursiveRef")):
        target = c.target(node)
        if target is None:
            raise TooManyCasesError("a reference that leads nowhere")
        yield inside(target)
    for index in range(len(_listed(raw, "allOf"))):
        yield inside(node.child("allOf", index))
    for keyword in ("anyOf", "oneOf"):
        for index in range(len(_listed(raw, keyword))):
            alternative = node.child(keyword, index)
            yield perhaps(alternative, c.formula(alternative))
    dependents = raw.get("dependentSchemas")
    if isinstance(dependents, dict):
        for name in dependents:
            has_it = c.algebra.both(
                (c.algebra.make(f.Has, name), c.algebra.opposite(c.algebra.lacks(name)))
            )
            yield perhaps(node.child("dependentSchemas", name), has_it)
    if "if" in raw:
        yield _condition_cases(c, node, raw, inside)


def _condition_cases(
    c: Compiler,
    node: Located,
    raw: Mapping[str, object],
    inside: Callable[[Located], list[Case]],
) -> list[Case]:
    algebra = c.algebra
    condition = c.below(node, "if")
    consequences = inside(node.child("then")) if "then" in raw else [Case()]
    holds = [
        case.joined(then, algebra.both((condition, case.condition, then.condition)))
        for case in inside(node.child("if"))
        for then in consequences
    ]
    others = inside(node.child("else")) if "else" in raw else [Case()]
    fails = algebra.opposite(condition)
    return holds + [replace(x, condition=algebra.both((fails, x.condition))) for x in others]


def _listed(raw: Mapping[str, object], keyword: str) -> list[object]:
    written = raw.get(keyword)
    return written if isinstance(written, list) else []


def _own_properties(c: Compiler, node: Located, is_outermost: bool) -> Case:
    raw = c.keywords(node)
    inner_rest = not is_outermost and "unevaluatedProperties" in raw
    if inner_rest or "additionalProperties" in raw:
        return Case(everything=True)
    exact, patterns = raw.get("properties", {}), raw.get("patternProperties", {})
    if not isinstance(exact, dict) or not isinstance(patterns, dict):
        raise TypeError("not a mapping")
    if any(f.searcher(pattern) is None for pattern in patterns):
        raise ValueError("unreadable pattern")
    return Case(exact=frozenset(exact), patterns=frozenset(patterns))


def _own_items(c: Compiler, node: Located, is_outermost: bool) -> Case:
    raw = c.keywords(node)
    items = raw.get("items")
    has_all = items is not None and not isinstance(items, list)
    has_rest = "additionalItems" in raw and isinstance(items, list)
    if has_all or has_rest or (not is_outermost and "unevaluatedItems" in raw):
        return Case(everything=True)
    is_newest = node.document.dialect >= Dialect.DRAFT_2020_12
    prefix = len(_listed(raw, "prefixItems" if is_newest else "items"))
    matched: tuple[f.Formula, ...] = ()
    if is_newest and "contains" in raw:
        matched = (c.below(node, "contains"),)
    return Case(prefix=prefix, matched=matched)
