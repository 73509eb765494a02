"""Many schemas in one document: each under a name of its own, every reference led there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from catalog.schemas.reading import (
    NAMED_SCHEMAS,
    NOT_SCHEMAS,
    Dialect,
    Resolve,
    Schema,
    dialect_of,
    escape,
    follow,
)
from catalog.schemas.validating import outer_references

# They would move the place that references start from, or name a draft that the whole is not in.
_DROPPED = frozenset(("$id", "$schema", "$anchor", "$dynamicAnchor"))


class Bundle:
    """`schemas` by name, as they stand at `place`, a reference such as `#/components/schemas`."""

    def __init__(self, resolve: Resolve | None, *, place: str) -> None:
        self.schemas: dict[str, Any] = {}
        self._place = place
        self._resolve = lru_cache(maxsize=None)(resolve) if resolve else None
        self._names: dict[int, str] = {}
        self._kept: list[Schema] = []  # an identity must not be used again while it is a key

    def add(self, name: str, schema: Schema) -> str:
        """Add a schema and all that it draws in; return the reference to it."""
        if id(schema) in self._names:
            return self._at(self._names[id(schema)], "")
        self._names[id(schema)] = name
        self._kept.append(schema)
        self.schemas[name] = {}  # its place, for what refers back to it
        self.schemas[name] = self._rewritten(schema, schema)
        return self._at(name, "")

    def _rewritten(self, node: object, root: Schema) -> Any:
        if not isinstance(node, Mapping):
            return node
        made: dict[str, Any] = {}
        for keyword, value in node.items():
            if keyword in _DROPPED:
                continue
            if keyword in ("$ref", "$dynamicRef") and isinstance(value, str):
                made["$ref"] = self._led(value, root)
            elif keyword in NOT_SCHEMAS or keyword.startswith("x-"):
                made[keyword] = value
            elif isinstance(value, Mapping) and keyword in NAMED_SCHEMAS:
                made[keyword] = {key: self._rewritten(one, root) for key, one in value.items()}
            elif isinstance(value, list):
                made[keyword] = [self._rewritten(one, root) for one in value]
            else:
                made[keyword] = self._rewritten(value, root)
        return made

    def _led(self, reference: str, root: Schema) -> str:
        found = follow(reference, root, resolve=self._resolve)
        if found is None:
            return reference
        if id(found.root) not in self._names:
            self.add(f"shared.{len(self.schemas)}", found.root)
        return self._at(self._names[id(found.root)], found.pointer)

    def _at(self, name: str, pointer: str) -> str:
        return f"{self._place}/{escape(name)}{pointer}"


def self_contained(schema: Schema, *, resolve: Resolve) -> Schema:
    """Return a schema that accepts the same and draws on nothing outside itself.

    One without outer references is returned as it is. What it draws on is read in its own draft.
    """
    if isinstance(schema, bool) or not any(True for _uri in outer_references(schema)):
        return schema
    dialect = dialect_of(schema) or Dialect.DRAFT_2020_12
    keyword = "definitions" if dialect is Dialect.DRAFT_07 else "$defs"
    bundle = Bundle(resolve, place=f"#/{keyword}")
    reference = bundle.add("contract", schema)
    return {"$schema": str(dialect), "$ref": reference, keyword: bundle.schemas}
