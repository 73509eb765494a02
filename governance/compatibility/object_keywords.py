"""What the keywords ask that speak of the properties of an object.

One reader a keyword, as the declared draft reads it; see ``keywords``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from governance.compatibility import formulas as f
from governance.compatibility import unevaluated
from governance.compatibility.documents import Dialect, Located
from governance.compatibility.formulas import Names
from governance.compatibility.keywords import Part, Raw, Readers, as_mapping, as_names

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler

READERS = Readers()
reads = READERS.reads


@reads("required")
def read_required(c: Compiler, _node: Located, raw: Raw) -> Iterator[Part]:
    """Read ``required``, one part a name (draft-03's boolean form asks nothing here)."""
    names = raw["required"]
    if not isinstance(names, bool):
        for name in as_names(names):
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
    all_there = c.algebra.both(c.algebra.make(f.Has, other) for other in as_names(needed))
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


@reads("unevaluatedProperties", first=Dialect.DRAFT_2019_09)
def read_unevaluated_properties(c: Compiler, node: Located, _raw: Raw) -> Iterator[Part]:
    """Read ``unevaluatedProperties``."""
    formula = unevaluated.properties_formula(c, node)
    yield Part(keyword="unevaluatedProperties", formula=formula)
