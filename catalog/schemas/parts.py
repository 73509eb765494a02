"""Several schemas that speak of one and the same value, read as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.schemas.reading import Resolve, Schema, follow

_CHOICES = ("anyOf", "oneOf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One schema: `pointer` in its document `root`; `is_sure`: it applies whatever the value is."""

    schema: Mapping[str, object]
    root: Schema
    pointer: str
    is_sure: bool


def merged(
    schema: Schema, root: Schema, resolve: Resolve | None, *, pointer: str = ""
) -> Iterator[Part]:
    """Yield a schema and those that it draws in for the same value, each once, itself first.

    It draws in what `$ref` names, all of `allOf`, and, not for sure, the branches of `anyOf`,
    `oneOf`, `then` and `else`.
    """
    seen: set[int] = set()
    waiting: list[tuple[Schema, Schema, str, bool]] = [(schema, root, pointer, True)]
    while waiting:
        node, where, at, is_sure = waiting.pop(0)
        if not isinstance(node, Mapping) or id(node) in seen:
            continue
        seen.add(id(node))
        yield Part(schema=node, root=where, pointer=at, is_sure=is_sure)
        reference = node.get("$ref")
        found = follow(reference, where, resolve=resolve) if isinstance(reference, str) else None
        if found is not None:
            waiting.append((found.schema, found.root, found.pointer, is_sure))
        for keyword in ("allOf", *_CHOICES):
            branches = node.get(keyword)
            for index, branch in enumerate(branches if isinstance(branches, list) else ()):
                sure = is_sure and keyword == "allOf"
                waiting.append((branch, where, f"{at}/{keyword}/{index}", sure))
        for keyword in ("then", "else"):
            branch = node.get(keyword)
            if isinstance(branch, Mapping):
                waiting.append((branch, where, f"{at}/{keyword}", False))


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
            for name in [named] if isinstance(named, str) else names(named):
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


def names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
