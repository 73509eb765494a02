"""Which properties a writer declares, level by level: the lenient policy.

A *place* is the set of the writer's schemas that speak of one value: a schema, what it refers to,
and all its ``allOf``, ``anyOf``, ``oneOf``, ``not``, ``if``, ``then``, ``else`` and dependent
schemas, whether or not they hold for the document at hand. At a place a property is declared

- by its name: in ``properties``, ``required``, ``dependentRequired``, ``dependentSchemas`` or
  ``dependencies``, or by a pattern of ``patternProperties``;
- as an entry of a map: by an ``additionalProperties`` or ``unevaluatedProperties`` that is a schema
  with content, or, where neither properties nor patterns are listed nor any required, by
  ``propertyNames``, ``minProperties``, ``maxProperties`` or what depends on a property: these speak
  of properties in general.

``additionalProperties: true``, ``{}`` and silence declare nothing. The value of a property is the
place of everything that those schemas say of it; entries of arrays likewise.

A document counts under the lenient policy if, at every level, all its properties are declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from governance.compatibility.compiling import Compiler
from governance.compatibility.documents import Located
from governance.compatibility.formulas import searcher

REST_KEYWORDS = ("additionalProperties", "unevaluatedProperties")
LISTING_KEYWORDS = ("properties", "patternProperties", "required")
DEPENDENT_KEYWORDS = ("dependentRequired", "dependentSchemas", "dependencies")
GENERAL_KEYWORDS = ("propertyNames", "minProperties", "maxProperties", *DEPENDENT_KEYWORDS)
ENTRY_KEYWORDS = ("items", "additionalItems", "contains", "unevaluatedItems")


@dataclass(eq=False, slots=True)
class Place:
    """The writer's schemas for one value."""

    places: Places
    nodes: frozenset[Located]
    exact: dict[str, list[Located]] = field(default_factory=dict)
    patterns: dict[str, list[Located]] = field(default_factory=dict)
    maps: list[Located] = field(default_factory=list)
    is_map: bool = False
    prefix: dict[int, list[Located]] = field(default_factory=dict)
    entries: list[Located] = field(default_factory=list)
    _children: dict[str | int, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.nodes:
            self._read(node, self.places.compiler.keywords(node))
        is_listed = self._uses(LISTING_KEYWORDS)
        self.is_map = bool(self.maps) or (not is_listed and self._uses(GENERAL_KEYWORDS))

    def _uses(self, keywords: tuple[str, ...]) -> bool:
        """Return whether any of the schemas says something under any of the keywords."""
        return any(
            self.places.compiler.keywords(node).get(keyword)
            for node in self.nodes
            for keyword in keywords
        )

    def _read(self, node: Located, raw: Mapping[str, object]) -> None:
        for keyword, found in (("properties", self.exact), ("patternProperties", self.patterns)):
            named = raw.get(keyword)
            if isinstance(named, dict):
                for name in named:
                    found.setdefault(name, []).append(node.child(keyword, name))
        for name in mentioned_names(raw):
            self.exact.setdefault(name, [])
        for keyword in REST_KEYWORDS:
            rest = raw.get(keyword)
            if isinstance(rest, dict) and rest:
                self.maps.append(node.child(keyword))
        self._read_entries(node, raw)

    def _read_entries(self, node: Located, raw: Mapping[str, object]) -> None:
        for keyword in ("prefixItems", "items"):
            prefix = raw.get(keyword)
            if isinstance(prefix, list):
                for index in range(len(prefix)):
                    self.prefix.setdefault(index, []).append(node.child(keyword, index))
        for keyword in ENTRY_KEYWORDS:
            if isinstance(raw.get(keyword), dict):
                self.entries.append(node.child(keyword))

    def declares(self, name: str) -> bool:
        """Return whether a property may occur here."""
        return name in self.exact or self.is_map or any(map(_FoundIn(name), self.patterns))

    def of_property(self, name: str) -> Place:
        """Return the place of a property's value."""
        if name not in self._children:
            nodes = [*self.exact.get(name, ()), *self.maps]
            for pattern in filter(_FoundIn(name), self.patterns):
                nodes += self.patterns[pattern]
            self._children[name] = self.places.at(nodes)
        return self._children[name]

    def of_item(self, index: int) -> Place:
        """Return the place of an entry."""
        key = index if index in self.prefix else -1
        if key not in self._children:
            self._children[key] = self.places.at([*self.prefix.get(index, ()), *self.entries])
        return self._children[key]

    def admits(self, value: object) -> bool:
        """Return whether a document contains only declared properties, at every level."""
        if isinstance(value, dict):
            return all(
                self.declares(name)
                and (not isinstance(inner, dict | list) or self.of_property(name).admits(inner))
                for name, inner in value.items()
            )
        if isinstance(value, list):
            return all(
                self.of_item(index).admits(inner)
                for index, inner in enumerate(value)
                if isinstance(inner, dict | list)
            )
        return True


def mentioned_names(raw: Mapping[str, object]) -> Iterator[str]:
    """Yield the names that a schema asks for, without saying what they hold."""
    required = raw.get("required")
    lists = [required]
    for keyword in DEPENDENT_KEYWORDS:
        dependents = raw.get(keyword)
        if isinstance(dependents, dict):
            yield from dependents
            lists.extend(dependents.values())
    for names in lists:
        if isinstance(names, list):
            yield from (name for name in names if isinstance(name, str))


class _FoundIn:
    """Answer whether a pattern is found in one name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, pattern: str) -> bool:
        compiled = searcher(pattern)
        return compiled is not None and compiled.search(self.name) is not None


class Places:
    """All places of one writer; a set of schemas is one place."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self._places: dict[frozenset[Located], Place] = {}

    def at(self, nodes: list[Located]) -> Place:
        """Return the place of some schemas and everything that applies with them."""
        together = frozenset(self._closure(nodes))
        if together not in self._places:
            self._places[together] = Place(self, together)
        return self._places[together]

    def _closure(self, nodes: list[Located]) -> Iterator[Located]:
        seen: set[Located] = set()
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if node not in seen and isinstance(node.raw, dict):
                seen.add(node)
                yield node
                waiting.extend(self.compiler.in_place(node))
