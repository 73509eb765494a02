"""The table of fields that people read in place of a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from catalog.schemas.parts import FieldKind, Part, Together, merged, names
from catalog.schemas.reading import Resolve, Schema, escape, read

MAX_FIELDS = 1000
_MAX_LEVELS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One row of the table.

    `path` as people write it (`lines[].sku`), `steps` the same for machines (`("lines", "*",
    "sku")`), `pointer` into the schema that holds it. `is_required`: there
    whenever what it stands in is; `is_always_there`: so is everything that it stands in.
    `example` counts only if `has_example`. `sensitive` is the data class, "" for none.
    `is_searchable`: events are found by its values (`x-searchable`).
    `bounds` holds what the schema says of length, size and pattern, by keyword.
    """

    path: str
    steps: tuple[str, ...]
    name: str
    pointer: str
    title: str
    kind: FieldKind
    meaning: str
    is_required: bool
    is_always_there: bool
    is_nullable: bool
    has_example: bool
    example: object
    sensitive: str
    allowed: tuple[object, ...]
    bounds: Mapping[str, object]
    is_deprecated: bool
    is_searchable: bool
    level: int

    @property
    def type(self) -> str:
        """Return the word of the field's kind, with the number of choices where there are some."""
        return f"{self.kind} {len(self.allowed)}" if self.kind is FieldKind.CHOICE else self.kind

    @property
    def required(self) -> bool:
        """Return `is_required`."""
        return self.is_required


_BOUNDS = (
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "format",
)


def fields(document: str | bytes | Schema, *, resolve: Resolve | None = None) -> list[Field]:
    """Return the fields in the order of the schema, each object's and list's own below it.

    Follows references, all parts of `allOf`, and the branches of `anyOf` and `oneOf` (whose fields
    are never required). A definition that contains itself is shown once. At most `MAX_FIELDS`.
    """
    schema = read(document)
    table = _Table(schema, resolve)
    table.walk(
        _Spot(schema=schema, root=schema, pointer="", prefix="", steps=(), level=0, is_sure=True)
    )
    return table.rows


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spot:
    """A schema on the way; `prefix` of its fields' paths, `is_sure` while all is required."""

    schema: Schema
    root: Schema
    pointer: str
    prefix: str
    steps: tuple[str, ...]
    level: int
    is_sure: bool
    open: frozenset[int] = frozenset()


class _Table:
    def __init__(self, root: Schema, resolve: Resolve | None) -> None:
        self.root = root
        self.resolve = resolve
        self.rows: list[Field] = []
        self.seen: set[str] = set()

    def walk(self, spot: _Spot) -> None:
        parts = list(merged(spot.schema, spot.root, self.resolve, pointer=spot.pointer))
        required = {
            name for part in parts if part.is_sure for name in names(part.schema.get("required"))
        }
        for part in parts:
            named = part.schema.get("properties")
            for name, inner in named.items() if isinstance(named, Mapping) else ():
                if isinstance(inner, Mapping | bool):
                    at = f"{part.pointer}/properties/{escape(name)}"
                    self._add(spot, part, name, inner, at, is_required=name in required)

    def _add(
        self, spot: _Spot, part: Part, name: str, schema: Schema, at: str, *, is_required: bool
    ) -> None:
        path = f"{spot.prefix}{name}"
        if len(self.rows) >= MAX_FIELDS or path in self.seen:
            return
        whole = Together(schema, part.root, self.resolve)
        is_sure = spot.is_sure and is_required
        is_list = whole.kind is FieldKind.LIST
        self.seen.add(path)
        self.rows.append(
            _row(
                whole,
                path=f"{path}[]" if is_list else path,
                steps=(*spot.steps, name),
                name=name,
                pointer=at,
                is_required=is_required,
                is_always_there=is_sure,
                level=spot.level,
            )
        )
        if isinstance(schema, Mapping):
            of = Part(schema=schema, root=part.root, pointer=at, is_sure=True)
            self._below(replace(spot, steps=(*spot.steps, name)), of, path, is_sure=is_sure)

    def _below(self, spot: _Spot, of: Part, path: str, *, is_sure: bool) -> None:
        if spot.level >= _MAX_LEVELS:
            return
        parts = list(merged(of.schema, of.root, self.resolve, pointer=of.pointer))
        ids = {id(part.schema) for part in parts}
        if ids & spot.open:
            return
        inside = spot.open | ids
        self.walk(
            _Spot(
                schema=of.schema,
                root=of.root,
                pointer=of.pointer,
                prefix=f"{path}.",
                steps=spot.steps,
                level=spot.level + 1,
                is_sure=is_sure,
                open=inside,
            )
        )
        for part in parts:
            items = part.schema.get("items")
            if isinstance(items, Mapping):
                entry = replace(part, schema=items, pointer=f"{part.pointer}/items")
                self._entries(spot, entry, path, inside)

    def _entries(self, spot: _Spot, entry: Part, path: str, inside: frozenset[int]) -> None:
        below = replace(spot, level=spot.level + 1, open=inside, steps=(*spot.steps, "*"))
        if Together(entry.schema, entry.root, self.resolve).kind is FieldKind.LIST:
            self._below(below, entry, f"{path}[]", is_sure=False)
            return
        self.walk(
            replace(
                below,
                schema=entry.schema,
                root=entry.root,
                pointer=entry.pointer,
                prefix=f"{path}[].",
                is_sure=True,
            )
        )


def _row(
    whole: Together,
    *,
    path: str,
    steps: tuple[str, ...],
    name: str,
    pointer: str,
    is_required: bool,
    is_always_there: bool,
    level: int,
) -> Field:
    examples = whole.examples()
    bounds = {key: whole.first(key) for key in _BOUNDS if whole.first(key) is not None}
    return Field(
        path=path,
        steps=steps,
        name=name,
        pointer=pointer,
        title=whole.text("title") or spoken(name),
        kind=whole.kind,
        meaning=whole.text("description"),
        is_required=is_required,
        is_always_there=is_always_there,
        is_nullable="null" in whole.types or None in whole.allowed,
        has_example=bool(examples),
        example=examples[0] if examples else None,
        sensitive=whole.sensitive,
        allowed=whole.allowed,
        bounds=bounds,
        is_deprecated=whole.first("deprecated") is True,
        is_searchable=whole.first("x-searchable") is True,
        level=level,
    )


def spoken(name: str) -> str:
    """Return a name as words: `order_number` and `orderNumber` read `Order number`."""
    words = re.sub(r"[_\s-]+|(?<=[a-z0-9])(?=[A-Z])", " ", name).split()
    text = " ".join(word if word.isupper() else word.lower() for word in words)
    return text[:1].upper() + text[1:]
