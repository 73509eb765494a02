"""Schemas as documents: dialect, embedded identifiers, and where a reference leads.

Sources: JSON Schema core 2020-12 sections 8 and 9, draft-07 core section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias, cast
from urllib.parse import unquote, urldefrag, urljoin

from governance.compatibility.values import plainly

Schema: TypeAlias = Mapping[str, object] | bool
Resolve: TypeAlias = Callable[[str], Schema | None]


class Dialect(IntEnum):
    """The drafts, by age; the order is used."""

    DRAFT_04 = 4
    DRAFT_06 = 6
    DRAFT_07 = 7
    DRAFT_2019_09 = 2019
    DRAFT_2020_12 = 2020


DIALECT_MARKS = {
    "draft-04": Dialect.DRAFT_04,
    "draft-06": Dialect.DRAFT_06,
    "draft-07": Dialect.DRAFT_07,
    "2019-09": Dialect.DRAFT_2019_09,
    "2020-12": Dialect.DRAFT_2020_12,
}
# Under these keywords stand values of documents or names of properties, not schemas.
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
# A document in whose text none of these occurs names nothing: there is no need to index it.
IDENTIFIER_MARKS = ("'$id'", "'id'", "nchor'")
NEWER_KEYWORDS = frozenset(
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


def escape(token: str) -> str:
    """Return one token of a JSON pointer (RFC 6901)."""
    if "~" in token or "/" in token:
        return token.replace("~", "~0").replace("/", "~1")
    return token


def subschemas(raw: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield (pointer below here, schema) for each value that may be a schema."""
    for keyword, value in raw.items():
        if keyword in NOT_SCHEMAS:
            continue
        at = "/" + escape(keyword)
        if isinstance(value, dict):
            if keyword in NAMED_SCHEMAS:
                yield from ((f"{at}/{escape(name)}", inner) for name, inner in value.items())
            else:
                yield at, value
        elif isinstance(value, list):
            yield from ((f"{at}/{index}", inner) for index, inner in enumerate(value))


def detect_dialect(raw: Schema) -> Dialect:
    """Return the declared draft; undeclared, draft-07 if only its forms are used, else 2020-12."""
    if isinstance(raw, bool):
        return Dialect.DRAFT_2020_12
    declared = raw.get("$schema")
    if isinstance(declared, str):
        known = (dialect for mark, dialect in DIALECT_MARKS.items() if mark in declared)
        return next(known, Dialect.DRAFT_2020_12)
    has_older = False
    for schema in every_schema(raw):
        if not NEWER_KEYWORDS.isdisjoint(schema):
            return Dialect.DRAFT_2020_12
        if isinstance(schema.get("exclusiveMinimum"), bool) or isinstance(
            schema.get("exclusiveMaximum"), bool
        ):
            return Dialect.DRAFT_04
        if (
            "dependencies" in schema
            or "additionalItems" in schema
            or isinstance(schema.get("items"), list)
        ):
            has_older = True
    return Dialect.DRAFT_07 if has_older else Dialect.DRAFT_2020_12


def every_schema(raw: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield a schema and all schemas in it."""
    yield raw
    for _, inner in subschemas(raw):
        if isinstance(inner, dict):
            yield from every_schema(inner)


@dataclass(eq=False, slots=True)
class Document:
    """One parsed schema document and an index of the identifiers in it."""

    raw: Schema
    dialect: Dialect
    uri: str = ""
    nodes: dict[str, Located] = field(default_factory=dict)
    resources: dict[str, Located] = field(default_factory=dict)
    anchors: dict[tuple[str, str], Located] = field(default_factory=dict)
    dynamic_anchors: dict[str, list[Located]] = field(default_factory=dict)
    has_recursive_anchor: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.raw, dict | bool):
            self.raw = cast("Schema", plainly(self.raw))
        base = self.base_of(self.raw, self.uri) if isinstance(self.raw, dict) else self.uri
        root = self.at("", self.raw, base)
        self.resources[self.uri] = self.resources[base] = root
        text = repr(self.raw)
        if any(mark in text for mark in IDENTIFIER_MARKS):
            self._index("", self.raw, self.uri)

    @property
    def root(self) -> Located:
        """Return the whole document."""
        return self.nodes[""]

    def at(self, pointer: str, raw: object, base: str) -> Located:
        """Return the one node for a place in this document."""
        node = self.nodes.get(pointer)
        if node is None:
            node = self.nodes[pointer] = Located(self, pointer, raw, base)
        return node

    def _index(self, pointer: str, raw: object, base: str) -> None:
        if not isinstance(raw, dict):
            return
        base = self._identify(pointer, raw, base)
        for below, inner in subschemas(raw):
            self._index(pointer + below, inner, base)

    def base_of(self, raw: Mapping[str, object], base: str) -> str:
        """Return the base URI inside a schema, given the one around it."""
        name = raw.get("$id") if self.dialect is not Dialect.DRAFT_04 else raw.get("id")
        if name is None:
            return base
        siblings_count = self.dialect >= Dialect.DRAFT_2019_09 or "$ref" not in raw
        if isinstance(name, str) and siblings_count and not name.startswith("#"):
            return urldefrag(urljoin(base, name)).url
        return base

    def _identify(self, pointer: str, raw: Mapping[str, object], around: str) -> str:
        base = self.base_of(raw, around)
        if base != around:
            self.resources.setdefault(base, self.at(pointer, raw, base))
        name = raw.get("$id")
        anchors = [raw.get("$anchor"), raw.get("$dynamicAnchor")]
        if isinstance(name, str) and name.startswith("#"):
            anchors.append(name[1:])
        for anchor in anchors:
            if isinstance(anchor, str):
                self.anchors.setdefault((base, anchor), self.at(pointer, raw, base))
        dynamic = raw.get("$dynamicAnchor")
        if isinstance(dynamic, str):
            self.dynamic_anchors.setdefault(dynamic, []).append(self.at(pointer, raw, base))
        if raw.get("$recursiveAnchor") is True:
            self.has_recursive_anchor = True
        return base


@dataclass(eq=False, slots=True, frozen=True)
class Located:
    """A schema at its place in a document; ``base`` is the URI that its references start from."""

    document: Document
    pointer: str
    raw: object
    base: str

    def child(self, *tokens: str | int) -> Located:
        """Return the schema below, given its keyword and its name or index there.

        Raises ``KeyError`` if nothing stands there.
        """
        raw, pointer, base = self.raw, self.pointer, self.base
        for token in tokens:
            try:
                raw = raw[token]  # type: ignore[index]
            except (IndexError, TypeError) as missing:
                raise KeyError(token) from missing
            pointer = f"{pointer}/{escape(str(token))}"
        known = self.document.nodes.get(pointer)
        if known is not None:
            return known
        if isinstance(raw, dict):
            base = self.document.base_of(raw, base)
        return self.document.at(pointer, raw, base)


class Library:
    """The documents of one comparison side, and the way to those that it refers to."""

    def __init__(self, root: Schema, resolve: Resolve | None) -> None:
        self.document = Document(root, detect_dialect(root))
        self._resolve = resolve
        self._external: dict[str, Document | None] = {}

    def target(self, node: Located, reference: str) -> Located | None:
        """Return where a ``$ref`` in ``node`` leads, or ``None`` if nobody knows."""
        uri, fragment = urldefrag(urljoin(node.base, reference) if node.base else reference)
        resource = self._resource(node.document, uri, reference)
        if resource is None:
            return None
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            return resource.document.anchors.get((resource.base, fragment))
        try:
            return follow(resource, fragment)
        except KeyError:
            return None

    def external(self, uri: str) -> Document | None:
        """Return a document that was fetched before."""
        return self._external.get(uri)

    def _resource(self, document: Document, uri: str, reference: str) -> Located | None:
        found = document.resources.get(uri) or self.document.resources.get(uri)
        if found is None and uri in ("", document.uri):
            found = document.root
        if found is None:
            external = self._fetch(uri, urldefrag(reference).url, document.dialect)
            found = external.root if external else None
        return found

    def _fetch(self, uri: str, written: str, dialect: Dialect) -> Document | None:
        if uri not in self._external:
            raw: Schema | None = None
            if self._resolve is not None:
                raw = self._resolve(uri)
                if raw is None and written and written != uri:
                    raw = self._resolve(written)
            self._external[uri] = None if raw is None else self._read(raw, uri, dialect)
        return self._external[uri]

    @staticmethod
    def _read(raw: Schema, uri: str, dialect: Dialect) -> Document:
        if isinstance(raw, dict) and "$schema" in raw:
            dialect = detect_dialect(raw)
        return Document(raw, dialect, uri)


def follow(node: Located, pointer: str) -> Located:
    """Return what a JSON pointer leads to, starting at a node; raise ``KeyError`` if nothing."""
    for written in pointer.split("/")[1:]:
        token = written.replace("~1", "/").replace("~0", "~")
        is_index = isinstance(node.raw, list) and token.isdecimal()
        node = node.child(int(token) if is_index else token)
    return node
