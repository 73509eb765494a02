"""Compare what two schemas say of a value itself: its type, bounds, pattern, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from governance.compatibility import sentences
from governance.compatibility.changes import Change, Labels, change_of
from governance.compatibility.report import Kind
from governance.compatibility.spots import (
    Spot,
    allowed_values,
    bound,
    bound_words,
    covers,
    is_inside,
    size,
    type_names,
)
from governance.compatibility.values import identity

if TYPE_CHECKING:
    from governance.compatibility.differing import Differ

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


def whether(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare schemas that forbid everything."""
    forbidden = [[node for node in spot.nodes if node.raw is False] for spot in (old, new)]
    if bool(forbidden[0]) != bool(forbidden[1]):
        keys = frozenset((node, "", "") for nodes in forbidden for node in nodes)
        yield replace(change_of(Kind.SCHEMA_CHANGED, labels, old, new), keys=keys)


def types(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the allowed types."""
    before, after = type_names(old), type_names(new)
    if before == after:
        return
    is_narrower, is_wider = covers(before, after), covers(after, before)
    if is_narrower and is_wider:
        return
    kind = (
        Kind.TYPE_NARROWED if is_narrower else Kind.TYPE_WIDENED if is_wider else Kind.TYPE_CHANGED
    )
    words = [
        "anything" if names is None else sentences.type_words(names) for names in (before, after)
    ]
    yield change_of(kind, labels, old, new, "type", old=words[0], new=words[1])


def listed_values(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the values that are listed as allowed."""
    before, after = allowed_values(old), allowed_values(new)
    if before is None and after is None:
        return
    if before is None or after is None:
        kind = Kind.ENUM_NARROWED if before is None else Kind.ENUM_WIDENED
        listed = sentences.shown_list(list((after or before or {}).values()))
        others = f"other values than {listed}"
        yield change_of(kind, labels, old, new, "enum", "const", removed=others, added=others)
        return
    removed = [value for key, value in before.items() if key not in after]
    added = [value for key, value in after.items() if key not in before]
    if removed or added:
        kind = Kind.ENUM_NARROWED if not added else Kind.ENUM_WIDENED
        kind = Kind.ENUM_CHANGED if removed and added else kind
        words = {"removed": sentences.shown_list(removed), "added": sentences.shown_list(added)}
        yield change_of(kind, labels, old, new, "enum", "const", **words)


def bounds(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the bounds of a number."""
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
        yield change_of(kind, labels, old, new, plain, strict, old=words[0], new=words[1])


def sizes(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the bounds on lengths and counts."""
    for lower, upper, tightened, loosened, unit in SIZES:
        for keyword in (lower, upper):
            before, after = size(old, keyword), size(new, keyword)
            if before == after:
                continue
            sides = [(None, one) if keyword == upper else (one, None) for one in (before, after)]
            words = [sentences.counted(least, most, unit) for least, most in sides]
            is_tighter = is_inside(
                None if after is None else (Fraction(after), False),
                None if before is None else (Fraction(before), False),
                is_lower=keyword == lower,
            )
            kind = tightened if is_tighter else loosened
            yield change_of(kind, labels, old, new, keyword, old=words[0], new=words[1])


def named(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare patterns and formats."""
    for keyword, added, removed, changed in NAMED:
        before, after = old.values(keyword), new.values(keyword)
        if set(map(str, before)) == set(map(str, after)):
            continue
        kind = added if not before else removed if not after else changed
        words = [sentences.listed(map(sentences.shown, some)) for some in (before, after)]
        yield change_of(kind, labels, old, new, keyword, old=words[0], new=words[1])


def multiples(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the step of a number."""
    before, after = old.value("multipleOf"), new.value("multipleOf")
    if before != after:
        words = ["any number" if one is None else f"a multiple of {one}" for one in (before, after)]
        kind = Kind.MULTIPLE_OF_CHANGED
        yield change_of(kind, labels, old, new, "multipleOf", old=words[0], new=words[1])


def flags(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare whether the entries of a list have to differ."""
    before, after = True in old.values("uniqueItems"), True in new.values("uniqueItems")
    if before != after:
        kind = Kind.UNIQUE_ITEMS_ADDED if after else Kind.UNIQUE_ITEMS_REMOVED
        yield change_of(kind, labels, old, new, "uniqueItems")


def content_form(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare how a text carries other content."""
    for keyword in ("contentEncoding", "contentMediaType"):
        before, after = old.value(keyword), new.value(keyword)
        if before != after:
            words = [sentences.shown("none" if one is None else one) for one in (before, after)]
            kind = Kind.CONTENT_FORM_CHANGED
            yield change_of(kind, labels, old, new, keyword, old=words[0], new=words[1])


def remarks(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare what is said for people."""
    for keyword in REMARKS:
        before, after = old.values(keyword), new.values(keyword)
        if list(map(identity, before)) != list(map(identity, after)):
            yield change_of(Kind.MEANING_CHANGED, labels, old, new, keyword, detail=keyword)
