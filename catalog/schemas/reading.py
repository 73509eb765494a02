"""Read a schema from text, and walk the schemas that are in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote

Schema: TypeAlias = Mapping[str, object] | bool
# Returns the whole document of a URI outside the schema, or None where the catalog has none.
Resolve: TypeAlias = Callable[[str], Schema | None]

MAX_BYTES = 256 * 1024  # a document; the edge's ceiling for one event
MAX_DEPTH = 64  # levels of objects and arrays, as for events
MAX_VALUES = 50_000  # values of any kind in one document

# Under these keywords stand values of documents, or names of properties, not schemas.
NOT_SCHEMAS = frozenset(("const", "default", "enum", "example", "examples", "required"))
# Under these keywords stands a mapping from names to schemas.
NAMED_SCHEMAS = frozenset(
    (
        "$defs",
        "definitions",
        "dependencies",
        "dependentSchemas",
        "patternProperties",
        "properties",
    )
)
_ONLY_OLD = frozenset(("dependencies", "additionalItems"))
_ONLY_NEW = frozenset(
    (
        "$anchor",
        "$defs",
        "$dynamicAnchor",
        "$dynamicRef",
        "dependentRequired",
        "dependentSchemas",
        "maxContains",
        "minContains",
        "prefixItems",
        "unevaluatedItems",
        "unevaluatedProperties",
    )
)


class Dialect(StrEnum):
    """The two drafts that a contract may be written in."""

    DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
    DRAFT_07 = "http://json-schema.org/draft-07/schema"


class Problem(NamedTuple):
    """What is wrong, in a sentence, and where: a JSON pointer (RFC 6901), "" for the whole."""

    pointer: str
    message: str


class Malformed(ValueError):
    """The document is not a schema that can be used: show `problems`, each with its pointer."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.pointer or '/'}: {p.message}" for p in problems))
        self.problems = tuple(problems)


def read(document: str | bytes | Schema) -> Schema:
    """Return the schema of a JSON text; an already parsed one is returned as it is.

    Raises `Malformed` for what is not JSON with one meaning (duplicate keys, NaN, NUL characters,
    unpaired surrogates), is larger or deeper than the ceilings, or is neither object nor boolean.
    """
    if isinstance(document, str | bytes):
        return _parsed(document)
    return document


def _parsed(text: str | bytes) -> Schema:
    try:
        raw = text.encode() if isinstance(text, str) else text
        written = raw.decode()
    except UnicodeError:
        raise Malformed([Problem("", "The text is not UTF-8.")]) from None
    if len(raw) > MAX_BYTES:
        raise Malformed([Problem("", f"The schema is larger than {MAX_BYTES // 1024} KiB.")])
    try:
        value = json.loads(written, object_pairs_hook=_without_repeats, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Malformed([Problem("", f"This is not JSON: {error.msg} at {place}.")]) from None
    except RecursionError:
        raise Malformed([Problem("", f"It is nested more than {MAX_DEPTH} levels.")]) from None
    except ValueError as error:
        raise Malformed([Problem("", str(error))]) from None
    _check_ceilings(value)
    if not isinstance(value, dict | bool):
        raise Malformed([Problem("", "A schema is a JSON object, or true or false.")])
    return value


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"The key “{name}” stands twice in one object.")
        found[name] = value
    return found


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not a JSON number.")


def _check_ceilings(value: object) -> None:
    waiting: list[tuple[object, int]] = [(value, 1)]
    count = 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise Malformed([Problem("", f"The schema has more than {MAX_VALUES} values.")])
        if isinstance(node, dict | list) and depth > MAX_DEPTH:
            raise Malformed([Problem("", f"It is nested more than {MAX_DEPTH} levels.")])
        if isinstance(node, dict):
            waiting += [(inner, depth + 1) for inner in (*node, *node.values())]
        elif isinstance(node, list):
            waiting += [(inner, depth + 1) for inner in node]
        elif isinstance(node, str) and not _is_storable(node):
            raise Malformed(
                [Problem("", "A text holds a NUL character or half of a surrogate pair.")]
            )


def _is_storable(text: str) -> bool:
    return (text.isascii() and "\0" not in text) or not _has_odd_characters(text)


def _has_odd_characters(text: str) -> bool:
    return any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def dialect_of(schema: Schema) -> Dialect | None:
    """Return the draft that a schema declares; None for one that is not taken here.

    Undeclared, it is draft-07 if only forms of that draft are used (a list under `items`,
    `additionalItems`, `dependencies`), else 2020-12: the same guess as the compatibility engine's.
    """
    if isinstance(schema, bool):
        return Dialect.DRAFT_2020_12
    declared = schema.get("$schema")
    if declared is not None:
        known = {str(dialect): dialect for dialect in Dialect}
        return known.get(str(declared).removesuffix("#"))
    has_old = False
    for _pointer, inner in every_schema(schema):
        if not isinstance(inner, Mapping):
            continue
        if not _ONLY_NEW.isdisjoint(inner):
            return Dialect.DRAFT_2020_12
        has_old |= not _ONLY_OLD.isdisjoint(inner) or isinstance(inner.get("items"), list)
    return Dialect.DRAFT_07 if has_old else Dialect.DRAFT_2020_12


def every_schema(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield (pointer, schema) for a schema and all schemas in it, itself first."""
    waiting: list[tuple[str, Schema]] = [("", schema)]
    while waiting:
        pointer, node = waiting.pop()
        yield pointer, node
        if isinstance(node, Mapping):
            inner = [(pointer + at, child) for at, child in subschemas(node)]
            waiting += reversed(inner)


def subschemas(schema: Mapping[str, object]) -> Iterator[tuple[str, Schema]]:
    """Yield (pointer below here, schema) for each value that stands where a schema does."""
    for keyword, value in schema.items():
        if keyword in NOT_SCHEMAS or keyword.startswith("x-"):
            continue
        at = "/" + escape(keyword)
        if isinstance(value, Mapping):
            if keyword in NAMED_SCHEMAS:
                for name, inner in value.items():
                    if isinstance(inner, Mapping | bool):
                        yield f"{at}/{escape(str(name))}", inner
            else:
                yield at, value
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                if isinstance(inner, Mapping):
                    yield f"{at}/{index}", inner


def escape(token: str) -> str:
    """Return one token of a JSON pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def pointer_to(path: Sequence[str | int]) -> str:
    """Return the JSON pointer of a path of keys and indexes."""
    return "".join("/" + escape(str(token)) for token in path)


def at_pointer(document: object, pointer: str) -> object:
    """Return the value at a JSON pointer. Raises LookupError when there is none."""
    node = document
    for written in pointer.split("/")[1:]:
        token = written.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping):
            node = node[token]
        elif isinstance(node, list) and token.isdecimal():
            node = node[int(token)]
        else:
            raise LookupError(pointer)
    return node


class Target(NamedTuple):
    """Where a reference leads: the schema, the document it stands in, and its pointer there."""

    schema: Schema
    root: Schema
    pointer: str


def follow(reference: str, root: Schema, *, resolve: Resolve | None = None) -> Target | None:
    """Return where a `$ref` in the document `root` leads; None when it leads nowhere.

    Local forms: `#`, `#/pointer`, `#anchor`, and the `$id` of the document or of a part of it.
    """
    uri, _hash, fragment = reference.partition("#")
    document: Schema | None = root
    if uri:
        document = _by_id(root, uri)
        if document is None and resolve is not None:
            document = resolve(uri)
    return None if document is None else _by_fragment(document, unquote(fragment))


def _by_id(root: Schema, uri: str) -> Schema | None:
    for _pointer, inner in every_schema(root):
        if isinstance(inner, Mapping) and str(inner.get("$id", "")).removesuffix("#") == uri:
            return inner
    return None


def _by_fragment(document: Schema, fragment: str) -> Target | None:
    if not fragment:
        return Target(document, document, "")
    if fragment.startswith("/"):
        try:
            found = at_pointer(document, fragment)
        except (LookupError, TypeError):
            return None
        if isinstance(found, Mapping | bool):
            return Target(found, document, fragment)
        return None
    for pointer, inner in every_schema(document):
        if isinstance(inner, Mapping) and fragment in (
            inner.get("$anchor"),
            inner.get("$dynamicAnchor"),
            str(inner.get("$id", "")).removeprefix("#"),
        ):
            return Target(inner, document, pointer)
    return None
