"""A schema as rows that a person edits, and back, without losing what the rows cannot show.

`to_rows` shows each property that is written in the document itself. `apply_rows` changes only what
differs from that: an unchanged row leaves its schema untouched, keyword by keyword. What a row
cannot say (a reference, a choice of types) is shown as `OTHER` and kept.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from catalog.schemas.reading import Problem, Schema, escape, read

_MAX_LEVELS = 16
_Node: TypeAlias = dict[str, Any]


class RowKind(StrEnum):
    """The types that the editor offers."""

    TEXT = "text"
    DATE_TIME = "date-time"
    DATE = "date"
    EMAIL = "email"
    ADDRESS = "uri"
    IDENTIFIER = "uuid"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    OBJECT = "object"
    LIST = "list"
    OTHER = "other"


_FORMATS = frozenset(
    {RowKind.DATE_TIME, RowKind.DATE, RowKind.EMAIL, RowKind.ADDRESS, RowKind.IDENTIFIER}
)
_TYPES = {
    RowKind.TEXT: "string",
    RowKind.NUMBER: "number",
    RowKind.INTEGER: "integer",
    RowKind.BOOLEAN: "boolean",
    RowKind.OBJECT: "object",
    RowKind.LIST: "array",
    **dict.fromkeys(_FORMATS, "string"),
}
# Keywords that say something of one JSON type only: without effect once the type is another.
_OF_TYPE = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "object": ("properties", "required", "additionalProperties", "patternProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
}
_OF_TYPE["integer"] = _OF_TYPE["number"]
# More than a type says what such a schema accepts: it is shown and kept, not edited.
_NOT_ROWS = ("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "const")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One field. `key` is its pointer in the document, or any new text for a new row.

    `parent` is the key of the row that it stands in, "" for the top; what stands in a list of
    objects has the list as its parent. `entry` is the kind of a list's entries. `allowed` and
    `example` are JSON values; the example counts only if `has_example`. `sensitive` is the data
    class, "" for none; `is_searchable`: events are found by its values.
    """

    key: str
    parent: str = ""
    name: str
    kind: RowKind
    entry: RowKind | None = None
    title: str = ""
    meaning: str = ""
    is_required: bool = False
    is_nullable: bool = False
    allowed: tuple[object, ...] = ()
    has_example: bool = False
    example: object = None
    sensitive: str = ""
    is_searchable: bool = False


class Unfit(ValueError):
    """The rows do not make a schema: show each problem at its row (`pointer` is the row's key)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


def to_rows(document: str | bytes | Schema) -> list[Row]:
    """Return a row for each property written in the document, what stands in it right below."""
    schema = read(document)
    return list(_rows(schema, "", "", 0)) if isinstance(schema, Mapping) else []


def _rows(node: Mapping[str, Any], pointer: str, parent: str, level: int) -> Iterator[Row]:
    named = node.get("properties")
    required = node.get("required")
    names = required if isinstance(required, list) else []
    for name, inner in named.items() if isinstance(named, Mapping) else ():
        key = f"{pointer}/properties/{escape(name)}"
        row = _row(key, parent, name, inner, is_required=name in names)
        yield row
        if level < _MAX_LEVELS and row.kind in (RowKind.OBJECT, RowKind.LIST):
            inside, at = _inside(inner, key)
            yield from _rows(inside, at, key, level + 1)


def _inside(node: Mapping[str, Any], pointer: str) -> tuple[Mapping[str, Any], str]:
    """Return the object whose properties are the rows below: of a list, its entries' schema."""
    items = node.get("items")
    if _kind(node) is RowKind.LIST and isinstance(items, Mapping):
        return (items, f"{pointer}/items") if _kind(items) is RowKind.OBJECT else ({}, pointer)
    return (node, pointer) if _kind(node) is RowKind.OBJECT else ({}, pointer)


def _row(key: str, parent: str, name: str, inner: object, *, is_required: bool) -> Row:
    kind = _kind(inner)
    if not isinstance(inner, Mapping):
        return Row(key=key, parent=parent, name=name, kind=kind, is_required=is_required)
    examples = inner.get("examples")
    has_example = isinstance(examples, list) and bool(examples)
    allowed = inner.get("enum")
    marked = inner.get("x-sensitive")
    return Row(
        key=key,
        parent=parent,
        name=name,
        kind=kind,
        entry=_kind(inner.get("items", True)) if kind is RowKind.LIST else None,
        title=_text(inner, "title"),
        meaning=_text(inner, "description"),
        is_required=is_required,
        is_nullable=isinstance(inner.get("type"), list) and "null" in inner["type"],
        allowed=tuple(allowed) if isinstance(allowed, list) else (),
        has_example=has_example,
        example=examples[0] if isinstance(examples, list) and has_example else None,
        sensitive=marked if isinstance(marked, str) else "personal" if marked else "",
        is_searchable=inner.get("x-searchable") is True,
    )


def _kind(node: object) -> RowKind:
    if not isinstance(node, Mapping) or any(keyword in node for keyword in _NOT_ROWS):
        return RowKind.OTHER
    named = node.get("type")
    types = [one for one in named if one != "null"] if isinstance(named, list) else [named]
    if named is None and "properties" in node:
        return RowKind.OBJECT
    if types == ["string"]:
        form = node.get("format")
        return RowKind(form) if isinstance(form, str) and form in _FORMATS else RowKind.TEXT
    found = [kind for kind, name in _TYPES.items() if types == [name]]
    return found[0] if found else RowKind.OTHER


def _text(node: Mapping[str, Any], keyword: str) -> str:
    value = node.get(keyword)
    return value if isinstance(value, str) else ""


def apply_rows(document: str | bytes | Schema, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the schema that the rows now say, in their order; a row that is gone is removed.

    Raises `Unfit` for names that are empty or twice in one place, and parents that do not exist.
    """
    schema = read(document)
    base: _Node = copy.deepcopy(dict(schema)) if isinstance(schema, Mapping) else {}
    problems = list(_problems(rows))
    if problems:
        raise Unfit(problems)
    _Editor(base, rows).rebuild(base, "")
    if rows and "type" not in base and not (isinstance(schema, Mapping) and to_rows(schema)):
        base["type"] = "object"  # the first fields make it an object; an older schema says itself
    return base


def _problems(rows: Sequence[Row]) -> Iterator[Problem]:
    keys = {row.key for row in rows}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if not row.name.strip():
            yield Problem(row.key, "Give the field a name.")
        if (row.parent, row.name) in seen:
            yield Problem(row.key, f"“{row.name}” stands here twice.")
        if row.parent and row.parent not in keys:
            yield Problem(row.key, f"What “{row.name}” stands in is gone.")
        seen.add((row.parent, row.name))


class _Editor:
    """Carries rows into a document that holds what they were made from."""

    def __init__(self, base: _Node, rows: Sequence[Row]) -> None:
        self.before = {row.key: row for row in to_rows(base)}
        self.below: dict[str, list[Row]] = {}
        for row in rows:
            self.below.setdefault(row.parent, []).append(row)

    def rebuild(self, node: _Node, key: str) -> None:
        """Write the rows below `key` into the object schema `node`."""
        rows = self.below.get(key, [])
        old = node.get("properties")
        old = old if isinstance(old, dict) else {}
        new: _Node = {}
        for row in rows:
            was = self.before.get(row.key)
            is_here = was is not None and was.parent == key and was.name in old
            inner = old[was.name] if was is not None and is_here else {}
            new[row.name] = self._edited(row, was if is_here else None, inner)
        if new or "properties" in node:
            node["properties"] = new
        _write_required(node, rows, {k: r.name for k, r in self.before.items() if r.parent == key})

    def _edited(self, row: Row, was: Row | None, inner: Any) -> Any:
        if was is not None and not isinstance(inner, dict):
            return inner
        node: _Node = inner
        if was is None or (row.kind, row.entry) != (was.kind, was.entry):
            _write_kind(node, row, was)
        if was is None or row.is_nullable != was.is_nullable:
            _write_nullable(node, is_nullable=row.is_nullable)
        for keyword, attribute in (("title", "title"), ("description", "meaning")):
            value = getattr(row, attribute)
            if value != (getattr(was, attribute) if was else ""):
                _set_or_drop(node, keyword, value or None)
        if _json(row.allowed) != _json(was.allowed if was else ()):
            _set_or_drop(node, "enum", list(row.allowed) or None)
        _write_example(node, row, was)
        if row.sensitive != (was.sensitive if was else ""):
            _set_or_drop(node, "x-sensitive", row.sensitive or None)
        if row.is_searchable != (was.is_searchable if was else False):
            _set_or_drop(node, "x-searchable", row.is_searchable or None)
        if row.kind is not RowKind.OTHER:
            self._rebuild_below(node, row)
        return node

    def _rebuild_below(self, node: _Node, row: Row) -> None:
        inside, _pointer = _inside(node, "")
        is_place = row.kind is RowKind.OBJECT or (row.kind is RowKind.LIST and inside is not node)
        if is_place and isinstance(inside, dict) and (inside or self.below.get(row.key)):
            self.rebuild(inside, row.key)


def _write_required(node: _Node, rows: Sequence[Row], before: Mapping[str, str]) -> None:
    listed = node.get("required")
    old: list[Any] = listed if isinstance(listed, list) else []
    renamed = {before[row.key]: row for row in rows if row.key in before}
    new: list[Any] = []
    for name in old:
        row = renamed.get(name) if isinstance(name, str) else None
        if row is not None:
            new += [row.name] if row.is_required else []
        elif name not in before.values():
            new.append(name)  # required, but not described: the rows do not show it
    new += [row.name for row in rows if row.is_required and row.name not in new]
    if new or "required" in node:
        node["required"] = new
    if not new and old:
        del node["required"]


def _write_kind(node: _Node, row: Row, was: Row | None) -> None:
    if row.kind is RowKind.OTHER:
        return
    if was is None or row.kind is not was.kind:
        wanted = _TYPES[row.kind]
        old = _TYPES.get(was.kind) if was else None
        if old is not None and old != wanted:
            for keyword in set(_OF_TYPE.get(old, ())) - set(_OF_TYPE.get(wanted, ())):
                node.pop(keyword, None)
        for keyword in _NOT_ROWS:
            node.pop(keyword, None)
        node["type"] = [wanted, "null"] if isinstance(node.get("type"), list) else wanted
        _set_or_drop(node, "format", str(row.kind) if row.kind in _FORMATS else None)
        if row.kind is RowKind.OBJECT:
            node.setdefault("additionalProperties", True)  # said, so that no tool closes it
    if row.kind is RowKind.LIST and row.entry not in (None, RowKind.OTHER):
        items = node.get("items")
        entry = items if isinstance(items, dict) and was is not None else {}
        if row.entry is not None:
            _write_kind(entry, Row(key="", name="", kind=row.entry), None)
        node["items"] = entry


def _write_nullable(node: _Node, *, is_nullable: bool) -> None:
    named = node.get("type")
    types = list(named) if isinstance(named, list) else [named] if isinstance(named, str) else []
    if is_nullable and types and "null" not in types:
        node["type"] = [*types, "null"]
    elif not is_nullable and "null" in types:
        rest = [one for one in types if one != "null"]
        node["type"] = rest[0] if len(rest) == 1 else rest


def _write_example(node: _Node, row: Row, was: Row | None) -> None:
    now = (row.has_example, row.example if row.has_example else None)
    before = (was.has_example, was.example) if was else (False, None)
    if _json(now) == _json(before):
        return
    listed = node.get("examples")
    rest = listed[1:] if isinstance(listed, list) else []
    first = [row.example] if row.has_example else []
    _set_or_drop(node, "examples", [*first, *rest] or None)


def _set_or_drop(node: _Node, keyword: str, value: object) -> None:
    if value is None:
        node.pop(keyword, None)
    else:
        node[keyword] = value


def _json(value: object) -> str:
    """Return a text that is equal for equal JSON values only: in Python 1 equals true."""
    return json.dumps(value, sort_keys=True, default=str)
