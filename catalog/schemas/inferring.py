"""Guess a schema from example events, for a person to go on from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from genson import SchemaBuilder

from catalog.schemas.fieldtable import spoken
from catalog.schemas.reading import Dialect

_FORMATS = (
    ("date-time", re.compile(r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")),
    ("date", re.compile(r"^\d{4}-\d\d-\d\d$")),
    ("uuid", re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)),
    ("email", re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")),
    ("uri", re.compile(r"^https?://\S+$")),
)
_PERSONAL = re.compile(
    r"(e_?mail|phone|mobile|(first|last|full|sur)_?name|street|address|birth|iban)", re.IGNORECASE
)


def looks_personal(name: str) -> bool:
    """Tell whether a field's name speaks of a person."""
    return _PERSONAL.search(name) is not None


def infer(samples: Sequence[object]) -> dict[str, Any]:
    """Return a schema that every sample keeps: types, what is always there, formats, examples.

    Fields whose name or form speaks of a person are marked `x-sensitive`, and get no example.
    Without samples it is an object that may hold anything.
    """
    builder = SchemaBuilder(schema_uri=str(Dialect.DRAFT_2020_12))
    for one in samples:
        builder.add_object(one)
    schema = builder.to_schema()
    if not samples:
        schema["type"] = "object"
    _decorate(schema, list(samples), "")
    return dict(schema)


def _decorate(node: dict[str, Any], values: list[object], name: str) -> None:
    """Add what the builder does not see, from the values that stood at this place."""
    for branch in node.get("anyOf", ()):
        _decorate(branch, [value for value in values if _fits(branch, value)], name)
    named = node.get("properties")
    if isinstance(named, dict):
        objects = [value for value in values if isinstance(value, Mapping)]
        node["properties"] = _in_order(named, objects)
        for inner_name, inner in named.items():
            inside = [value[inner_name] for value in objects if inner_name in value]
            _decorate(inner, inside, inner_name)
            inner.setdefault("title", spoken(inner_name))
        node["additionalProperties"] = True  # samples never show all that may come along
    items = node.get("items")
    if isinstance(items, dict):
        _decorate(
            items, [one for value in values if isinstance(value, list) for one in value], name
        )
    if values and not any(isinstance(value, Mapping | list) for value in values):
        _decorate_scalar(node, values, name)


def _decorate_scalar(node: dict[str, Any], values: list[object], name: str) -> None:
    texts = [value for value in values if isinstance(value, str)]
    form = next((f for f, seen in _FORMATS if texts and all(map(seen.match, texts))), None)
    if form is not None and node.get("type") == "string":
        node["format"] = form
    if looks_personal(name) or form == "email":
        node["x-sensitive"] = "personal"
    elif name and values[0] is not None:
        node["examples"] = [values[0]]


def _in_order(named: dict[str, Any], objects: list[Mapping[str, object]]) -> dict[str, Any]:
    """Return the properties in the order in which the samples have them."""
    seen = dict.fromkeys(name for one in objects for name in one)
    return {name: named[name] for name in seen if name in named}


def _fits(branch: Mapping[str, Any], value: object) -> bool:
    is_inside = isinstance(value, Mapping | list)
    return is_inside == (branch.get("type") in ("object", "array"))
