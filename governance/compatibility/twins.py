"""Find the schemas that both versions share word for word.

Such a schema then is one formula on both sides, so nobody has to compare it with itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from governance.compatibility.documents import Library, Located, follow, subschemas

REFERENCE_MARKS = ("'$ref'", "Ref'")
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class Twins:
    """The twins of one library's definitions in another one."""

    def __init__(self, elder: Library, younger: Library) -> None:
        self.elder = elder
        self.younger = younger
        self._twins: dict[Located, Located] = {}

    def canonical(self, node: Located) -> Located:
        """Return the elder's twin of a schema, or the schema itself if it has none."""
        known = self._twins.get(node)
        if known is None:
            elder = self._counterpart(node)
            is_twin = elder is not None and self._are_same(elder, node, set())
            known = elder if is_twin and elder is not None else node
            self._twins[node] = known
        return known

    def _counterpart(self, node: Located) -> Located | None:
        document = node.document
        if document is self.younger.document:
            elder = self.elder.document
        else:
            found = self.elder.external(document.uri)
            if found is None:
                return None
            elder = found
        known = elder.nodes.get(node.pointer)
        if known is not None:
            return known
        try:
            return follow(elder.root, node.pointer)
        except KeyError:
            return None

    def _are_same(
        self, elder: Located, younger: Located, assumed: set[tuple[Located, Located]]
    ) -> bool:
        """Return whether two schemas are alike, with everything that they refer to."""
        pair = (elder, younger)
        if pair in assumed:
            return True
        assumed.add(pair)
        text = repr(younger.raw)
        if not self._read_alike(elder, younger, text):
            return False
        if not any(mark in text for mark in REFERENCE_MARKS):
            return True
        return not elder.document.has_recursive_anchor and all(
            self._lead_to_same(elder, place, written, assumed)
            for place, written in references(younger)
        )

    @staticmethod
    def _read_alike(elder: Located, younger: Located, text: str) -> bool:
        """Return whether two schemas are the same text, read in the same way."""
        return (
            elder.document.dialect == younger.document.dialect
            and elder.raw == younger.raw
            and repr(elder.raw) == text  # Python takes true for 1
        )

    def _lead_to_same(
        self,
        elder: Located,
        place: Located,
        written: str,
        assumed: set[tuple[Located, Located]],
    ) -> bool:
        """Return whether a reference means alike schemas on both sides."""
        twin = follow(elder.document.root, place.pointer)
        ours, theirs = self.elder.target(twin, written), self.younger.target(place, written)
        if ours is None or theirs is None:
            return ours is theirs and elder.base == place.base
        return self._are_same(ours, theirs, assumed)


def references(node: Located) -> Iterator[tuple[Located, str]]:
    """Yield (place, reference as written) for each reference in a schema."""
    raw = node.raw
    if not isinstance(raw, dict):
        return
    for keyword in REFERENCES:
        written = raw.get(keyword)
        if isinstance(written, str):
            yield node, written
    for below, inner in subschemas(raw):
        if isinstance(inner, dict):
            base = node.document.base_of(inner, node.base)
            yield from references(node.document.at(node.pointer + below, inner, base))
