"""Find a string with given lengths, patterns and formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from governance.compatibility import automata, formats
from governance.compatibility import formulas as f
from governance.compatibility.outcomes import NONE, UNKNOWN, Outcome, found
from governance.compatibility.patterns import UnsupportedPatternError

if TYPE_CHECKING:
    from governance.compatibility.solving import Atoms, Solver

LONGEST = 2_000_000  # characters of an example
MOST_CANDIDATES = 12  # strings tried against formats that must not fit


@dataclass(slots=True)
class Text:
    """What the formulas ask of a string, put together."""

    least: int = 0
    most: int | None = None
    accepted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    not_formats: list[str] = field(default_factory=list)
    avoided: set[str] = field(default_factory=set)

    def bound(self, least: int, most: int | None) -> None:
        """Narrow the lengths."""
        self.least = max(self.least, least)
        if most is not None:
            self.most = most if self.most is None else min(self.most, most)

    @property
    def is_contradiction(self) -> bool:
        """Return whether that much is clear at a glance."""
        return (
            (self.most is not None and self.least > self.most)
            or not set(self.accepted).isdisjoint(self.refused)
            or not set(self.formats).isdisjoint(self.not_formats)
        )


def read(atoms: Iterable[f.Formula]) -> Text:
    """Put together what the formulas ask."""
    text = Text()
    for atom in atoms:
        match atom:
            case f.Length():
                text.bound(atom.least, atom.most)
            case f.Matches():
                (text.refused if atom.negated else text.accepted).append(atom.pattern)
            case f.HasFormat(negated=True):
                text.not_formats.append(atom.name)
            case f.HasFormat():
                text.formats += [atom.name, *filter(None, (formats.WIDER.get(atom.name),))]
                text.bound(*formats.LENGTHS.get(atom.name, (0, None)))
            case f.NoneOfValues():
                text.avoided.update(str(value) for _, value in atom.values)
    return text


def solve(atoms: Atoms, solver: Solver) -> Outcome:
    """Return a string that fits, the proof that none does, or unknown."""
    text = read(atoms)
    if text.is_contradiction:
        return NONE
    if not (text.accepted or text.refused or text.formats or text.not_formats or text.avoided):
        return found("a" * text.least) if text.least <= LONGEST else UNKNOWN
    samples = [sample for name in text.formats for sample in formats.SAMPLES.get(name, ())]
    for sample in samples:
        if solver.fits(atoms, sample):
            return found(sample)
    shaped = _shaped(text, atoms, solver) if text.formats else None
    if shaped is not None:
        return found(shaped)
    text.accepted += [formats.OUTLINES[name] for name in text.formats if name in formats.OUTLINES]
    return _spelled(text, atoms, solver)


def _shaped(text: Text, atoms: Atoms, solver: Solver) -> str | None:
    """Return a string of the wanted formats that fits the rest too, if one is easy to spell."""
    shapes = [formats.SHAPES[name] for name in text.formats if name in formats.SHAPES]
    try:
        spelled = _find(replace(text, accepted=[*text.accepted, *shapes]), solver, python=False)
    except UnsupportedPatternError:
        return None
    return spelled if spelled is not None and solver.fits(atoms, spelled) else None


def _spelled(text: Text, atoms: Atoms, solver: Solver) -> Outcome:
    """Spell a string by the automata, as ECMA-262 reads patterns and as Python does.

    Only what both say counts: strings that exist by one reading alone (a line feed after ``$``,
    digits beyond ASCII) hurt some systems and not others, so that is for a person to judge.
    """
    for _ in range(MOST_CANDIDATES):
        try:
            spelled = _find(text, solver, python=False)
            if spelled is None:
                return NONE if _find(text, solver, python=True) is None else UNKNOWN
        except UnsupportedPatternError:
            return UNKNOWN
        if solver.fits(atoms, spelled):
            return found(spelled)
        text.avoided.add(spelled)
    return UNKNOWN


def _find(text: Text, solver: Solver, *, python: bool) -> str | None:
    wanted = automata.Wanted(
        least=text.least,
        most=text.most,
        accepted=tuple(text.accepted),
        refused=tuple(text.refused),
        avoided=frozenset(text.avoided),
    )
    return automata.find(wanted, solver.budget, python=python)
