"""Find an object: which properties it must, may and must not have, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from governance.compatibility import formulas as f
from governance.compatibility.algebra import ALWAYS, NEVER
from governance.compatibility.formulas import Names
from governance.compatibility.outcomes import NONE, UNKNOWN, Outcome, found
from governance.compatibility.values import JsonType, identity

if TYPE_CHECKING:
    from governance.compatibility.declared import Place
    from governance.compatibility.solving import Atoms, Solver

MOST_PATTERNS = 6  # names are told apart by each set of patterns that they match
MOST_VARIANTS = 8  # other objects tried when the first is one of those to avoid
ANY_NAME = Names(others=True)


class Wish:
    """A property that must exist: by name or value, among ``names``."""

    __slots__ = ("inner", "name_inner", "names")

    def __init__(self, names: Names, inner: f.Formula, name_inner: f.Formula = ALWAYS) -> None:
        self.names = names
        self.inner = inner
        self.name_inner = name_inner


class Shape:
    """What the formulas ask of an object, put together."""

    def __init__(self, atoms: Iterable[f.Formula]) -> None:
        self.required: dict[str, None] = {}
        self.by_name: dict[str, list[f.Formula]] = {}
        self.by_names: list[tuple[Names, f.Formula]] = []
        self.each_name: list[f.Formula] = []
        self.wishes: list[Wish] = []
        self.places: list[Place] = []
        self.avoided: set[object] = set()
        self.least = 0
        self.most: int | None = None
        for atom in atoms:
            self._read(atom)

    def _read(self, atom: f.Formula) -> None:
        match atom:
            case f.Has():
                self.required[atom.name] = None
            case f.EachProperty():
                self._read_each(atom)
            case f.SomeProperty():
                self.wishes.append(Wish(atom.names, atom.inner))
            case f.EachName():
                self.each_name.append(atom.inner)
            case f.SomeName():
                self.wishes.append(Wish(ANY_NAME, ALWAYS, atom.inner))
            case f.PropertyCount():
                self.least = max(self.least, atom.least)
                if atom.most is not None:
                    self.most = atom.most if self.most is None else min(self.most, atom.most)
            case f.NoneOfValues():
                self.avoided.update(key for key, _ in atom.values)
            case f.OnlyDeclared():
                self.places.append(atom.place)

    def _read_each(self, atom: f.EachProperty) -> None:
        if atom.names.others or atom.names.patterns:
            self.by_names.append((atom.names, atom.inner))
        else:
            for name in atom.names.exact:
                self.by_name.setdefault(name, []).append(atom.inner)

    def mentioned(self) -> set[str]:
        """Return each name that something speaks of by itself."""
        names = set(self.by_name) | set(self.required)
        for known, _ in self.by_names:
            names |= known.exact
        for wish in self.wishes:
            names |= wish.names.exact
        for place in self.places:
            names |= place.exact.keys()
        return names

    def patterns(self) -> set[str]:
        """Return each pattern that names are told apart by."""
        found_patterns: set[str] = set()
        for known in [names for names, _ in self.by_names] + [w.names for w in self.wishes]:
            found_patterns |= known.patterns
        for place in self.places:
            found_patterns |= place.patterns.keys()
        return found_patterns


class Builder:
    """Builds one object of a shape, property by property."""

    def __init__(self, shape: Shape, solver: Solver) -> None:
        self.shape = shape
        self.solver = solver
        self.built: dict[str, object] = {}
        self.extra: dict[str, list[f.Formula]] = {}
        self.is_unknown = False

    def goal(self, name: str) -> list[f.Formula]:
        """Return what a property with this name must hold."""
        shape = self.shape
        goal = list(shape.by_name.get(name, ()))
        goal += [inner for names, inner in shape.by_names if names.contains(name)]
        goal += self.extra.get(name, ())
        algebra = self.solver.algebra
        is_scalar = any(map(algebra.is_scalar, goal))
        for place in shape.places:
            if not place.declares(name):
                return [NEVER]
            if not is_scalar:  # only groups and lists contain properties
                goal.append(algebra.make(f.OnlyDeclared, place.of_property(name)))
        return goal

    def try_name(self, name: str, *more: f.Formula) -> Outcome:
        """Return a value for a property, which is added if there is one."""
        fits = self.solver.fits(self.shape.each_name, name)
        if fits is False:
            return NONE
        outcome = self.solver.solve([*self.goal(name), *more])
        if outcome.is_found and fits is None:
            return UNKNOWN
        if outcome.is_found:
            self.built[name] = outcome.value
            self.extra.setdefault(name, []).extend(more)
        return outcome

    def fresh_names(self, wish: Wish) -> Iterator[str | None]:
        """Yield a new name of each class that patterns tell apart, ``None`` where unknown."""
        patterns = sorted(self.shape.patterns())
        if len(patterns) > MOST_PATTERNS:
            yield None
            return
        algebra = self.solver.algebra
        taken = algebra.none_of_values(self.shape.mentioned() | self.built.keys())
        base = [algebra.of_type((JsonType.STRING,)), taken, wish.name_inner]
        base += self.shape.each_name
        for count in range(len(patterns) + 1):
            for matched in combinations(patterns, count):
                signs = [algebra.make(f.Matches, one, one not in matched) for one in patterns]
                outcome = self.solver.solve([*base, *signs])
                if outcome.is_found:
                    yield str(outcome.value)
                elif outcome is UNKNOWN:
                    yield None

    def grant(self, wish: Wish) -> Outcome:
        """Add or change one property so that a wish comes true."""
        is_unknown = False
        is_full = self.shape.most is not None and len(self.built) >= self.shape.most
        new_names = [] if is_full else sorted(self.shape.mentioned() - self.built.keys())
        for name in [*self.built, *new_names]:
            if wish.names.contains(name):
                fits = self.solver.fits((wish.name_inner,), name)
                outcome = NONE if fits is False else self.try_name(name, wish.inner)
                if outcome.is_found and fits:
                    return outcome
                is_unknown |= not outcome.is_none
        for fresh in () if is_full else self.fresh_names(wish):
            if fresh is None:
                is_unknown = True
            elif wish.names.contains(fresh):
                outcome = self.try_name(fresh, wish.inner)
                if outcome.is_found:
                    return outcome
                is_unknown |= not outcome.is_none
        return UNKNOWN if is_unknown else NONE

    def fill(self) -> Outcome | None:
        """Add properties until there are enough; return the failure, if it fails."""
        is_unknown = False
        for name in sorted(self.shape.mentioned()):
            if len(self.built) >= self.shape.least:
                return None
            if name not in self.built:
                is_unknown |= self.try_name(name) is UNKNOWN
        while len(self.built) < self.shape.least:
            before = len(self.built)
            for fresh in self.fresh_names(Wish(ANY_NAME, ALWAYS)):
                is_unknown |= fresh is None or self.try_name(fresh) is UNKNOWN
                self.solver.budget.spend(1)
                if len(self.built) >= self.shape.least:
                    return None
            if len(self.built) == before:
                return UNKNOWN if is_unknown else NONE
        return None


def solve(atoms: Atoms, solver: Solver) -> Outcome:
    """Return an object that fits, the proof that none does, or unknown."""
    shape = Shape(atoms)
    needed = max(shape.least, len(shape.required))
    if shape.most is not None and needed > shape.most:
        return NONE
    builder = Builder(shape, solver)
    outcome = _build(builder)
    if outcome is not None:
        return outcome
    if shape.most is not None and len(builder.built) > shape.most:
        return UNKNOWN  # fewer might do if one property served two wishes
    if identity(builder.built) in shape.avoided:
        return _vary(builder)
    return UNKNOWN if builder.is_unknown else found(builder.built)


def _build(builder: Builder) -> Outcome | None:
    """Build the object; return the failure, if it fails."""
    shape = builder.shape
    for name in shape.required:
        outcome = builder.try_name(name)
        if outcome.is_none:
            return NONE
        builder.is_unknown |= outcome.answer is UNKNOWN.answer
    # Without wishes an unknown part makes the whole unknown; a wish may still prove it empty.
    for position, wish in enumerate(shape.wishes):
        outcome = builder.grant(wish)
        if outcome.is_none:
            # An earlier wish may have taken a name in a way that bars this one.
            return NONE if position == 0 else UNKNOWN
        builder.is_unknown |= outcome is UNKNOWN
    if builder.is_unknown:
        return UNKNOWN
    return builder.fill()


def _vary(builder: Builder) -> Outcome:
    """Return an object like the built one that is not to be avoided."""
    grown = _grow(builder)
    return _alter(builder) if grown is None else grown


def _grow(builder: Builder) -> Outcome | None:
    """Return a larger object; the proof that only the empty one exists; or ``None``."""
    shape, before = builder.shape, dict(builder.built)
    if shape.most is not None and len(before) >= shape.most:
        return None if before else NONE
    for extra in range(1, MOST_VARIANTS):
        shape.least = len(before) + extra
        failure = builder.fill()
        if failure is not None:
            builder.built = before
            return NONE if failure is NONE and not before and extra == 1 else None
        if shape.most is not None and len(builder.built) > shape.most:
            break
        if identity(builder.built) not in shape.avoided:
            return found(builder.built)
    builder.built = before
    return None


def _alter(builder: Builder) -> Outcome:
    """Return the object with another value in one of its properties."""
    solver = builder.solver
    for name, value in builder.built.items():
        tried = [value]
        for _ in range(MOST_VARIANTS):
            other = solver.solve([*builder.goal(name), solver.algebra.none_of_values(tried)])
            if not other.is_found:
                break
            changed = {**builder.built, name: other.value}
            if identity(changed) not in builder.shape.avoided:
                return found(changed)
            tried.append(other.value)
    return UNKNOWN
