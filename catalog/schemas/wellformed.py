"""Say everything that keeps a document from being a schema that may be used here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import jsonschema_rs

from catalog.schemas.reading import (
    Dialect,
    Malformed,
    Problem,
    Resolve,
    Schema,
    dialect_of,
    every_schema,
    follow,
    pointer_to,
    read,
)
from catalog.schemas.sentences import problems_of
from catalog.schemas.validating import validator_for

MAX_PATTERN_LENGTH = 1000
# Schemas that one value is held against, counted with repeats: a chain of definitions that each
# name the next one twice would double the work at every step.
MAX_TOGETHER = 10_000
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_IN_PLACE = ("not", "if", "then", "else")
_META = {
    Dialect.DRAFT_2020_12: jsonschema_rs.Draft202012Validator(
        {"$ref": "https://json-schema.org/draft/2020-12/schema"}
    ),
    Dialect.DRAFT_07: jsonschema_rs.Draft7Validator(
        {"$ref": "http://json-schema.org/draft-07/schema#"}
    ),
}


def problems(document: str | bytes | Schema, *, resolve: Resolve | None = None) -> list[Problem]:
    """Return each problem as (pointer into the schema, sentence); empty for a well-formed schema.

    Checks: strict JSON within the ceilings; draft 2020-12 or draft-07 by its meta-schema; every
    `$ref` leads somewhere in the document or the catalog, and not in a circle; every pattern can
    be read.
    """
    try:
        schema = read(document)
    except Malformed as error:
        return list(error.problems)
    dialect = dialect_of(schema)
    if dialect is None:
        return [Problem("/$schema", f"must be {Dialect.DRAFT_2020_12} or {Dialect.DRAFT_07}#")]
    found = list(dict.fromkeys(problems_of(_META[dialect].iter_errors(schema))))
    found += _pattern_problems(schema)
    if found:
        return found
    found = list(_reference_problems(schema, resolve))
    return found or _compile_problems(schema, resolve)


def _pattern_problems(schema: Schema) -> Iterator[Problem]:
    for pointer, inner in every_schema(schema):
        if not isinstance(inner, Mapping):
            continue
        pattern = inner.get("pattern")
        if isinstance(pattern, str):
            yield from _pattern_problem(pattern, f"{pointer}/pattern")
        named = inner.get("patternProperties")
        for name in named if isinstance(named, Mapping) else ():
            at = pointer + pointer_to(["patternProperties", name])
            yield from _pattern_problem(name, at)


def _pattern_problem(pattern: str, pointer: str) -> Iterator[Problem]:
    if len(pattern) > MAX_PATTERN_LENGTH:
        yield Problem(pointer, f"is a pattern of more than {MAX_PATTERN_LENGTH} characters")
        return
    try:
        validator_for({"pattern": pattern})
    except Malformed:
        yield Problem(pointer, "is not a pattern that can be read, or it would grow too large")


def _reference_problems(schema: Schema, resolve: Resolve | None) -> Iterator[Problem]:
    for pointer, inner in every_schema(schema):
        reference = inner.get("$ref") if isinstance(inner, Mapping) else None
        if isinstance(reference, str) and follow(reference, schema, resolve=resolve) is None:
            yield Problem(
                f"{pointer}/$ref",
                "leads to nothing: refer to a part of this schema, or to one in the catalog",
            )


def _compile_problems(schema: Schema, resolve: Resolve | None) -> list[Problem]:
    try:
        _Together(schema, resolve).count(schema, schema, "")
        validator_for(schema, resolve=resolve)
    except Malformed as error:
        return list(error.problems)
    return []


class _Together:
    """Counts the schemas that apply to one and the same value, through references and branches."""

    def __init__(self, root: Schema, resolve: Resolve | None) -> None:
        self._resolve = resolve
        self._counts: dict[int, int] = {}
        self._open: set[int] = set()
        # What a catalog document was resolved to has to stay, or its identity could be reused.
        self._kept: list[Schema] = [root]

    def count(self, schema: Schema, root: Schema, pointer: str) -> None:
        """Visit every schema of the document. Raises `Malformed` for a circle or too many."""
        for at, inner in every_schema(schema):
            self._count(inner, root, pointer + at)

    def _count(self, schema: Schema, root: Schema, pointer: str) -> int:
        if not isinstance(schema, Mapping):
            return 1
        key = id(schema)
        if key in self._counts:
            return self._counts[key]
        if key in self._open:
            raise Malformed([Problem(pointer, "refers to itself without going into the data")])
        self._open.add(key)
        total = 1 + sum(
            self._count(inner, where, pointer) for inner, where in self._applied(schema, root)
        )
        self._open.discard(key)
        if total > MAX_TOGETHER:
            raise Malformed(
                [Problem(pointer, f"holds one value against more than {MAX_TOGETHER} schemas")]
            )
        self._counts[key] = total
        return total

    def _applied(
        self, schema: Mapping[str, object], root: Schema
    ) -> Iterator[tuple[Schema, Schema]]:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            found = follow(reference, root, resolve=self._resolve)
            if found is not None:
                self._kept += [found.schema, found.root]
                yield found.schema, found.root
        for inner in in_place(schema):
            yield inner, root


def in_place(schema: Mapping[str, object]) -> Iterator[Schema]:
    """Yield the schemas inside that apply, or may apply, to the same value (`$ref` left out)."""
    for keyword in _IN_PLACE_LISTS:
        branches = schema.get(keyword)
        if isinstance(branches, list):
            yield from (inner for inner in branches if isinstance(inner, Mapping | bool))
    for keyword in _IN_PLACE:
        inner = schema.get(keyword)
        if isinstance(inner, Mapping | bool):
            yield inner
    for keyword in ("dependentSchemas", "dependencies"):
        named = schema.get(keyword)
        if isinstance(named, Mapping):
            yield from (inner for inner in named.values() if isinstance(inner, Mapping | bool))
