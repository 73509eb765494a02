"""Find the schemas that both versions share word for word.

Such a schema then is one formula on both sides, so nobody has to compare it with itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
        if (
            elder.document.dialect != younger.document.dialect
            or elder.base != younger.base
            or elder.raw != younger.raw
        ):
            return False
        text = repr(younger.raw)
        if repr(elder.raw) != text:  # Python takes true for 1; nor is it worth telling orders apart
            return False
        if not any(mark in text for mark in REFERENCE_MARKS):
            return True
        for place, written in references(younger):
            if elder.document.has_recursive_anchor:
                return False
            twin = elder.document.at(place.pointer, place.raw, place.base)
            ours = self.elder.target(twin, written)
            theirs = self.younger.target(place, written)
            if ours is None or theirs is None:
                if ours is not theirs:
                    return False
            elif not self._are_same(ours, theirs, assumed):
                return False
        return True


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
