"""What a contract change means for one reader of the events, by the fields that it reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from catalog import schemas
from governance.compatibility import Direction, Finding, Kind, Report, Severity

Steps = tuple[str, ...]


class Effect(StrEnum):
    """What a change does to one reader, the worst first."""

    BREAKS = "breaks"
    LOOK = "look"  # a person has to judge
    GAINS = "gains"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, kw_only=True, slots=True)
class Impact:
    """The effect, and the sentences of the findings that cause it."""

    effect: Effect
    because: tuple[str, ...] = ()


def judge(
    report: Report,
    *,
    old: schemas.Schema,
    new: schemas.Schema,
    reads: Iterable[str] | None,
    resolve: schemas.Resolve | None = None,
) -> Impact:
    """Judge a change for a reader of the old contract that will meet events of the new one.

    `report` compares old and new in both directions (`Mode.FULL`). `reads` are JSON pointers into
    the data, `*` for every entry; None, or "" among them, for a reader of everything.
    """
    wanted = None if reads is None else [steps_of(pointer) for pointer in reads]
    if wanted is not None and () in wanted:
        wanted = None
    places = _Places(old, new, resolve)
    by_effect: dict[Effect, list[str]] = {}
    for finding in report.findings:
        effect = _effect(finding)
        if effect is not None and _concerns(places.of(finding), wanted):
            by_effect.setdefault(effect, []).append(finding.message)
    for effect in (Effect.BREAKS, Effect.LOOK, Effect.GAINS):
        if effect is Effect.GAINS and wanted is None:
            continue  # who reads everything gains with every field; that is no news
        if effect in by_effect:
            return Impact(effect=effect, because=tuple(dict.fromkeys(by_effect[effect])))
    return Impact(effect=Effect.UNTOUCHED)


def _effect(finding: Finding) -> Effect | None:
    """Return what a finding does to a reader of old events that meets new ones."""
    if finding.kind is Kind.PROPERTY_REMOVED:
        return Effect.BREAKS
    if finding.direction is Direction.FORWARD:
        return Effect.BREAKS if finding.severity is Severity.BREAKING else Effect.LOOK
    if finding.severity is Severity.UNDECIDED and finding.direction is not Direction.BACKWARD:
        return Effect.LOOK
    return Effect.GAINS if finding.kind is Kind.REQUIRED_ADDED else None


def _concerns(places: Sequence[Steps], wanted: Sequence[Steps] | None) -> bool:
    if wanted is None:
        return True
    return any(_overlap(place, read) for place in places if place for read in wanted)


def _overlap(one: Steps, other: Steps) -> bool:
    """Tell whether one place is the other, or stands in it."""
    return all(a == b or "*" in (a, b) for a, b in zip(one, other, strict=False))


def steps_of(pointer: str) -> Steps:
    """Return a JSON pointer into the data as its steps, `*` for every entry."""
    tokens = pointer.split("/")[1:]
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)


class _Places:
    """Finds the places in the data that a finding's pointers into the schemas speak of."""

    def __init__(
        self, old: schemas.Schema, new: schemas.Schema, resolve: schemas.Resolve | None
    ) -> None:
        self._old = _by_pointer(old, resolve)
        self._new = _by_pointer(new, resolve)

    def of(self, finding: Finding) -> list[Steps]:
        """Return the places, () for the whole; more than one for a definition used twice."""
        found: list[Steps] = []
        if finding.old_pointer is not None:
            found += _longest(finding.old_pointer, self._old)
        if finding.new_pointer is not None:
            found += _longest(finding.new_pointer, self._new)
        return found


def _by_pointer(schema: schemas.Schema, resolve: schemas.Resolve | None) -> dict[str, list[Steps]]:
    found: dict[str, list[Steps]] = {}
    for field in schemas.fields(schema, resolve=resolve):
        found.setdefault(field.pointer, []).append(field.steps)
    return found


def _longest(pointer: str, places: dict[str, list[Steps]]) -> list[Steps]:
    for prefix in _prefixes(pointer):
        if prefix in places:
            return places[prefix]
    return [()]


def _prefixes(pointer: str) -> Iterator[str]:
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
