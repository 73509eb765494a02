"""Hide what a schema marks `x-sensitive` from those who may not see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from catalog.schemas.parts import Part, merged
from catalog.schemas.reading import Resolve, Schema, follow, read
from catalog.schemas.validating import could_match
from catalog.schemas.wellformed import in_place

# What stands in place of a value: neither its length nor its first letter is given away.
MASK = "•••"


Speaking = list[tuple[Schema, Schema]]  # schemas of one value, each with its document
Path = tuple[str | int, ...]
Hide = Callable[[object, list[Part], Path], object]


def mask(data: object, document: str | bytes | Schema, *, resolve: Resolve | None = None) -> object:
    """Return the data with each sensitive value replaced by `MASK`; the data itself is not changed.

    A value is sensitive when any schema that could speak of it says so, also one in a branch that
    does not apply, or when one refers to what cannot be found: rather one too many hidden than one
    shown.
    """
    return hidden(data, document, lambda _value, _parts, _path: MASK, resolve=resolve)


def hidden(
    data: object, document: str | bytes | Schema, hide: Hide, *, resolve: Resolve | None = None
) -> object:
    """Return the data with what `hide` makes of each sensitive value, as `mask` finds them.

    `hide` gets the value, all parts that speak of it, and where it stands.
    """
    schema = read(document)
    return _hidden(data, [(schema, schema)], resolve, hide, ())


def _hidden(
    data: object, speaking: Speaking, resolve: Resolve | None, hide: Hide, path: Path
) -> object:
    parts = list(_all_parts(speaking, resolve))
    if any(part.schema.get("x-sensitive") or _leads_nowhere(part, resolve) for part in parts):
        return hide(data, parts, path)
    if isinstance(data, Mapping):
        return {
            name: _hidden(value, list(_of_property(parts, str(name))), resolve, hide, (*path, name))
            for name, value in data.items()
        }
    if isinstance(data, list | tuple):
        return [
            _hidden(value, list(_of_entry(parts, index)), resolve, hide, (*path, index))
            for index, value in enumerate(data)
        ]
    return data


def _leads_nowhere(part: Part, resolve: Resolve | None) -> bool:
    reference = part.schema.get("$ref")
    return isinstance(reference, str) and follow(reference, part.root, resolve=resolve) is None


def _all_parts(speaking: Speaking, resolve: Resolve | None) -> Iterator[Part]:
    """Yield everything that could speak of a value, `not`, `if` and dependent schemas included."""
    seen: set[int] = set()
    waiting = list(speaking)
    while waiting:
        schema, root = waiting.pop()
        for part in merged(schema, root, resolve):
            if id(part.schema) not in seen:
                seen.add(id(part.schema))
                yield part
                waiting += [(inner, part.root) for inner in in_place(part.schema)]


def _of_property(parts: list[Part], name: str) -> Iterator[tuple[Schema, Schema]]:
    for part in parts:
        named = part.schema.get("properties")
        if isinstance(named, Mapping) and name in named:
            yield named[name], part.root
        patterns = part.schema.get("patternProperties")
        for pattern, inner in patterns.items() if isinstance(patterns, Mapping) else ():
            if could_match(pattern, name):
                yield inner, part.root
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            rest = part.schema.get(keyword)
            if isinstance(rest, Mapping):
                yield rest, part.root


def _of_entry(parts: list[Part], index: int) -> Iterator[tuple[Schema, Schema]]:
    for part in parts:
        for keyword in ("prefixItems", "items"):
            listed = part.schema.get(keyword)
            if isinstance(listed, list) and index < len(listed):
                yield listed[index], part.root
        for keyword in ("items", "additionalItems", "contains", "unevaluatedItems"):
            entry = part.schema.get(keyword)
            if isinstance(entry, Mapping):
                yield entry, part.root
