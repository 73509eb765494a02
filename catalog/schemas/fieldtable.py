"""The table of fields that people read in place of a schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.schemas.reading import Resolve, Schema, escape, follow, read

MAX_FIELDS = 1000
_MAX_LEVELS = 16
_CHOICES = ("anyOf", "oneOf")


class FieldKind(StrEnum):
    """What a field holds, in the words of a table; pages translate them."""

    TEXT = "text"
    DATE_TIME = "date and time"
    DATE = "date"
    TIME = "time"
    DURATION = "duration"
    EMAIL = "e-mail address"
    ADDRESS = "web address"
    IDENTIFIER = "identifier"
    NUMBER = "number"
    INTEGER = "whole number"
    BOOLEAN = "yes or no"
    CHOICE = "one of"
    OBJECT = "object"
    LIST = "list"
    NOTHING = "nothing"
    ANY = "anything"


_BY_FORMAT = {
    "date-time": FieldKind.DATE_TIME,
    "date": FieldKind.DATE,
    "time": FieldKind.TIME,
    "duration": FieldKind.DURATION,
    "email": FieldKind.EMAIL,
    "idn-email": FieldKind.EMAIL,
    "uri": FieldKind.ADDRESS,
    "uri-reference": FieldKind.ADDRESS,
    "iri": FieldKind.ADDRESS,
    "uuid": FieldKind.IDENTIFIER,
}
_BY_TYPE = {
    "string": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "integer": FieldKind.INTEGER,
    "boolean": FieldKind.BOOLEAN,
    "object": FieldKind.OBJECT,
    "array": FieldKind.LIST,
    "null": FieldKind.NOTHING,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One row of the table.

    `path` as people write it (`lines[].sku`), `pointer` into the schema. `is_required`: always there
    when what it stands in is there; `is_always_there`: also everything that it stands in.
    `example` counts only if `has_example`. `sensitive` is the data class, "" for none.
    `bounds` holds what the schema says of length, size and pattern, by keyword.
    """

    path: str
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
    table.walk(_Spot(schema=schema, root=schema, pointer="", prefix="", level=0, is_sure=True))
    return table.rows


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spot:
    """A schema on the way: `prefix` of its fields' paths, `is_sure` while everything is required."""

    schema: Schema
    root: Schema
    pointer: str
    prefix: str
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
        parts = list(merged(spot.schema, spot.root, self.resolve))
        required = {
            name for part in parts if part.is_sure for name in _names(part.schema.get("required"))
        }
        for part in parts:
            named = part.schema.get("properties")
            for name, inner in named.items() if isinstance(named, Mapping) else ():
                if isinstance(inner, Mapping | bool):
                    at = f"{spot.pointer}{part.pointer}/properties/{escape(name)}"
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
            whole.field(
                path=f"{path}[]" if is_list else path,
                name=name,
                pointer=at,
                is_required=is_required,
                is_always_there=is_sure,
                level=spot.level,
            )
        )
        self._below(spot, schema, part.root, at, path, is_sure=is_sure)

    def _below(
        self, spot: _Spot, schema: Schema, root: Schema, at: str, path: str, *, is_sure: bool
    ) -> None:
        if id(schema) in spot.open or spot.level >= _MAX_LEVELS:
            return
        parts = list(merged(schema, root, self.resolve))
        ids = {id(schema), *(id(part.schema) for part in parts)}
        if ids & spot.open:
            return
        inside = spot.open | ids
        self.walk(
            _Spot(
                schema=schema,
                root=root,
                pointer=at,
                prefix=f"{path}.",
                level=spot.level + 1,
                is_sure=is_sure,
                open=inside,
            )
        )
        for part in parts:
            items = part.schema.get("items")
            if isinstance(items, Mapping):
                self._entries(spot, items, part.root, f"{at}{part.pointer}/items", path, inside)

    def _entries(
        self,
        spot: _Spot,
        items: Schema,
        root: Schema,
        at: str,
        path: str,
        inside: frozenset[int],
    ) -> None:
        nested = Together(items, root, self.resolve).kind is FieldKind.LIST
        if nested:
            self._below(_at(spot, inside), items, root, at, f"{path}[]", is_sure=False)
            return
        self.walk(
            _Spot(
                schema=items,
                root=root,
                pointer=at,
                prefix=f"{path}[].",
                level=spot.level + 1,
                is_sure=True,
                open=inside,
            )
        )


def _at(spot: _Spot, inside: frozenset[int]) -> _Spot:
    return _Spot(
        schema=spot.schema,
        root=spot.root,
        pointer=spot.pointer,
        prefix=spot.prefix,
        level=spot.level + 1,
        is_sure=spot.is_sure,
        open=inside,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One of the schemas that speak of the same value; `is_sure`: it always applies."""

    schema: Mapping[str, object]
    root: Schema
    pointer: str
    is_sure: bool


def merged(schema: Schema, root: Schema, resolve: Resolve | None) -> Iterator[Part]:
    """Yield a schema and those that it draws in for the same value, each once.

    `pointer` is below the first schema; what a reference draws in keeps the pointer of the place that
    refers to it, since it may stand in another document.
    """
    seen: set[int] = set()
    waiting: list[tuple[Schema, Schema, str, bool]] = [(schema, root, "", True)]
    while waiting:
        node, where, pointer, is_sure = waiting.pop(0)
        if not isinstance(node, Mapping) or id(node) in seen:
            continue
        seen.add(id(node))
        yield Part(schema=node, root=where, pointer=pointer, is_sure=is_sure)
        reference = node.get("$ref")
        found = follow(reference, where, resolve=resolve) if isinstance(reference, str) else None
        if found is not None:
            waiting.append((*found, f"{pointer}/$ref", is_sure))
        for keyword in ("allOf", *_CHOICES):
            branches = node.get(keyword)
            for index, branch in enumerate(branches if isinstance(branches, list) else ()):
                sure = is_sure and keyword == "allOf"
                waiting.append((branch, where, f"{pointer}/{keyword}/{index}", sure))
        for keyword in ("then", "else"):
            if keyword in node:
                waiting.append((_schema(node[keyword]), where, f"{pointer}/{keyword}", False))


def _schema(value: object) -> Schema:
    return value if isinstance(value, Mapping | bool) else True


class Together:
    """All schemas that speak of one value, read as one: the first to say something is heard."""

    def __init__(self, schema: Schema, root: Schema, resolve: Resolve | None) -> None:
        self.parts = list(merged(schema, root, resolve))

    def first(self, keyword: str) -> object:
        """Return the first value of a keyword, None when no part has it."""
        return next((p.schema[keyword] for p in self.parts if keyword in p.schema), None)

    def text(self, keyword: str) -> str:
        """Return the first text of a keyword, "" when there is none."""
        found = self.first(keyword)
        return found if isinstance(found, str) else ""

    @property
    def types(self) -> tuple[str, ...]:
        """Return the JSON types that are named, in order; empty when none is."""
        found: dict[str, None] = {}
        for part in self.parts:
            named = part.schema.get("type")
            for name in [named] if isinstance(named, str) else _names(named):
                found[name] = None
        return tuple(found)

    @property
    def allowed(self) -> tuple[object, ...]:
        """Return the values of the first `enum`, or the one of `const`; empty for no such list."""
        for part in self.parts:
            if "const" in part.schema:
                return (part.schema["const"],)
            listed = part.schema.get("enum")
            if isinstance(listed, list):
                return tuple(listed)
        return ()

    @property
    def kind(self) -> FieldKind:
        """Return what the value is, in the words of the table."""
        if [value for value in self.allowed if value is not None]:
            return FieldKind.CHOICE
        types = [name for name in self.types if name != "null"]
        if types == ["string"]:
            return _BY_FORMAT.get(self.text("format"), FieldKind.TEXT)
        if len(types) == 1:
            return _BY_TYPE.get(types[0], FieldKind.ANY)
        if not types and self.types:
            return FieldKind.NOTHING
        if not types and self.first("properties") is not None:
            return FieldKind.OBJECT
        return FieldKind.LIST if not types and self.first("items") is not None else FieldKind.ANY

    @property
    def sensitive(self) -> str:
        """Return the data class of `x-sensitive`, "" for none; `true` reads as `personal`."""
        for part in self.parts:
            marked = part.schema.get("x-sensitive")
            if marked:
                return marked if isinstance(marked, str) else "personal"
        return ""

    def examples(self) -> list[object]:
        """Return the values that the schema itself gives, the best first."""
        found: list[object] = []
        for part in self.parts:
            listed = part.schema.get("examples")
            found += listed if isinstance(listed, list) else []
            found += [part.schema[key] for key in ("const", "default") if key in part.schema]
        return found + list(self.allowed)

    def field(
        self,
        *,
        path: str,
        name: str,
        pointer: str,
        is_required: bool,
        is_always_there: bool,
        level: int,
    ) -> Field:
        """Return the row of the table for this value."""
        examples = self.examples()
        bounds = {key: self.first(key) for key in _BOUNDS if self.first(key) is not None}
        return Field(
            path=path,
            name=name,
            pointer=pointer,
            title=self.text("title") or _spoken(name),
            kind=self.kind,
            meaning=self.text("description"),
            is_required=is_required,
            is_always_there=is_always_there,
            is_nullable="null" in self.types or None in self.allowed,
            has_example=bool(examples),
            example=examples[0] if examples else None,
            sensitive=self.sensitive,
            allowed=self.allowed,
            bounds=bounds,
            is_deprecated=self.first("deprecated") is True,
            level=level,
        )


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _spoken(name: str) -> str:
    """Return a name as words: `order_number` and `orderNumber` read `Order number`."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name)
    words = spaced.replace("_", " ").replace("-", " ").split()
    text = " ".join(words)
    return text[:1].upper() + text[1:]
