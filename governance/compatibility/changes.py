"""Compare two schemas as written: every change, with its sentence and where it stands.

What a change does to anybody is not judged here: ``keys`` name the things in either schema that
it touches, and ``checking`` looks up which of them are broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from governance.compatibility import sentences
from governance.compatibility.apartness import signature
from governance.compatibility.compiling import Compiler
from governance.compatibility.documents import Located
from governance.compatibility.report import Kind
from governance.compatibility.spots import (
    REST,
    Key,
    Spot,
    allowed_values,
    bound,
    bound_words,
    covers,
    dependents,
    entry_schemas,
    is_inside,
    size,
    type_names,
)
from governance.compatibility.values import identity

Labels: TypeAlias = tuple[str, ...]

REMARKS = (
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "x-searchable",
    "x-sensitive",
)
# Keywords that are compared as a whole: what changes inside them is one change.
WHOLES: dict[Kind, tuple[str, ...]] = {
    Kind.PROPERTY_NAMES_CHANGED: ("propertyNames",),
    Kind.CONTAINS_CHANGED: ("contains", "minContains", "maxContains"),
    Kind.NOT_CHANGED: ("not",),
    Kind.CONDITION_CHANGED: ("if", "then", "else"),
    Kind.UNEVALUATED_CHANGED: ("unevaluatedProperties", "unevaluatedItems"),
}
UNIONS = (("anyOf", Kind.ANY_OF_CHANGED), ("oneOf", Kind.ONE_OF_CHANGED))
DEPENDENTS = ("dependentRequired", "dependentSchemas", "dependencies")
SIZES: tuple[tuple[str, str, Kind, Kind, str], ...] = (
    ("minLength", "maxLength", Kind.LENGTH_TIGHTENED, Kind.LENGTH_LOOSENED, "characters"),
    ("minItems", "maxItems", Kind.ITEM_COUNT_TIGHTENED, Kind.ITEM_COUNT_LOOSENED, "entries"),
    (
        "minProperties",
        "maxProperties",
        Kind.PROPERTY_COUNT_TIGHTENED,
        Kind.PROPERTY_COUNT_LOOSENED,
        "fields",
    ),
)
NAMED: tuple[tuple[str, Kind, Kind, Kind], ...] = (
    ("pattern", Kind.PATTERN_ADDED, Kind.PATTERN_REMOVED, Kind.PATTERN_CHANGED),
    ("format", Kind.FORMAT_ADDED, Kind.FORMAT_REMOVED, Kind.FORMAT_CHANGED),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference between two schemas."""

    kind: Kind
    message: str
    old_pointer: str | None
    new_pointer: str | None
    keys: frozenset[Key]


class Differ:
    """Walks two schemas side by side; each pair of places is looked at once."""

    def __init__(self, old: Compiler, new: Compiler) -> None:
        self.old = old
        self.new = new
        self._seen: set[tuple[Located | None, Located | None]] = set()

    def changes(self) -> Iterator[Change]:
        """Yield every change, from the outside in."""
        yield from self._pair(self.old.library.document.root, self.new.library.document.root, ())

    def _pair(
        self, old_node: Located | None, new_node: Located | None, labels: Labels
    ) -> Iterator[Change]:
        if (old_node, new_node) in self._seen:
            return
        self._seen.add((old_node, new_node))
        if self._are_alike(old_node, new_node):
            return
        old, new = Spot(old_node, self.old), Spot(new_node, self.new)
        for compare in (
            self._whether,
            self._types,
            self._values,
            self._bounds,
            self._sizes,
            self._named,
            self._multiples,
            self._flags,
            self._content_form,
            self._required,
            self._properties,
            self._rest,
            self._dependents,
            self._entries,
            self._unions,
            self._wholes,
            self._remarks,
        ):
            yield from compare(old, new, labels)

    def _are_alike(self, old: Located | None, new: Located | None) -> bool:
        """Return whether a schema stayed the same, with everything that it refers to."""
        return old is not None and new is not None and self.new.canonical(new) is old

    @staticmethod
    def _change(
        kind: Kind,
        labels: Labels,
        was: Spot,
        now: Spot,
        *keywords: str,
        detail: str = "",
        **words: str,
    ) -> Change:
        return Change(
            kind=kind,
            message=sentences.say(kind, labels, detail=detail, **words),
            old_pointer=was.pointer(*keywords),
            new_pointer=now.pointer(*keywords),
            keys=was.keys(*keywords, detail=detail) | now.keys(*keywords, detail=detail),
        )

    def _whether(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        """Compare schemas that forbid everything."""
        forbidden = [[node for node in spot.nodes if node.raw is False] for spot in (old, new)]
        if bool(forbidden[0]) != bool(forbidden[1]):
            keys = frozenset((node, "", "") for nodes in forbidden for node in nodes)
            change = self._change(Kind.SCHEMA_CHANGED, labels, old, new)
            yield Change(
                kind=change.kind,
                message=change.message,
                old_pointer=change.old_pointer,
                new_pointer=change.new_pointer,
                keys=keys,
            )

    def _types(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = type_names(old), type_names(new)
        if before == after:
            return
        is_narrower, is_wider = covers(before, after), covers(after, before)
        if is_narrower and is_wider:
            return
        kind = (
            Kind.TYPE_NARROWED
            if is_narrower
            else Kind.TYPE_WIDENED
            if is_wider
            else Kind.TYPE_CHANGED
        )
        words = [
            "anything" if names is None else sentences.type_words(names)
            for names in (before, after)
        ]
        yield self._change(kind, labels, old, new, "type", old=words[0], new=words[1])

    def _values(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = allowed_values(old), allowed_values(new)
        if before is None and after is None:
            return
        if before is None or after is None:
            kind = Kind.ENUM_NARROWED if before is None else Kind.ENUM_WIDENED
            listed = sentences.shown_list(list((after or before or {}).values()))
            words = {
                "removed": f"other values than {listed}",
                "added": f"other values than {listed}",
            }
        else:
            removed = [value for key, value in before.items() if key not in after]
            added = [value for key, value in after.items() if key not in before]
            if not removed and not added:
                return
            kind = Kind.ENUM_NARROWED if not added else Kind.ENUM_WIDENED
            kind = Kind.ENUM_CHANGED if removed and added else kind
            words = {
                "removed": sentences.shown_list(removed),
                "added": sentences.shown_list(added),
            }
        yield self._change(kind, labels, old, new, "enum", "const", **words)

    def _bounds(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        for plain, strict, is_lower in (
            ("minimum", "exclusiveMinimum", True),
            ("maximum", "exclusiveMaximum", False),
        ):
            before, after = bound(old, plain, strict), bound(new, plain, strict)
            if before == after:
                continue
            is_tighter = is_inside(after, before, is_lower=is_lower)
            kind = Kind.BOUND_TIGHTENED if is_tighter else Kind.BOUND_LOOSENED
            words = [bound_words(one, is_lower=is_lower) for one in (before, after)]
            yield self._change(kind, labels, old, new, plain, strict, old=words[0], new=words[1])

    def _sizes(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        for lower, upper, tightened, loosened, unit in SIZES:
            for keyword in (lower, upper):
                before, after = size(old, keyword), size(new, keyword)
                if before == after:
                    continue
                sides = [
                    (None, one) if keyword == upper else (one, None) for one in (before, after)
                ]
                words = [sentences.counted(least, most, unit) for least, most in sides]
                is_tighter = is_inside(
                    None if after is None else (Fraction(after), False),
                    None if before is None else (Fraction(before), False),
                    is_lower=keyword == lower,
                )
                kind = tightened if is_tighter else loosened
                yield self._change(kind, labels, old, new, keyword, old=words[0], new=words[1])

    def _named(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        for keyword, added, removed, changed in NAMED:
            before, after = old.values(keyword), new.values(keyword)
            if set(map(str, before)) == set(map(str, after)):
                continue
            kind = added if not before else removed if not after else changed
            words = [sentences.listed(map(sentences.shown, some)) for some in (before, after)]
            yield self._change(kind, labels, old, new, keyword, old=words[0], new=words[1])

    def _multiples(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = old.value("multipleOf"), new.value("multipleOf")
        if before != after:
            words = [
                "any number" if one is None else f"a multiple of {one}" for one in (before, after)
            ]
            kind = Kind.MULTIPLE_OF_CHANGED
            yield self._change(kind, labels, old, new, "multipleOf", old=words[0], new=words[1])

    def _flags(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = True in old.values("uniqueItems"), True in new.values("uniqueItems")
        if before != after:
            kind = Kind.UNIQUE_ITEMS_ADDED if after else Kind.UNIQUE_ITEMS_REMOVED
            yield self._change(kind, labels, old, new, "uniqueItems")

    def _content_form(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        for keyword in ("contentEncoding", "contentMediaType"):
            before, after = old.value(keyword), new.value(keyword)
            if before != after:
                words = [sentences.shown("none" if one is None else one) for one in (before, after)]
                kind = Kind.CONTENT_FORM_CHANGED
                yield self._change(kind, labels, old, new, keyword, old=words[0], new=words[1])

    def _required(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = old.required(), new.required()
        before_named, after_named = old.named("properties"), new.named("properties")
        for name in {**before, **after}:
            if (name in before) == (name in after):
                continue
            kind = Kind.REQUIRED_ADDED if name in after else Kind.REQUIRED_REMOVED
            places = before_named.get(name), after_named.get(name)
            inner = self._labelled(labels, name, *places)
            pointers = [
                place.pointer if place is not None else spot.pointer("required")
                for place, spot in zip(places, (old, new), strict=True)
            ]
            keys = old.keys("required", detail=name) | new.keys("required", detail=name)
            yield Change(
                kind=kind,
                message=sentences.say(kind, inner),
                old_pointer=pointers[0],
                new_pointer=pointers[1],
                keys=keys,
            )

    def _labelled(
        self, labels: Labels, name: str, old_node: Located | None, new_node: Located | None
    ) -> Labels:
        """Return the labels down to a field: its newest title, else its name."""
        new, old = Spot(new_node, self.new), Spot(old_node, self.old)
        return (*labels, new.title() or old.title() or name)

    def _properties(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = old.named("properties"), new.named("properties")
        rest = ("additionalProperties", "unevaluatedProperties")
        for name in {**before, **after}:
            place_before, place_after = before.get(name), after.get(name)
            inner = self._labelled(labels, name, place_before, place_after)
            if place_before is not None and place_after is not None:
                yield from self._pair(place_before, place_after, inner)
                continue
            kind = Kind.PROPERTY_ADDED if place_before is None else Kind.PROPERTY_REMOVED
            has_it, lacks_it = (new, old) if place_before is None else (old, new)
            keys = has_it.keys("properties", detail=name) | lacks_it.keys(*rest, detail=name)
            yield Change(
                kind=kind,
                message=sentences.say(kind, inner),
                old_pointer=place_before.pointer if place_before else None,
                new_pointer=place_after.pointer if place_after else None,
                keys=keys,
            )
        yield from self._by_pattern(old, new, labels)

    def _by_pattern(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = old.named("patternProperties"), new.named("patternProperties")
        for pattern in {**before, **after}:
            if pattern in before and pattern in after:
                inner = (*labels, sentences.shown(pattern))
                yield from self._pair(before[pattern], after[pattern], inner)
            if (pattern in before) != (pattern in after):
                kind = Kind.PATTERN_PROPERTIES_CHANGED
                yield self._change(kind, labels, old, new, "patternProperties", detail=pattern)

    def _rest(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        """Compare what is said of properties that are not listed."""
        keyword = "additionalProperties"
        before, after = old.value(keyword), new.value(keyword)
        if isinstance(before, dict) and isinstance(after, dict):
            inner = (*labels, "each unlisted field")
            pair = old.owners(keyword)[0].child(keyword), new.owners(keyword)[0].child(keyword)
            yield from self._pair(*pair, inner)
            return
        openness = [one is None or one is True or one == {} for one in (before, after)]
        if all(openness) or (before is False and after is False):
            return
        kind = Kind.ADDITIONAL_PROPERTIES_CHANGED
        if after is False:
            kind = Kind.CONTENT_CLOSED
        elif before is False:
            kind = Kind.CONTENT_OPENED
        yield self._change(kind, labels, old, new, keyword)

    def _dependents(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        for keyword in DEPENDENTS:
            before, after = dependents(old, keyword), dependents(new, keyword)
            for name in {**before, **after}:
                if before.get(name) != after.get(name):
                    kind = Kind.DEPENDENCIES_CHANGED
                    yield self._change(kind, labels, old, new, keyword, detail=name)

    def _entries(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        before, after = entry_schemas(old), entry_schemas(new)
        for place in {**before, **after}:
            pair = before.get(place), after.get(place)
            label = "each entry" if place == REST else f"entry {int(place) + 1}"
            if pair[0] is not None and pair[1] is not None:
                yield from self._pair(*pair, (*labels, label))
                continue
            has_it = pair[0] if pair[0] is not None else pair[1]
            if has_it is None or has_it.raw is True or has_it.raw == {}:
                continue
            detail = "" if place == REST else place
            keywords = ("items", "prefixItems", "additionalItems")
            change = self._change(Kind.ITEMS_CHANGED, labels, old, new, *keywords, detail=detail)
            pointers = [one.pointer if one is not None else None for one in pair]
            yield Change(
                kind=change.kind,
                message=change.message,
                old_pointer=pointers[0],
                new_pointer=pointers[1],
                keys=change.keys,
            )

    def _unions(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        for keyword, kind in UNIONS:
            before, after = old.alternatives(keyword), new.alternatives(keyword)
            pairs, alone = self._matched(before, after)
            for one, other in pairs:
                yield from self._pair(one, other, (*labels, self._alternative_label(other)))
            if alone:
                yield self._change(kind, labels, old, new, keyword)

    def _matched(
        self, before: list[Located], after: list[Located]
    ) -> tuple[list[tuple[Located, Located]], bool]:
        """Return which alternatives go together, and whether any stay alone."""
        pairs = []
        left, right = list(before), list(after)
        for is_match in (self._are_alike, self._are_same_form):
            for one in list(left):
                partner = next((other for other in right if is_match(one, other)), None)
                if partner is not None:
                    pairs.append((one, partner))
                    left.remove(one)
                    right.remove(partner)
        if len(left) == len(right) == 1:
            pairs.append((left.pop(), right.pop()))
        return pairs, bool(left or right)

    def _are_same_form(self, old: Located, new: Located) -> bool:
        """Return whether two alternatives have a title, or types and marks, in common."""
        titles = Spot(old, self.old).title(), Spot(new, self.new).title()
        if titles[0] and titles[1]:
            return titles[0] == titles[1]
        ours, theirs = signature(self.old, old), signature(self.new, new)
        return ours == theirs

    def _alternative_label(self, node: Located) -> str:
        """Return what an alternative is called: by its title, its mark or its type."""
        title = Spot(node, self.new).title()
        if title:
            return title
        plain = signature(self.new, node)
        marks = [str(value[1]) for values in plain.marks.values() for value in values]
        if marks:
            return sentences.listed(sorted(marks))
        return sentences.type_words(sorted(plain.types)) if plain.types else "one form"

    def _wholes(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        for kind, keywords in WHOLES.items():
            sides = [
                [(keyword, identity(value)) for keyword in keywords for value in s.values(keyword)]
                for s in (old, new)
            ]
            if sides[0] != sides[1]:
                change = self._change(kind, labels, old, new, *keywords)
                details = ("then", "else") if kind is Kind.CONDITION_CHANGED else ()
                keys = change.keys
                for detail in details:
                    keys |= old.keys("if", detail=detail) | new.keys("if", detail=detail)
                yield Change(
                    kind=kind,
                    message=change.message,
                    old_pointer=change.old_pointer,
                    new_pointer=change.new_pointer,
                    keys=keys,
                )

    def _remarks(self, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
        changed = [
            keyword
            for keyword in REMARKS
            if list(map(identity, old.values(keyword))) != list(map(identity, new.values(keyword)))
        ]
        for keyword in changed:
            yield self._change(Kind.MEANING_CHANGED, labels, old, new, keyword, detail=keyword)
