"""Compare what two schemas say of the fields of a group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from governance.compatibility import sentences
from governance.compatibility.changes import Change, Labels, change_of
from governance.compatibility.report import Kind
from governance.compatibility.spots import Spot, dependents

if TYPE_CHECKING:
    from governance.compatibility.differing import Differ

DEPENDENTS = ("dependentRequired", "dependentSchemas", "dependencies")
OTHER_FIELDS = ("additionalProperties", "unevaluatedProperties")


def required(walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare which fields have to be there."""
    before, after = old.required(), new.required()
    before_named, after_named = old.named("properties"), new.named("properties")
    for name in {**before, **after}:
        if (name in before) == (name in after):
            continue
        kind = Kind.REQUIRED_ADDED if name in after else Kind.REQUIRED_REMOVED
        places = before_named.get(name), after_named.get(name)
        pointers = [
            place.pointer if place is not None else spot.pointer("required")
            for place, spot in zip(places, (old, new), strict=True)
        ]
        yield Change(
            kind=kind,
            message=sentences.say(kind, walk.labelled(labels, name, *places)),
            old_pointer=pointers[0],
            new_pointer=pointers[1],
            keys=old.keys("required", detail=name) | new.keys("required", detail=name),
        )


def properties(walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the listed fields, and those that stayed in all that they hold."""
    before, after = old.named("properties"), new.named("properties")
    for name in {**before, **after}:
        place_before, place_after = before.get(name), after.get(name)
        inner = walk.labelled(labels, name, place_before, place_after)
        if place_before is not None and place_after is not None:
            yield from walk.pair(place_before, place_after, inner)
            continue
        kind = Kind.PROPERTY_ADDED if place_before is None else Kind.PROPERTY_REMOVED
        has_it, lacks_it = (new, old) if place_before is None else (old, new)
        yield Change(
            kind=kind,
            message=sentences.say(kind, inner),
            old_pointer=place_before.pointer if place_before else None,
            new_pointer=place_after.pointer if place_after else None,
            keys=has_it.keys("properties", detail=name) | lacks_it.keys(*OTHER_FIELDS, detail=name),
        )


def by_pattern(walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the fields whose names match a pattern."""
    before, after = old.named("patternProperties"), new.named("patternProperties")
    for pattern in {**before, **after}:
        if pattern in before and pattern in after:
            inner = (*labels, sentences.shown(pattern))
            yield from walk.pair(before[pattern], after[pattern], inner)
        if (pattern in before) != (pattern in after):
            kind = Kind.PATTERN_PROPERTIES_CHANGED
            yield change_of(kind, labels, old, new, "patternProperties", detail=pattern)


def others(walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare what is said of fields that are not listed."""
    keyword = "additionalProperties"
    before, after = old.value(keyword), new.value(keyword)
    if isinstance(before, dict) and isinstance(after, dict):
        inner = (*labels, "each unlisted field")
        pair = old.owners(keyword)[0].child(keyword), new.owners(keyword)[0].child(keyword)
        yield from walk.pair(*pair, inner)
        return
    openness = [one is None or one is True or one == {} for one in (before, after)]
    if all(openness) or (before is False and after is False):
        return
    kind = Kind.ADDITIONAL_PROPERTIES_CHANGED
    if after is False:
        kind = Kind.CONTENT_CLOSED
    elif before is False:
        kind = Kind.CONTENT_OPENED
    yield change_of(kind, labels, old, new, keyword)


def dependencies(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare what a field needs beside it."""
    for keyword in DEPENDENTS:
        before, after = dependents(old, keyword), dependents(new, keyword)
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                kind = Kind.DEPENDENCIES_CHANGED
                yield change_of(kind, labels, old, new, keyword, detail=name)
