"""Read the schemas of one version: each place once, references only when somebody needs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from governance.compatibility import (
    array_keywords,
    form_keywords,
    object_keywords,
    value_keywords,
)
from governance.compatibility import formulas as f
from governance.compatibility.algebra import NEVER, Algebra
from governance.compatibility.documents import Dialect, Library, Located
from governance.compatibility.keywords import Part, Reader
from governance.compatibility.twins import Twins

READERS: dict[str, Reader] = {
    **value_keywords.READERS,
    **object_keywords.READERS,
    **array_keywords.READERS,
    **form_keywords.READERS,
}
IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
IN_PLACE_SINGLE = ("not", "if", "then", "else")


@dataclass(frozen=True, slots=True)
class Elder:
    """The version before, from which formulas are taken over where nothing changed."""

    compiler: Compiler
    twins: Twins


class Compiler:
    """Turns the schemas of one side into formulas; each place is read once."""

    def __init__(
        self,
        algebra: Algebra,
        library: Library,
        elder: Elder | None = None,
    ) -> None:
        self.algebra = algebra
        self.library = library
        self.elder = elder
        self._formulas: dict[Located, f.Formula] = {}
        self._targets: dict[Located, Located | None] = {}
        self._loops: dict[Located, bool] = {}

    def formula(self, node: Located) -> f.Formula:
        """Return what the schema at a node asks."""
        known = self._formulas.get(node)
        if known is None:
            twin = self.canonical(node)
            if twin is not node and self.elder is not None:
                known = self.elder.compiler.formula(twin)
            else:
                known = self.algebra.both([part.formula for part in self.parts(node)])
            self._formulas[node] = known
        return known

    def canonical(self, node: Located) -> Located:
        """Return the schema in an elder version that this one repeats, else the schema itself."""
        return node if self.elder is None else self.elder.twins.canonical(node)

    def below(self, node: Located, *tokens: str | int) -> f.Formula:
        """Return what a schema below a node asks."""
        return self.formula(node.child(*tokens))

    def keywords(self, node: Located) -> Mapping[str, object]:
        """Return the keywords that count at a node: beside an older ``$ref`` no other does."""
        raw = node.raw
        if not isinstance(raw, dict):
            return {}
        if "$ref" in raw and node.document.dialect <= Dialect.DRAFT_07:
            return {"$ref": raw["$ref"]}
        return raw

    def parts(self, node: Located) -> Iterator[Part]:
        """Yield everything that the schema at a node asks, keyword by keyword."""
        if node.raw is False:
            yield Part(keyword="", formula=NEVER)
            return
        if not isinstance(node.raw, dict | bool):
            nowhere = ("not a schema", id(node.document), node.pointer)
            yield Part(keyword="", formula=self.algebra.make(f.Unreadable, nowhere, False))
            return
        raw = self.keywords(node)
        dialect = node.document.dialect
        for keyword in raw:
            reader = READERS.get(keyword)
            if reader is not None and reader.first <= dialect <= reader.last:
                try:
                    yield from reader.read(self, node, raw)
                except (TypeError, ValueError, AttributeError, KeyError):
                    # Malformed: what it asks is unknown, so the verdict must not lean on it.
                    key = (id(node.document), node.pointer, keyword)
                    yield Part(keyword=keyword, formula=self.algebra.make(f.Unreadable, key, False))

    def target(self, node: Located) -> Located | None:
        """Return where the reference at a node leads; ``None`` if nowhere, or only to itself."""
        if node not in self._targets:
            self._targets[node] = self._find_target(node)
        return self._targets[node]

    def _find_target(self, node: Located) -> Located | None:
        raw = self.keywords(node)
        reference, document = raw.get("$ref"), node.document
        if reference is None and "$dynamicRef" in raw:
            reference = raw["$dynamicRef"]
            anchor = str(reference).rpartition("#")[2]
            if len(document.dynamic_anchors.get(anchor, ())) > 1:
                return None  # which one is meant depends on the way by which one got here
        elif reference is None and not document.has_recursive_anchor:
            reference = raw.get("$recursiveRef")
        if not isinstance(reference, str):
            return None
        return self.library.target(node, reference)

    def reference(self, node: Located, keyword: str) -> f.Formula:
        """Return the formula of a reference, which is read only when somebody needs it."""
        target = self.target(node)
        if target is None or self._is_loop(target):
            written = self.keywords(node)[keyword]
            is_foreign = isinstance(written, str) and not written.startswith("#")
            key = ("reference", written if is_foreign else (id(node.document), node.pointer))
            return self.algebra.make(f.Unreadable, key, False)
        return self.algebra.make(f.Reference, self.canonical(target), False)

    def _is_loop(self, start: Located) -> bool:
        """Return whether a schema refers to itself without going deeper into the document."""
        if start not in self._loops:
            seen: set[Located] = set()
            waiting = list(self.in_place(start))
            while waiting:
                node = waiting.pop()
                if node not in seen:
                    seen.add(node)
                    waiting.extend(self.in_place(node))
            self._loops[start] = start in seen
        return self._loops[start]

    def in_place(self, node: Located) -> Iterator[Located]:  # noqa: C901  one loop a keyword
        """Yield the schemas that speak of the same value as this one does."""
        raw = self.keywords(node)
        for keyword in IN_PLACE_LISTS:
            alternatives = raw.get(keyword)
            if isinstance(alternatives, list):
                yield from (node.child(keyword, index) for index in range(len(alternatives)))
        for keyword in IN_PLACE_SINGLE:
            if isinstance(raw.get(keyword), dict):
                yield node.child(keyword)
        for keyword in ("dependentSchemas", "dependencies"):
            dependents = raw.get(keyword)
            if isinstance(dependents, dict):
                for name, dependent in dependents.items():
                    if isinstance(dependent, dict):
                        yield node.child(keyword, name)
        if "$ref" in raw or "$dynamicRef" in raw or "$recursiveRef" in raw:
            target = self.target(node)
            if target is not None:
                yield target
