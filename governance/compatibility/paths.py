"""Where in a document a schema's pointer leads: one definition may stand behind many fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from governance.compatibility.algebra import Algebra
from governance.compatibility.compiling import Compiler
from governance.compatibility.documents import Library, Located, Resolve, Schema

FieldPath: TypeAlias = tuple[str, ...]

ANY = "*"  # an entry of a list, or a field that is not listed by name
DEEPEST = 12  # steps; recursive definitions go on for ever
MOST_PLACES = 5000
FIELD_LISTS = ("properties", "patternProperties")
FIELD_RESTS = ("additionalProperties", "unevaluatedProperties")
ENTRY_LISTS = ("prefixItems", "items")
ENTRY_RESTS = ("items", "additionalItems", "contains", "unevaluatedItems")


def field_paths(
    schema: Schema, pointer: str, *, resolve: Resolve | None = None
) -> tuple[FieldPath, ...]:
    """Return the fields of a document that a pointer of a finding speaks of, shortest first.

    A path is a tuple of field names, with ``*`` for entries of lists and unlisted fields; the
    empty path is the whole document. A pointer to a keyword counts as one to its schema. Fields
    deeper than ``DEEPEST`` steps are left out; a pointer that no field leads to gives no path.
    """
    library = Library(schema, resolve)
    places: dict[str, dict[FieldPath, None]] = {}
    for node, path in _walk(Compiler(Algebra(), library), library.document.root):
        if node.document is library.document:
            places.setdefault(node.pointer, {})[path] = None
    found = places.get(pointer) or places.get(pointer.rpartition("/")[0], {})
    return tuple(sorted(found, key=lambda path: (len(path), path)))


def _walk(compiler: Compiler, root: Located) -> Iterator[tuple[Located, FieldPath]]:
    seen: set[tuple[Located, FieldPath]] = set()
    waiting: list[tuple[Located, FieldPath]] = [(root, ())]
    while waiting and len(seen) < MOST_PLACES:
        place = waiting.pop(0)
        node, path = place
        if place in seen or len(path) > DEEPEST:
            continue
        seen.add(place)
        yield place
        waiting.extend((inner, path) for inner in compiler.in_place(node))
        waiting.extend((inner, (*path, name)) for inner, name in _below(compiler, node))


def _below(compiler: Compiler, node: Located) -> Iterator[tuple[Located, str]]:
    """Yield the schemas of fields and entries, with the step that leads to each."""
    raw = compiler.keywords(node)
    for keyword in FIELD_LISTS:
        named = raw.get(keyword)
        if isinstance(named, dict):
            for name in named:
                step = name if keyword == "properties" else ANY
                yield node.child(keyword, name), step
    for keyword in ENTRY_LISTS:
        listed = raw.get(keyword)
        if isinstance(listed, list):
            yield from ((node.child(keyword, index), ANY) for index in range(len(listed)))
    for keyword in (*FIELD_RESTS, *ENTRY_RESTS):
        if isinstance(raw.get(keyword), dict | bool):
            yield node.child(keyword), ANY
