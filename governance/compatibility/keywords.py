"""What each keyword asks, as formulas: one reader a keyword.

Keywords are read as the declared draft reads them; what a draft does not know constrains nothing.
A reader raises for what is malformed, and the caller then treats the keyword as unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from governance.compatibility import apartness, automata, formats, unevaluated
from governance.compatibility import formulas as f
from governance.compatibility.algebra import ALWAYS, Algebra
from governance.compatibility.documents import Dialect, Located
from governance.compatibility.formulas import Names
from governance.compatibility.values import JsonType, exact, identity

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler

LARGEST_ONE_OF = 40  # its opposite needs each pair of alternatives


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


READERS: dict[str, Reader] = {}


def reads(
    *keywords: str,
    first: Dialect = Dialect.DRAFT_04,
    last: Dialect = Dialect.DRAFT_2020_12,
) -> Callable[[Read], Read]:
    """Register the reader of some keywords."""

    def register(read: Read) -> Read:
        for keyword in keywords:
            READERS[keyword] = Reader(read, first, last)
        return read

    return register


def whole(value: object) -> int:
    """Return a count as written (``2`` or ``2.0``); raise ``ValueError`` for anything else."""
    number = exact(value)
    if isinstance(value, bool) or number.denominator != 1 or number < 0:
        raise ValueError(f"not a count: {value!r}")
    return number.numerator


def type_formula(algebra: Algebra, name: object) -> f.Formula:
    """Return the formula of one type name."""
    if name == "integer":
        kinds = algebra.of_type((JsonType.NUMBER,))
        return algebra.both((kinds, algebra.make(f.MultipleOf, exact(1))))
    if name == "any":  # draft-03, still met in the wild
        return ALWAYS
    return algebra.of_type((JsonType(str(name)),))


@reads("type")
def read_type(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``type``: a name or a list of names."""
    written = raw["type"]
    names = written if isinstance(written, list) else [written]
    kinds = c.algebra.either(type_formula(c.algebra, name) for name in names)
    yield Part(keyword="type", formula=kinds)


@reads("enum")
def read_enum(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``enum``."""
    values = raw["enum"]
    if not isinstance(values, list):
        raise TypeError("enum is not a list")
    yield Part(keyword="enum", formula=c.algebra.any_of_values(values))


@reads("const", first=Dialect.DRAFT_06)
def read_const(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``const``."""
    yield Part(keyword="const", formula=c.algebra.any_of_values([raw["const"]]))


def is_made_strict(node: Located, raw: Raw, keyword: str) -> bool:
    """Return whether draft-04's boolean flag makes a bound strict."""
    flag = raw.get(keyword, False)
    is_flag = node.document.dialect is Dialect.DRAFT_04
    if is_flag is not isinstance(flag, bool) and keyword in raw:
        raise ValueError(f"{keyword} is of another draft")
    return flag is True


@reads("minimum")
def read_minimum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``minimum``."""
    strict = is_made_strict(node, raw, "exclusiveMinimum")
    yield Part(keyword="minimum", formula=c.algebra.make(f.AtLeast, exact(raw["minimum"]), strict))


@reads("maximum")
def read_maximum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``maximum``."""
    strict = is_made_strict(node, raw, "exclusiveMaximum")
    yield Part(keyword="maximum", formula=c.algebra.make(f.AtMost, exact(raw["maximum"]), strict))


@reads("exclusiveMinimum")
def read_exclusive_minimum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read the numeric ``exclusiveMinimum``; the boolean one is part of ``minimum``."""
    is_made_strict(node, raw, "exclusiveMinimum")
    bound = raw["exclusiveMinimum"]
    if not isinstance(bound, bool):
        formula = c.algebra.make(f.AtLeast, exact(bound), True)
        yield Part(keyword="exclusiveMinimum", formula=formula)


@reads("exclusiveMaximum")
def read_exclusive_maximum(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read the numeric ``exclusiveMaximum``; the boolean one is part of ``maximum``."""
    is_made_strict(node, raw, "exclusiveMaximum")
    bound = raw["exclusiveMaximum"]
    if not isinstance(bound, bool):
        formula = c.algebra.make(f.AtMost, exact(bound), True)
        yield Part(keyword="exclusiveMaximum", formula=formula)


@reads("multipleOf")
def read_multiple_of(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``multipleOf``; a divisor that is not positive is malformed."""
    divisor = exact(raw["multipleOf"])
    if divisor <= 0:
        raise ValueError("multipleOf must be positive")
    yield Part(keyword="multipleOf", formula=c.algebra.make(f.MultipleOf, divisor, False))


COUNTS: dict[str, tuple[type[f.Length | f.ItemCount | f.PropertyCount], bool]] = {
    "minLength": (f.Length, True),
    "maxLength": (f.Length, False),
    "minItems": (f.ItemCount, True),
    "maxItems": (f.ItemCount, False),
    "minProperties": (f.PropertyCount, True),
    "maxProperties": (f.PropertyCount, False),
}


def read_count(keyword: str) -> Read:
    """Return the reader of one bound on a length or count."""
    kind, is_lower = COUNTS[keyword]

    def read(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
        count = whole(raw[keyword])
        least, most = (count, None) if is_lower else (0, count)
        formula = ALWAYS if is_lower and count == 0 else c.algebra.make(kind, least, most)
        yield Part(keyword=keyword, formula=formula)

    return read


for _keyword in COUNTS:
    reads(_keyword)(read_count(_keyword))


@reads("pattern")
def read_pattern(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``pattern``: one that is found in every text (``[a-z]*``) is a remark.

    Validators refuse nothing for it; whoever wrote it meant the whole text to be like this.
    """
    pattern = raw["pattern"]
    if not isinstance(pattern, str):
        raise TypeError("pattern is not a string")
    formula: f.Formula = c.algebra.make(f.Matches, pattern, False)
    if automata.is_found_everywhere(pattern):
        meant = c.algebra.make(f.Matches, f"^(?:{pattern})$", False)
        formula = c.algebra.make(f.Remark, "pattern", pattern, JsonType.STRING, meant)
    yield Part(keyword="pattern", formula=formula)


@reads("format")
def read_format(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``format``: asserted if this draft's checker knows the name, else a remark."""
    name = raw["format"]
    if isinstance(name, str) and formats.is_asserted(name, node.document.dialect):
        yield Part(keyword="format", formula=c.algebra.make(f.HasFormat, name, False))


def read_remark(keyword: str) -> Read:
    """Return the reader of how a text carries other content: unchecked, yet readers rely on it."""

    def read(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
        written = raw[keyword]
        if isinstance(written, str):
            formula = c.algebra.make(f.Remark, keyword, written, JsonType.STRING, None)
            yield Part(keyword=keyword, formula=formula)

    return read


for _keyword in ("contentEncoding", "contentMediaType"):
    reads(_keyword, first=Dialect.DRAFT_07)(read_remark(_keyword))


@reads("required")
def read_required(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``required``, one part a name (draft-03's boolean form asks nothing here)."""
    names = raw["required"]
    if not isinstance(names, list | bool):
        raise TypeError("required is not a list")
    if isinstance(names, list):
        for name in names:
            yield Part(keyword="required", detail=name, formula=c.algebra.make(f.Has, name))


@reads("properties")
def read_properties(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``properties``, one part a name."""
    for name in as_mapping(raw["properties"]):
        inner = c.below(node, "properties", name)
        names = Names(frozenset((name,)))
        yield Part(keyword="properties", detail=name, formula=c.algebra.each_property(names, inner))


@reads("patternProperties")
def read_pattern_properties(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``patternProperties``, one part a pattern."""
    for pattern in as_mapping(raw["patternProperties"]):
        check_readable(pattern)
        inner = c.below(node, "patternProperties", pattern)
        names = Names(patterns=frozenset((pattern,)))
        formula = c.algebra.each_property(names, inner)
        yield Part(keyword="patternProperties", detail=pattern, formula=formula)


@reads("additionalProperties")
def read_additional_properties(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``additionalProperties``: it speaks of all names that its neighbours do not."""
    inner = c.below(node, "additionalProperties")
    formula = c.algebra.each_property(additional_names(raw), inner)
    yield Part(keyword="additionalProperties", formula=formula)


def additional_names(raw: Raw) -> Names:
    """Return the names that neither ``properties`` nor ``patternProperties`` covers."""
    patterns = as_mapping(raw.get("patternProperties", {}))
    for pattern in patterns:
        check_readable(pattern)
    exact_names = frozenset(as_mapping(raw.get("properties", {})))
    return Names(exact_names, frozenset(patterns), others=True)


def check_readable(pattern: str) -> None:
    """Raise ``ValueError`` for a pattern that Python cannot read."""
    if f.searcher(pattern) is None:
        raise ValueError(f"unreadable pattern: {pattern!r}")


def as_mapping(value: object) -> Mapping[str, object]:
    """Return a mapping as such; raise ``TypeError`` for anything else."""
    if not isinstance(value, dict):
        raise TypeError("not a mapping")
    return value


@reads("propertyNames", first=Dialect.DRAFT_06)
def read_property_names(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``propertyNames``."""
    inner = c.below(node, "propertyNames")
    yield Part(keyword="propertyNames", formula=c.algebra.make(f.EachName, inner))


def dependency(c: Compiler, name: str, consequence: f.Formula) -> f.Formula:
    """Return the formula: if the property is there, the consequence holds."""
    return c.algebra.either((c.algebra.lacks(name), consequence))


@reads("dependentRequired", first=Dialect.DRAFT_2019_09)
def read_dependent_required(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``dependentRequired``, one part a trigger."""
    for name, needed in as_mapping(raw["dependentRequired"]).items():
        yield require_together(c, "dependentRequired", name, needed)


def require_together(c: Compiler, keyword: str, name: str, needed: object) -> Part:
    """Return the part for a property that needs others beside it."""
    if not isinstance(needed, list):
        raise TypeError("not a list of names")
    all_there = c.algebra.both(c.algebra.make(f.Has, other) for other in needed)
    return Part(keyword=keyword, detail=name, formula=dependency(c, name, all_there))


@reads("dependentSchemas", first=Dialect.DRAFT_2019_09)
def read_dependent_schemas(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``dependentSchemas``, one part a trigger."""
    for name in as_mapping(raw["dependentSchemas"]):
        formula = dependency(c, name, c.below(node, "dependentSchemas", name))
        yield Part(keyword="dependentSchemas", detail=name, formula=formula)


@reads("dependencies", last=Dialect.DRAFT_07)
def read_dependencies(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read draft-07's ``dependencies``: names, or a schema, one part a trigger."""
    for name, needed in as_mapping(raw["dependencies"]).items():
        if isinstance(needed, str):
            needed = [needed]  # noqa: PLW2901  draft-03's short form
        if isinstance(needed, list):
            yield require_together(c, "dependencies", name, needed)
        else:
            formula = dependency(c, name, c.below(node, "dependencies", name))
            yield Part(keyword="dependencies", detail=name, formula=formula)


def prefix_length(node: Located, raw: Raw) -> int:
    """Return how many leading entries have a schema of their own."""
    keyword = "prefixItems" if node.document.dialect >= Dialect.DRAFT_2020_12 else "items"
    prefix = raw.get(keyword)
    return len(prefix) if isinstance(prefix, list) else 0


def read_prefix(c: Compiler, node: Located, keyword: str, prefix: list[object]) -> Iterator[Part]:
    """Yield one part for each leading entry."""
    for index in range(len(prefix)):
        formula = c.algebra.each_item(index, index + 1, c.below(node, keyword, index))
        yield Part(keyword=keyword, detail=str(index), formula=formula)


@reads("items")
def read_items(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``items``: the older list form, or all entries after the prefix."""
    items = raw["items"]
    if isinstance(items, list):
        if node.document.dialect >= Dialect.DRAFT_2020_12:
            raise TypeError("2020-12 has no list form of items")
        yield from read_prefix(c, node, "items", items)
    else:
        start = prefix_length(node, raw)
        formula = c.algebra.each_item(start, None, c.below(node, "items"))
        yield Part(keyword="items", formula=formula)


@reads("prefixItems", first=Dialect.DRAFT_2020_12)
def read_prefix_items(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``prefixItems``, one part an entry."""
    prefix = raw["prefixItems"]
    if not isinstance(prefix, list):
        raise TypeError("prefixItems is not a list")
    yield from read_prefix(c, node, "prefixItems", prefix)


@reads("additionalItems", last=Dialect.DRAFT_2019_09)
def read_additional_items(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``additionalItems``: it counts only beside the list form of ``items``.

    Without any ``items`` validators must ignore it, and some do not: there it is a remark.
    """
    if isinstance(raw.get("items"), list):
        start = prefix_length(node, raw)
        formula = c.algebra.each_item(start, None, c.below(node, "additionalItems"))
        yield Part(keyword="additionalItems", formula=formula)
    elif "items" not in raw:
        meant = c.algebra.each_item(0, None, c.below(node, "additionalItems"))
        if meant is not ALWAYS:
            written = identity(raw["additionalItems"])
            formula = c.algebra.make(f.Remark, "additionalItems", written, JsonType.ARRAY, meant)
            yield Part(keyword="additionalItems", formula=formula)


@reads("contains", first=Dialect.DRAFT_06)
def read_contains(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``contains`` with its bounds."""
    least, most = 1, None
    if node.document.dialect >= Dialect.DRAFT_2019_09:
        least = whole(raw.get("minContains", 1))
        most = whole(raw["maxContains"]) if "maxContains" in raw else None
    if least == 0 and most is None:
        return
    inner = c.below(node, "contains")
    yield Part(keyword="contains", formula=c.algebra.make(f.Counted, inner, least, most))


@reads("uniqueItems")
def read_unique_items(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``uniqueItems``."""
    if raw["uniqueItems"] is True:
        yield Part(keyword="uniqueItems", formula=c.algebra.make(f.Distinct, False))


def alternatives(c: Compiler, node: Located, keyword: str, raw: Raw) -> list[f.Formula]:
    """Return the formulas of a list of schemas."""
    written = raw[keyword]
    if not isinstance(written, list):
        raise TypeError(f"{keyword} is not a list")
    return [c.below(node, keyword, index) for index in range(len(written))]


@reads("allOf")
def read_all_of(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``allOf``, one part a schema."""
    for index, formula in enumerate(alternatives(c, node, "allOf", raw)):
        yield Part(keyword="allOf", detail=str(index), formula=formula)


@reads("anyOf")
def read_any_of(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``anyOf``."""
    formula = c.algebra.either(alternatives(c, node, "anyOf", raw))
    yield Part(keyword="anyOf", formula=formula)


@reads("oneOf")
def read_one_of(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``oneOf``: one holds at least, and of each pair one does not."""
    choices = alternatives(c, node, "oneOf", raw)
    if len(choices) > LARGEST_ONE_OF:
        raise ValueError("too many alternatives")
    algebra = c.algebra
    signatures = [
        apartness.signature(c, node.child("oneOf", index)) for index in range(len(choices))
    ]
    parts = [algebra.either(choices)]
    for (one, left), (other, right) in combinations(zip(choices, signatures, strict=True), 2):
        if not left.excludes(right):
            parts.append(algebra.either((algebra.opposite(one), algebra.opposite(other))))
    yield Part(keyword="oneOf", formula=algebra.both(parts))


@reads("not")
def read_not(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``not``."""
    yield Part(keyword="not", formula=c.algebra.opposite(c.below(node, "not")))


@reads("if", first=Dialect.DRAFT_07)
def read_condition(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``if``, ``then`` and ``else``."""
    condition = c.below(node, "if")
    algebra = c.algebra
    if "then" in raw:
        formula = algebra.either((algebra.opposite(condition), c.below(node, "then")))
        yield Part(keyword="if", detail="then", formula=formula)
    if "else" in raw:
        formula = algebra.either((condition, c.below(node, "else")))
        yield Part(keyword="if", detail="else", formula=formula)


@reads("$ref")
def read_ref(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``$ref``."""
    yield Part(keyword="$ref", formula=c.reference(node, "$ref"))


@reads("$dynamicRef", first=Dialect.DRAFT_2020_12)
def read_dynamic_ref(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``$dynamicRef`` where only one schema can be meant."""
    if "$ref" in raw:
        raise ValueError("both references at one place")
    yield Part(keyword="$dynamicRef", formula=c.reference(node, "$dynamicRef"))


@reads("$recursiveRef", first=Dialect.DRAFT_2019_09, last=Dialect.DRAFT_2019_09)
def read_recursive_ref(c: Compiler, node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``$recursiveRef`` where no schema asks for another start."""
    if "$ref" in raw:
        raise ValueError("both references at one place")
    yield Part(keyword="$recursiveRef", formula=c.reference(node, "$recursiveRef"))


@reads("unevaluatedProperties", first=Dialect.DRAFT_2019_09)
def read_unevaluated_properties(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``unevaluatedProperties``."""
    formula = unevaluated.properties_formula(c, node)
    yield Part(keyword="unevaluatedProperties", formula=formula)


@reads("unevaluatedItems", first=Dialect.DRAFT_2019_09)
def read_unevaluated_items(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``unevaluatedItems``."""
    formula = unevaluated.items_formula(c, node)
    yield Part(keyword="unevaluatedItems", formula=formula)
