"""Compare the entries of lists, the forms that a value may take, and the conditions on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from governance.compatibility import sentences
from governance.compatibility.apartness import signature
from governance.compatibility.changes import Change, Labels, change_of
from governance.compatibility.documents import Located
from governance.compatibility.report import Kind
from governance.compatibility.spots import REST, Spot, entry_schemas
from governance.compatibility.values import identity

if TYPE_CHECKING:
    from governance.compatibility.differing import Differ

ENTRIES = ("items", "prefixItems", "additionalItems")
UNIONS = (("anyOf", Kind.ANY_OF_CHANGED), ("oneOf", Kind.ONE_OF_CHANGED))
# Keywords that are compared as a whole: what changes inside them is one change.
WHOLES: dict[Kind, tuple[str, ...]] = {
    Kind.PROPERTY_NAMES_CHANGED: ("propertyNames",),
    Kind.CONTAINS_CHANGED: ("contains", "minContains", "maxContains"),
    Kind.NOT_CHANGED: ("not",),
    Kind.UNEVALUATED_CHANGED: ("unevaluatedProperties", "unevaluatedItems"),
}
BRANCHES = ("then", "else")


def entries(walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the entries of a list: each that has a schema of its own, and the rest."""
    before, after = entry_schemas(old), entry_schemas(new)
    for place in {**before, **after}:
        pair = before.get(place), after.get(place)
        label = "each entry" if place == REST else f"entry {int(place) + 1}"
        if pair[0] is not None and pair[1] is not None:
            yield from walk.pair(*pair, (*labels, label))
            continue
        has_it = pair[0] if pair[0] is not None else pair[1]
        if has_it is None or has_it.raw is True or has_it.raw == {}:
            continue
        detail = "" if place == REST else place
        pointers = [one.pointer if one is not None else None for one in pair]
        yield replace(
            change_of(Kind.ITEMS_CHANGED, labels, old, new, *ENTRIES, detail=detail),
            old_pointer=pointers[0],
            new_pointer=pointers[1],
        )


def unions(walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the forms that a value may take, those that go together in all that they hold."""
    for keyword, kind in UNIONS:
        pairs, alone = _matched(walk, old.alternatives(keyword), new.alternatives(keyword))
        for one, other in pairs:
            yield from walk.pair(one, other, (*labels, _alternative_label(walk, other)))
        if alone:
            yield change_of(kind, labels, old, new, keyword)


def _matched(
    walk: Differ, before: list[Located], after: list[Located]
) -> tuple[list[tuple[Located, Located]], bool]:
    """Return which alternatives go together, and whether any stay alone."""
    pairs = []
    left, right = list(before), list(after)
    for is_match in (walk.are_alike, walk.are_same_form):
        for one in list(left):
            partner = next((other for other in right if is_match(one, other)), None)
            if partner is not None:
                pairs.append((one, partner))
                left.remove(one)
                right.remove(partner)
    if len(left) == len(right) == 1:
        pairs.append((left.pop(), right.pop()))
    return pairs, bool(left or right)


def _alternative_label(walk: Differ, node: Located) -> str:
    """Return what an alternative is called: by its title, its mark or its type."""
    title = Spot(node, walk.new).title()
    if title:
        return title
    plain = signature(walk.new, node)
    marks = [str(value[1]) for values in plain.marks.values() for value in values]
    if marks:
        return sentences.listed(sorted(marks))
    return sentences.type_words(sorted(plain.types)) if plain.types else "one form"


def wholes(_walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare the keywords that count as one thing."""
    for kind, keywords in WHOLES.items():
        if _written(old, keywords) != _written(new, keywords):
            yield change_of(kind, labels, old, new, *keywords)


def _written(spot: Spot, keywords: tuple[str, ...]) -> list[object]:
    """Return what stands under some keywords, to be compared."""
    return [(keyword, identity(value)) for keyword in keywords for value in spot.values(keyword)]


def conditions(walk: Differ, old: Spot, new: Spot, labels: Labels) -> Iterator[Change]:
    """Compare conditions: where one stayed, what follows from it, field by field."""
    before, after = _by_condition(old), _by_condition(new)
    for test in [test for test in before if test in after]:
        yield from _branches(walk, before.pop(test), after.pop(test), labels)
    for one, other in zip_longest(before.values(), after.values()):
        yield _condition_changed(labels, one, other, BRANCHES)


def _by_condition(spot: Spot) -> dict[object, Located]:
    """Return the schemas here that say what follows from a condition, by that condition."""
    found: dict[object, Located] = {}
    for node in spot.owners("if"):
        raw = spot.compiler.keywords(node)
        if "then" in raw or "else" in raw:
            found.setdefault(identity(raw["if"]), node)
    return found


def _branches(walk: Differ, one: Located, other: Located, labels: Labels) -> Iterator[Change]:
    """Compare what follows from the same condition on both sides."""
    raw_one, raw_other = walk.old.keywords(one), walk.new.keywords(other)
    for branch in BRANCHES:
        if branch in raw_one and branch in raw_other:
            when = sentences.condition(raw_other["if"], is_met=branch == "then")
            yield from walk.pair(one.child(branch), other.child(branch), (*labels, when))
        elif branch in raw_one or branch in raw_other:
            yield _condition_changed(labels, one, other, (branch,))


def _condition_changed(
    labels: Labels, one: Located | None, other: Located | None, branches: tuple[str, ...]
) -> Change:
    """Return the change of a condition, which touches what follows from it."""
    nodes = [node for node in (one, other) if node is not None]
    when = sentences.condition(nodes[-1].child("if").raw, is_met=branches != ("else",))
    return Change(
        kind=Kind.CONDITION_CHANGED,
        message=sentences.say(Kind.CONDITION_CHANGED, labels, detail=when),
        old_pointer=f"{one.pointer}/if" if one is not None else None,
        new_pointer=f"{other.pointer}/if" if other is not None else None,
        keys=frozenset((node, "if", branch) for node in nodes for branch in branches),
    )
