"""Random schemas, changes of schemas, and documents, from a vocabulary small enough to collide."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "c", "x1", "x2")
PATTERNS = ("^x", "^[a-c]$", "1$", "a|b", "^x[0-9]+$", "^a*$")
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, 3, -1, 0.5, 1.0, "", "a", "b", "ab", "aa", "x1"),
    *([], [1], [1, 1], ["a"], {}, {"a": 1}, {"b": "a"}, {"a": "a", "b": 1}),
)
TYPES = ("string", "number", "integer", "object", "array", "boolean", "null")
IN_MAPPINGS = ("properties", "patternProperties", "dependentSchemas", "$defs")
NOT_SCHEMAS = ("enum", "const", "required", "type", "dependentRequired")

small = st.integers(0, 3)
bound = st.sampled_from([-1, 0, 0.5, 1, 1.5, 2, 5])
names = st.lists(st.sampled_from(NAMES), max_size=2, unique=True)

scalars: dict[str, st.SearchStrategy[Any]] = {
    "enum": st.lists(st.sampled_from(VALUES), min_size=1, max_size=4),
    "const": st.sampled_from(VALUES),
    "minLength": small,
    "maxLength": small,
    "pattern": st.sampled_from(PATTERNS),
    "format": st.sampled_from(["date", "ipv4", "email", "uuid"]),
    "minimum": bound,
    "maximum": bound,
    "exclusiveMinimum": bound,
    "exclusiveMaximum": bound,
    "multipleOf": st.sampled_from([1, 2, 3, 0.5, 1.5]),
    "minItems": small,
    "maxItems": small,
    "uniqueItems": st.just(True),
    "required": names,
    "minProperties": small,
    "maxProperties": small,
    "dependentRequired": st.dictionaries(st.sampled_from(NAMES), names, max_size=1),
}


def containers(inner: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Return the keywords that hold schemas."""
    several = st.lists(inner, min_size=1, max_size=3)
    return {
        "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
        "patternProperties": st.dictionaries(st.sampled_from(PATTERNS), inner, max_size=1),
        "additionalProperties": st.one_of(st.booleans(), inner),
        "propertyNames": inner,
        "dependentSchemas": st.dictionaries(st.sampled_from(NAMES), inner, max_size=1),
        "unevaluatedProperties": st.one_of(st.just(False), inner),
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "contains": inner,
        "minContains": small,
        "maxContains": small,
        "unevaluatedItems": st.one_of(st.just(False), inner),
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two"]),
    }


def objects(keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Return schemas with a type and a few of some keywords."""

    def with_some(chosen: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        kinds = st.sampled_from(TYPES)
        types = st.one_of(kinds, kinds, st.lists(kinds, min_size=1, max_size=3, unique=True))
        return st.fixed_dictionaries(
            {keyword: keywords[keyword] for keyword in chosen}, optional={"type": types}
        )

    chosen = st.lists(st.sampled_from(sorted(keywords)), max_size=4, unique=True)
    return chosen.flatmap(with_some)


schemas = st.recursive(
    st.one_of(st.booleans(), objects(scalars)),
    lambda inner: objects({**scalars, **containers(inner)}),
    max_leaves=6,
)


@st.composite
def documents_schemas(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a whole schema with the definitions that it may refer to."""
    schema = draw(schemas.filter(lambda one: isinstance(one, dict)))
    assert isinstance(schema, dict)
    return {**schema, "$defs": {"one": draw(schemas), "two": draw(objects(scalars))}}


Put = Callable[[Any], None]


def spots(schema: Any, put: Put) -> Iterator[tuple[Any, Put]]:
    """Yield each schema in a schema, with the way to replace it."""
    yield schema, put
    if not isinstance(schema, dict):
        return
    for keyword, value in list(schema.items()):
        if keyword in NOT_SCHEMAS:
            continue
        if keyword in IN_MAPPINGS:
            for name, inner in value.items():
                yield from spots(inner, partial(value.__setitem__, name))
        elif isinstance(value, dict):
            yield from spots(value, partial(schema.__setitem__, keyword))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from spots(inner, partial(value.__setitem__, index))


@st.composite
def changes(draw: st.DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    """Draw a schema that differs in one or two places, as a next version does."""
    holder = [copy.deepcopy(schema)]
    for _ in range(draw(st.integers(1, 2))):
        places = list(spots(holder[0], partial(holder.__setitem__, 0)))
        spot, put = draw(st.sampled_from(places))
        kept = sorted(key for key in spot if key != "$defs") if isinstance(spot, dict) else []
        way = draw(st.sampled_from(["drop", "add", "replace"]))
        if way == "drop" and kept:
            del spot[draw(st.sampled_from(kept))]
        elif way == "add" and isinstance(spot, dict):
            addition = draw(objects(scalars))
            spot.update(addition)
        elif spot is not holder[0]:
            put(draw(objects(scalars)))
    return holder[0]


documents = st.recursive(
    st.sampled_from(VALUES),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3), st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)
