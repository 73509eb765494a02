"""What is known of the values that a writer puts at one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from governance.compatibility import formulas as f
from governance.compatibility.algebra import ALWAYS, NEVER
from governance.compatibility.declared import Place, Places
from governance.compatibility.formulas import Names
from governance.compatibility.solving import Search, Solver, State
from governance.compatibility.values import JsonType

Goal: TypeAlias = frozenset[f.Formula]


@dataclass(frozen=True, slots=True)
class ToItem:
    """A step into an entry with an index from ``start`` and below ``stop``."""

    start: int
    stop: int | None


class Writer:
    """What is known of the values that a writer puts at one place."""

    def __init__(self, goal: Goal, solver: Solver, places: Places) -> None:
        self.goal = goal
        self._solver = solver
        self._all_places = places
        self._states: dict[JsonType, State | None] = {}

    def _atoms(self, kind: JsonType) -> Iterable[f.Formula] | None:
        """Return what surely holds if the value is of this type; ``None`` if it never is."""
        if kind not in self._states:
            self._states[kind] = Search(self._solver, kind).start().extended(self.goal)
        state = self._states[kind]
        return None if state is None else state.atoms

    def keeps_to(self, formula: f.Formula) -> bool:
        """Return whether a formula is, word for word, among what the writer says."""
        if isinstance(formula, f.Both):
            return all(part in self.goal for part in formula.parts)
        return formula is ALWAYS or formula in self.goal

    def can_be(self, kind: JsonType) -> bool:
        """Return whether the value may be of a type, as far as is plain."""
        return self._atoms(kind) is not None

    def of_property(self, name: str) -> Goal:
        """Return what surely holds for the value of a property."""
        goal: set[f.Formula] = set()
        places: list[Place] = []
        for atom in self._atoms(JsonType.OBJECT) or ():
            if isinstance(atom, f.EachProperty) and atom.names.contains(name):
                goal.add(atom.inner)
            elif isinstance(atom, f.OnlyDeclared):
                place = atom.place
                if not place.declares(name):
                    return frozenset((NEVER,))
                places.append(place)
        if not any(map(self._solver.algebra.is_scalar, goal)):
            goal.update(self._declared(place.of_property(name)) for place in places)
        return frozenset(goal)

    def of_properties(self, names: Names) -> Goal:
        """Return what surely holds for the value of each property with such a name."""
        goal: set[f.Formula] = set()
        for atom in self._atoms(JsonType.OBJECT) or ():
            if isinstance(atom, f.EachProperty) and names.surely_within(atom.names):
                goal.add(atom.inner)
            elif isinstance(atom, f.OnlyDeclared) and names.others:
                place = atom.place
                if names.exact >= place.exact.keys() and names.patterns >= place.patterns.keys():
                    if not place.is_map:
                        return frozenset((NEVER,))
                    goal.add(self._declared(self._all_places.at(place.maps)))
        return frozenset(goal)

    def named_properties(self) -> set[str]:
        """Return each name that the writer gives a property, whatever may be in it."""
        names: set[str] = set()
        for atom in self._atoms(JsonType.OBJECT) or ():
            if isinstance(atom, f.EachProperty) and not atom.names.others:
                names |= atom.names.exact
            elif isinstance(atom, f.Has):
                names.add(atom.name)
        return names

    def of_items(self, start: int, stop: int | None) -> Iterator[tuple[ToItem, Goal]]:
        """Yield, for each run of entries that are asked the same, what surely holds for them."""
        atoms = self._atoms(JsonType.ARRAY)
        if atoms is None:
            return
        each = [atom for atom in atoms if isinstance(atom, f.EachItem)]
        places = [atom.place for atom in atoms if isinstance(atom, f.OnlyDeclared)]
        edges = {edge for atom in each for edge in (atom.start, atom.stop) if edge is not None}
        edges |= {index + extra for place in places for index in place.prefix for extra in (0, 1)}
        inner_edges = sorted(edge for edge in edges if start < edge < (stop or edge + 1))
        starts = [start, *inner_edges]
        for low, high in zip(starts, [*inner_edges, stop], strict=True):
            goal: set[f.Formula] = {
                atom.inner
                for atom in each
                if atom.start <= low and (atom.stop is None or low < atom.stop)
            }
            goal |= {self._declared(place.of_item(low)) for place in places}
            yield ToItem(low, high), frozenset(goal)

    def _declared(self, place: Place) -> f.Formula:
        return self._solver.algebra.make(f.OnlyDeclared, place)
