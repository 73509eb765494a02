"""What surely holds at one place of one version, keyword by keyword, wherever it is written."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from governance.compatibility.compiling import Compiler
from governance.compatibility.documents import Dialect, Located, escape
from governance.compatibility.values import exact, identity

Key: TypeAlias = tuple[Located, str, str]


class Spot:
    """All schemas that surely hold for one value on one side: a schema, its ``$ref``, ``allOf``."""

    def __init__(self, node: Located | None, compiler: Compiler) -> None:
        self.node = node
        self.compiler = compiler
        self.nodes: list[Located] = []
        waiting = [node] if node is not None else []
        while waiting:
            one = waiting.pop(0)
            if one in self.nodes:
                continue
            self.nodes.append(one)
            raw = compiler.keywords(one)
            parts = raw.get("allOf")
            if isinstance(parts, list):
                waiting.extend(one.child("allOf", index) for index in range(len(parts)))
            target = compiler.target(one)
            if target is not None:
                waiting.append(target)
        self._owners: dict[str, list[Located]] = {}
        for one in self.nodes:
            for keyword in compiler.keywords(one):
                self._owners.setdefault(keyword, []).append(one)

    def owners(self, keyword: str) -> list[Located]:
        """Return the schemas here that use a keyword."""
        return self._owners.get(keyword, [])

    def values(self, keyword: str) -> list[object]:
        """Return what they say under it."""
        return [self.compiler.keywords(node)[keyword] for node in self.owners(keyword)]

    def value(self, keyword: str) -> object:
        """Return the first of them, ``None`` if there is none."""
        return next(iter(self.values(keyword)), None)

    def pointer(self, *keywords: str) -> str | None:
        """Return where one of some keywords stands first, else where the schema stands."""
        for keyword in keywords:
            for node in self.owners(keyword):
                return f"{node.pointer}/{escape(keyword)}"
        return None if self.node is None else self.node.pointer

    def keys(self, *keywords: str, detail: str = "") -> frozenset[Key]:
        """Return the keys of some keywords here."""
        return frozenset(
            (node, keyword, detail) for keyword in keywords for node in self.owners(keyword)
        )

    def named(self, keyword: str) -> dict[str, Located]:
        """Return the schemas below a keyword by name; of several for a name the first."""
        found: dict[str, Located] = {}
        for node in self.owners(keyword):
            below = self.compiler.keywords(node)[keyword]
            if isinstance(below, dict):
                for name in below:
                    found.setdefault(name, node.child(keyword, name))
        return found

    def alternatives(self, keyword: str) -> list[Located]:
        """Return the schemas of a union."""
        return [
            node.child(keyword, index)
            for node in self.owners(keyword)
            for index in range(len(as_list(self.compiler.keywords(node)[keyword])))
        ]

    def required(self) -> dict[str, None]:
        """Return the required names."""
        lists = [names for names in self.values("required") if isinstance(names, list)]
        return {name: None for names in lists for name in names if isinstance(name, str)}

    def title(self) -> str | None:
        """Return the title, if there is one."""
        title = self.value("title")
        return title if isinstance(title, str) and title else None


def as_list(value: object) -> list[object]:
    """Return a list as such, and an empty one for anything else."""
    return value if isinstance(value, list) else []


REST = "rest"


def type_names(spot: Spot) -> tuple[str, ...] | None:
    """Return the allowed type names, ``None`` for all."""
    names: tuple[str, ...] | None = None
    for written in spot.values("type"):
        some = tuple(map(str, written)) if isinstance(written, list) else (str(written),)
        both = [name for name in some if names is None or covers_name(names, name)]
        names = tuple(both) if names is None or both else some
    return names


def covers_name(names: tuple[str, ...], name: str) -> bool:
    """Return whether a type is among some."""
    return name in names or (name == "integer" and "number" in names)


def covers(wider: tuple[str, ...] | None, names: tuple[str, ...] | None) -> bool:
    """Return whether each of some types is among others."""
    if wider is None:
        return True
    return names is not None and all(covers_name(wider, name) for name in names)


def allowed_values(spot: Spot) -> dict[object, object] | None:
    """Return the listed values by identity, ``None`` where any value goes."""
    lists = [value for value in spot.values("enum") if isinstance(value, list)]
    lists += [[value] for value in spot.values("const")]
    if not lists:
        return None
    first, *others = [{identity(value): value for value in values} for values in lists]
    return {key: value for key, value in first.items() if all(key in other for other in others)}


Bound: TypeAlias = tuple[Fraction, bool] | None


def bound(spot: Spot, plain: str, strict: str) -> Bound:
    """Return the tightest bound and whether it is strict."""
    found: Bound = None
    for node in spot.nodes:
        raw = spot.compiler.keywords(node)
        for keyword in (plain, strict):
            value = raw.get(keyword)
            if isinstance(value, int | float) and not isinstance(value, bool):
                is_strict = keyword == strict or raw.get(strict) is True
                one = (exact(value), is_strict)
                if found is None or is_inside(one, found, is_lower=plain == "minimum"):
                    found = one
    return found


def is_inside(one: Bound, other: Bound, *, is_lower: bool) -> bool:
    """Return whether a bound leaves less room than another one."""
    if one is None or other is None:
        return one is not None
    if one[0] == other[0]:
        return one[1]
    return one[0] > other[0] if is_lower else one[0] < other[0]


def bound_words(one: Bound, *, is_lower: bool) -> str:
    """Return a bound in words."""
    if one is None:
        return "without a lower limit" if is_lower else "without an upper limit"
    value, is_strict = one
    number = value.numerator if value.denominator == 1 else float(value)
    if is_strict:
        return f"more than {number}" if is_lower else f"less than {number}"
    return f"at least {number}" if is_lower else f"at most {number}"


def size(spot: Spot, keyword: str) -> int | None:
    """Return the tightest of some bounds on a length or count; a lower bound of 0 says nothing."""
    numbers = [
        int(value)
        for value in spot.values(keyword)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if keyword.startswith("min"):
        return max(numbers, default=0) or None
    return min(numbers, default=None)


def dependents(spot: Spot, keyword: str) -> dict[str, object]:
    """Return the identities of what depends on which property."""
    found: dict[str, object] = {}
    for value in spot.values(keyword):
        if isinstance(value, dict):
            for name, needed in value.items():
                ordered = sorted(map(str, needed)) if isinstance(needed, list) else needed
                found[name] = identity(ordered)
    return found


def entry_schemas(spot: Spot) -> dict[str, Located]:
    """Return the schemas of entries: by index, and one for the rest."""
    found: dict[str, Located] = {}
    for keyword in ("prefixItems", "items"):
        for node in spot.owners(keyword):
            below = spot.compiler.keywords(node)[keyword]
            is_old = node.document.dialect < Dialect.DRAFT_2020_12
            if isinstance(below, list) and (keyword == "items") is is_old:
                for index in range(len(below)):
                    found.setdefault(str(index), node.child(keyword, index))
    for keyword in ("additionalItems", "items"):
        for node in spot.owners(keyword):
            if not isinstance(spot.compiler.keywords(node)[keyword], list):
                found.setdefault(REST, node.child(keyword))
    return found
