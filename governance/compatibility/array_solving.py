"""Find an array: how long it is, what each entry holds, and how many entries fit what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

from governance.compatibility import formulas as f
from governance.compatibility.algebra import NEVER
from governance.compatibility.outcomes import NONE, UNKNOWN, Outcome, found
from governance.compatibility.values import identity

if TYPE_CHECKING:
    from governance.compatibility.declared import Place
    from governance.compatibility.solving import Atoms, Solver

LONGEST_PLANNED = 64  # arrays with more entries are built only where nothing is counted
LONGEST = 3000
MOST_COUNTED = 4
MOST_VARIANTS = 8


class Row:
    """What the formulas ask of an array, put together."""

    def __init__(self, atoms: Iterable[f.Formula], solver: Solver) -> None:
        self.solver = solver
        self.each: list[f.EachItem] = []
        self.some: list[f.SomeItem] = []
        self.counted: dict[f.Formula, tuple[int, int | None]] = {}
        self.places: list[Place] = []
        self.avoided: set[object] = set()
        self.least = 0
        self.most: int | None = None
        self.is_distinct = self.has_twins = False
        for atom in atoms:
            self._read(atom)

    def _read(self, atom: f.Formula) -> None:
        match atom:
            case f.EachItem():
                self.each.append(atom)
                if atom.inner is NEVER:
                    self._cap(atom.start)
            case f.SomeItem():
                self.some.append(atom)
            case f.Counted():
                least, most = self.counted.get(atom.inner, (0, None))
                tops = [top for top in (most, atom.most) if top is not None]
                self.counted[atom.inner] = (max(least, atom.least), min(tops, default=None))
            case f.ItemCount():
                self.least = max(self.least, atom.least)
                if atom.most is not None:
                    self._cap(atom.most)
            case f.Distinct():
                self.has_twins |= atom.negated
                self.is_distinct |= not atom.negated
            case f.NoneOfValues():
                self.avoided.update(key for key, _ in atom.values)
            case f.OnlyDeclared():
                self.places.append(atom.place)

    def _cap(self, most: int) -> None:
        self.most = most if self.most is None else min(self.most, most)

    def goal(self, index: int) -> list[f.Formula]:
        """Return what the entry at an index must hold, whatever is counted."""
        goal = [
            each.inner
            for each in self.each
            if each.start <= index and (each.stop is None or index < each.stop)
        ]
        make = self.solver.algebra.make
        goal.extend(make(f.OnlyDeclared, place.of_item(index)) for place in self.places)
        return goal

    def settled_from(self) -> int:
        """Return the index from which all entries are asked the same."""
        edges = [0]
        for each in self.each:
            edges += [each.start, each.stop or 0]
        for some in self.some:
            edges += [some.start, some.stop or 0]
        for place in self.places:
            edges += [index + 1 for index in place.prefix]
        return max(edges)


def solve(atoms: Atoms, solver: Solver) -> Outcome:
    """Return an array that fits, the proof that none does, or unknown."""
    row = Row(atoms, solver)
    if row.most is not None and row.least > row.most:
        return NONE
    if row.is_distinct and row.has_twins:
        return NONE
    for least, most in row.counted.values():
        tops = [top for top in (most, row.most) if top is not None]
        if tops and least > min(tops):
            return NONE
    if len(row.counted) > MOST_COUNTED:
        return UNKNOWN
    return _Planner(row).plan()


class _Planner:
    """Tries lengths from the shortest; for each, which entry serves which count or wish."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.solver = row.solver
        self.counted = list(row.counted)
        self.is_unknown = False
        self.settled = row.settled_from()

    def plan(self) -> Outcome:
        row = self.row
        if not self.counted and not row.some and not row.has_twins:
            return self._simple()
        # An entry beyond this length serves nothing: a shorter array would fit too.
        enough = (
            max(row.least, self.settled)
            + sum(least for least, _ in row.counted.values())
            + len(row.some)
            + (2 if row.has_twins else 0)
            + len(row.avoided)
        )
        longest = enough if row.most is None else min(enough, row.most)
        if longest > LONGEST_PLANNED:
            self.is_unknown = True
            longest = max(row.least, LONGEST_PLANNED)
            if longest > LONGEST_PLANNED:
                return UNKNOWN
        for length in range(row.least, longest + 1):
            for twins in self._twins(length):
                for wishes in self._wish_places(length):
                    outcome = self._fill(length, wishes, twins)
                    if outcome is not None:
                        return outcome
        return UNKNOWN if self.is_unknown else NONE

    def _simple(self) -> Outcome:
        """Return the shortest array, or a few longer ones where some are to be avoided."""
        row = self.row
        if row.least > LONGEST:
            return UNKNOWN
        goals: list[list[f.Formula]] = []
        made: list[object] = []
        longest = row.least + len(row.avoided)
        for index in range(longest if row.most is None else min(longest, row.most)):
            if index >= row.least and identity(made) not in row.avoided:
                return found(made)
            self.solver.budget.spend(1)
            goals.append(row.goal(index))
            outcome = self._entry(goals, (), made, None)
            if not outcome.is_found:
                break
            made.append(outcome.value)
        if len(made) >= row.least and identity(made) not in row.avoided:
            return found(made)
        if row.most == 0:
            return NONE  # the empty array is the only one
        if len(made) >= row.least:
            return self._vary(goals[: len(made)], made, None) or UNKNOWN
        return UNKNOWN if self.is_unknown else NONE

    def _twins(self, length: int) -> Iterator[tuple[int, int] | None]:
        """Yield pairs of entries that shall be equal; ``None`` where none need be."""
        if not self.row.has_twins:
            yield None
            return
        for second in range(1, length):
            for first in range(second):
                yield first, second

    def _wish_places(self, length: int) -> Iterator[dict[int, list[f.Formula]]]:
        """Yield each way to spread the entries that must exist over the indexes."""
        ranges = []
        for some in self.row.some:
            stop = length if some.stop is None else min(length, some.stop)
            ranges.append(range(some.start, stop))
        for indexes in product(*ranges):
            self.solver.budget.spend(1)
            places: dict[int, list[f.Formula]] = {}
            for index, some in zip(indexes, self.row.some, strict=True):
                places.setdefault(index, []).append(some.inner)
            yield places

    def _fill(
        self,
        length: int,
        wishes: dict[int, list[f.Formula]],
        twins: tuple[int, int] | None,
    ) -> Outcome | None:
        """Return an array of this length, or ``None``; ``is_unknown`` then tells certainty."""
        goals = [self.row.goal(index) + wishes.get(index, []) for index in range(length)]
        if twins is not None:
            first, second = twins
            goals[first] = goals[second] = goals[first] + goals[second]
        made = self._choose(goals, [0] * len(self.counted), [], twins)
        if made is None:
            return None
        if identity(made) in self.row.avoided:
            return self._vary(goals, made, twins)
        return found(made)

    def _choose(
        self,
        goals: Sequence[list[f.Formula]],
        counts: list[int],
        made: list[object],
        twins: tuple[int, int] | None,
    ) -> list[object] | None:
        """Fill entry after entry, deciding for each counted formula whether the entry fits it."""
        self.solver.budget.spend(1)
        index = len(made)
        bounds = list(self.row.counted.values())
        left = len(goals) - index
        if any(count + left < least for count, (least, _) in zip(counts, bounds, strict=True)):
            return None
        if index == len(goals):
            return list(made)
        for signs in product((True, False), repeat=len(self.counted)):
            after = [count + sign for count, sign in zip(counts, signs, strict=True)]
            if any(
                most is not None and count > most
                for count, (_, most) in zip(after, bounds, strict=True)
            ):
                continue
            value = self._entry(goals, signs, made, twins)
            if value.is_found:
                whole = self._choose(goals, after, [*made, value.value], twins)
                if whole is not None:
                    return whole
        return None

    def _entry(
        self,
        goals: Sequence[list[f.Formula]],
        signs: tuple[bool, ...],
        made: list[object],
        twins: tuple[int, int] | None,
    ) -> Outcome:
        """Return the next entry: alike its twin, unlike all others if all must be distinct."""
        index = len(made)
        algebra = self.solver.algebra
        goal = list(goals[index])
        for formula, sign in zip(self.counted, signs, strict=True):
            goal.append(formula if sign else algebra.opposite(formula))
        if twins is not None and index == twins[1]:
            goal.append(algebra.any_of_values([made[twins[0]]]))
        if self.row.is_distinct and made:
            # Which value an entry takes matters to the others, unless all ask the same.
            self.is_unknown |= any(set(one) != set(goals[0]) for one in goals) or bool(signs)
            goal.append(algebra.none_of_values(made))
        outcome = self.solver.solve(goal)
        if twins is not None and outcome.is_none and index == twins[1] and signs:
            self.is_unknown = True  # the first twin was chosen without thought for the counts
        self.is_unknown |= outcome is UNKNOWN
        return outcome

    def _vary(
        self,
        goals: Sequence[list[f.Formula]],
        made: list[object],
        twins: tuple[int, int] | None,
    ) -> Outcome | None:
        self.is_unknown = True
        if self.counted or twins is not None:
            return None
        for index, value in enumerate(made):
            tried = [value, *made] if self.row.is_distinct else [value]
            for _ in range(MOST_VARIANTS):
                avoid = self.solver.algebra.none_of_values(tried)
                other = self.solver.solve([*goals[index], avoid])
                if not other.is_found:
                    break
                changed = [*made[:index], other.value, *made[index + 1 :]]
                if identity(changed) not in self.row.avoided:
                    return found(changed)
                tried.append(other.value)
        return None
