"""Tell at a glance that no value fits two alternatives: other types, or another mark.

A mark is a required property with listed values, as in ``{"kind": {"const": "card"}}``. Unions in
real contracts are told apart like this; it saves the decision from trying every pair.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from governance.compatibility.documents import Located
from governance.compatibility.values import identity, type_of

if TYPE_CHECKING:
    from governance.compatibility.compiling import Compiler

OBJECT_ONLY = frozenset(("object",))


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What is plain about an alternative: type names (``None``: any), values of marks."""

    types: frozenset[str] | None = None
    marks: dict[str, frozenset[tuple[str, Hashable]]] = field(default_factory=dict)

    def excludes(self, other: Signature) -> bool:
        """Return whether surely no value fits both."""
        if self.types is not None and other.types is not None:
            ours, theirs = widened(self.types), widened(other.types)
            if not ours & theirs:
                return True
        if OBJECT_ONLY not in (self.types, other.types):
            return False
        return any(
            name in other.marks and not values & other.marks[name]
            for name, values in self.marks.items()
        )

    def admits(self, value: object) -> bool:
        """Return whether a value has a fitting type and, as far as it has them, fitting marks."""
        kind = type_of(value).value
        if self.types is not None and kind not in widened(self.types):
            return False
        marked = value.items() if isinstance(value, dict) else ()
        return all(
            identity(inner) in self.marks[name] for name, inner in marked if name in self.marks
        )


def widened(types: frozenset[str]) -> frozenset[str]:
    """Return type names with integers as numbers."""
    return frozenset("number" if name == "integer" else name for name in types)


def signature(c: Compiler, node: Located) -> Signature:
    """Return what is plain about the schema at a node."""
    types: frozenset[str] | None = None
    values: dict[str, frozenset[tuple[str, Hashable]]] = {}
    required: set[str] = set()
    for part in sure_parts(c, node):
        raw = c.keywords(part)
        written = raw.get("type")
        if written is not None:
            names = frozenset(map(str, written if isinstance(written, list) else [written]))
            types = names if types is None else types & names or names
        needed = raw.get("required")
        if isinstance(needed, list):
            required.update(name for name in needed if isinstance(name, str))
        properties = raw.get("properties")
        if isinstance(properties, dict):
            for name in properties:
                listed = listed_values(c, part.child("properties", name))
                if listed is not None:
                    values[name] = values.get(name, listed) & listed
    return Signature(types=types, marks={name: values[name] for name in values if name in required})


def sure_parts(c: Compiler, node: Located) -> Iterator[Located]:
    """Yield a schema and what surely holds with it: its reference and its ``allOf``."""
    seen: set[Located] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        yield one
        raw = c.keywords(one)
        parts = raw.get("allOf")
        if isinstance(parts, list):
            waiting.extend(one.child("allOf", index) for index in range(len(parts)))
        target = c.target(one)
        if target is not None:
            waiting.append(target)


def listed_values(c: Compiler, node: Located) -> frozenset[tuple[str, Hashable]] | None:
    """Return the values that a schema lists, ``None`` if it lists none."""
    for part in sure_parts(c, node):
        raw = c.keywords(part)
        if "const" in raw and part.document.dialect > 4:
            return frozenset((identity(raw["const"]),))
        values = raw.get("enum")
        if isinstance(values, list):
            return frozenset(map(identity, values))
    return None
