"""Decide whether any JSON document fits a set of formulas, and make one that does.

A goal is a set of formulas that must hold together. It is tried type by type; within a type what
is plain goes to that type's module, and alternatives are tried one after the other. A goal that
comes up again inside itself counts as unfulfilled there: of all documents that fit take one of
least depth; none of its parts can fit the same goal. So recursive schemas come to an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from governance.compatibility import array_solving, number_solving, object_solving, string_solving
from governance.compatibility import formulas as f
from governance.compatibility.algebra import ALWAYS, NEVER, Algebra
from governance.compatibility.budget import Budget
from governance.compatibility.evaluating import holds
from governance.compatibility.outcomes import NONE, UNKNOWN, Answer, Outcome, found
from governance.compatibility.values import JsonType, identity

DEEPEST = 50  # levels of one document; deeper goals are unknown
ORDER = (
    JsonType.STRING,
    JsonType.NUMBER,
    JsonType.OBJECT,
    JsonType.ARRAY,
    JsonType.BOOLEAN,
    JsonType.NULL,
)
Goal = frozenset[f.Formula]
Atoms = tuple[f.Formula, ...]


class Solver:
    """Answers goals; remembers the answers for the length of one comparison."""

    def __init__(
        self, algebra: Algebra, unfold: Callable[[f.Reference], f.Formula], budget: Budget
    ) -> None:
        self.algebra = algebra
        self.unfold = unfold
        self.budget = budget
        self._answers: dict[Goal, Outcome] = {}
        self._open: dict[Goal, int] = {}
        self._leans_on: list[int] = []  # by depth: the lowest open goal that was assumed away

    def solve(self, goal: Iterable[f.Formula]) -> Outcome:
        """Return a document that fits all formulas, the proof that none does, or unknown."""
        wanted = self._flat(goal)
        if wanted is None:
            return NONE
        known = self._answers.get(wanted)
        if known is not None:
            return known
        depth = self._open.get(wanted)
        if depth is not None:
            self._leans_on[-1] = min(self._leans_on[-1], depth)
            return NONE
        depth = len(self._leans_on)
        if depth > DEEPEST:
            return UNKNOWN
        return self._solve_fresh(wanted, depth)

    def _solve_fresh(self, wanted: Goal, depth: int) -> Outcome:
        self._open[wanted] = depth
        self._leans_on.append(depth)
        try:
            outcome = self._solve_types(wanted)
        finally:
            del self._open[wanted]
            lowest = self._leans_on.pop()
        if outcome.is_found or lowest >= depth:
            self._answers[wanted] = outcome
        elif self._leans_on:
            self._leans_on[-1] = min(self._leans_on[-1], lowest)
        return outcome

    def _flat(self, goal: Iterable[f.Formula]) -> Goal | None:
        """Return the goal without nested conjunctions, or ``None`` if it contradicts itself."""
        flat: set[f.Formula] = set()
        for formula in goal:
            flat.update(formula.parts if isinstance(formula, f.Both) else (formula,))
        flat.discard(ALWAYS)
        if NEVER in flat:
            return None
        for formula in flat:
            if self.algebra.known_opposite(formula) in flat:
                return None
        return frozenset(flat)

    def _solve_types(self, goal: Goal) -> Outcome:
        possible = set(ORDER)
        for formula in goal:
            if isinstance(formula, f.OfType):
                possible &= formula.types
        is_unknown = False
        for kind in ORDER:
            if kind in possible:
                outcome = self._solve_type(goal, kind)
                if outcome.is_found:
                    return outcome
                is_unknown |= outcome is UNKNOWN
        return UNKNOWN if is_unknown else NONE

    def _solve_type(self, goal: Goal, kind: JsonType) -> Outcome:
        search = Search(self, kind)
        start = search.start().extended(self.algebra.ordered(goal))
        return NONE if start is None else search.run(start)

    def _unfold_at_a_cost(self, reference: f.Reference) -> f.Formula:
        self.budget.spend(4)
        return self.unfold(reference)

    def fits(self, formulas: Iterable[f.Formula], value: object) -> bool | None:
        """Return whether a document fits all formulas; ``None`` for unknown."""
        answer: bool | None = True
        for formula in formulas:
            self.budget.spend(2)
            one = holds(formula, value, self._unfold_at_a_cost)
            if one is False:
                return False
            if one is None:
                answer = None
        return answer


class State:
    """What is known on one branch of a search: plain formulas, and open alternatives."""

    __slots__ = ("atoms", "clauses", "search", "unfolded")

    def __init__(
        self,
        search: Search,
        atoms: dict[f.Formula, None],
        clauses: dict[f.Either, None],
        unfolded: frozenset[f.Formula],
    ) -> None:
        self.search = search
        self.atoms = atoms
        self.clauses = clauses
        self.unfolded = unfolded

    def extended(self, formulas: Iterable[f.Formula]) -> State | None:
        """Return the state with more formulas, or ``None`` if that contradicts it."""
        solver, kind = self.search.solver, self.search.kind
        algebra = solver.algebra
        atoms, clauses, unfolded = dict(self.atoms), dict(self.clauses), set(self.unfolded)
        waiting = list(formulas)
        while waiting:
            formula = algebra.specialised(waiting.pop(), kind)
            if formula is NEVER or algebra.known_opposite(formula) in atoms:
                return None
            if isinstance(formula, f.Both):
                waiting.extend(formula.parts)
            elif isinstance(formula, f.Either):
                clauses[formula] = None
            elif isinstance(formula, f.Reference):
                if algebra.opposite(formula) in unfolded:
                    return None
                if formula not in unfolded:
                    unfolded.add(formula)
                    waiting.append(solver.unfold(formula))
            elif formula is not ALWAYS:
                atoms[formula] = None
        return State(self.search, atoms, clauses, frozenset(unfolded))

    def without(self, clause: f.Either) -> State:
        """Return the state in which one alternative has been dealt with."""
        rest = {other: None for other in self.clauses if other is not clause}
        return State(self.search, self.atoms, rest, self.unfolded)


class Search:
    """The search for a value of one type."""

    def __init__(self, solver: Solver, kind: JsonType) -> None:
        self.solver = solver
        self.kind = kind
        self._opposite = solver.algebra.known_opposite

    def start(self) -> State:
        """Return the state in which nothing is asked."""
        return State(self, {}, {}, frozenset())

    def run(self, state: State) -> Outcome:
        """Return a value that fits the state."""
        self.solver.budget.spend(1 + len(state.atoms) // 4)
        settled = self._propagated(state)
        if settled is None:
            return NONE
        outcome = self._plain(settled)
        if outcome.is_none or not settled.clauses:
            return outcome
        open_clauses = list(settled.clauses)
        if outcome.is_found:
            fits = self.solver.fits
            open_clauses = [c for c in open_clauses if not fits((c,), outcome.value)]
            if not open_clauses:
                return outcome
        return self._branch(settled, min(open_clauses, key=lambda clause: len(clause.parts)))

    def _propagated(self, state: State) -> State | None:
        """Return the state after all alternatives that have only one way left."""
        while True:
            self.solver.budget.spend(sum(len(one.parts) for one in state.clauses) // 3)
            clauses: dict[f.Either, None] = {}
            decided: list[f.Formula] = []
            for clause in state.clauses:
                alive = self._alive(state, clause)
                if alive is None:
                    continue
                if len(alive) == len(clause.parts):
                    clauses[clause] = None
                else:
                    decided.append(self.solver.algebra.either(alive))
            if len(clauses) == len(state.clauses):
                return state
            narrowed = State(self, state.atoms, clauses, state.unfolded)
            extended = narrowed.extended(decided)
            if extended is None:
                return None
            state = extended

    def _alive(self, state: State, clause: f.Either) -> list[f.Formula] | None:
        """Return the parts that are still possible, ``None`` if one holds already."""
        opposite, atoms, unfolded = self._opposite, state.atoms, state.unfolded
        alive = []
        for part in clause.parts:
            if part in atoms or part in unfolded:
                return None
            other = opposite(part)
            if other not in atoms and other not in unfolded:
                alive.append(part)
        return alive

    def _branch(self, state: State, clause: f.Either) -> Outcome:
        rest = state.without(clause)
        is_unknown = False
        for part in clause.parts:
            extended = rest.extended((part,))
            if extended is None:
                continue
            outcome = self.run(extended)
            if outcome.is_found:
                return outcome
            is_unknown |= outcome is UNKNOWN
        return UNKNOWN if is_unknown else NONE

    def _plain(self, state: State) -> Outcome:
        """Return a value that fits the plain formulas alone."""
        atoms = tuple(state.atoms)
        readable = tuple(atom for atom in atoms if not isinstance(atom, f.Unreadable))
        listed = [atom for atom in readable if isinstance(atom, f.AnyOfValues)]
        if listed:
            outcome = self._among(min(listed, key=lambda one: len(one.values)), readable)
        else:
            outcome = self._made(readable)
        if outcome.is_found and len(readable) < len(atoms):
            return UNKNOWN
        return outcome

    def _among(self, listed: f.AnyOfValues, atoms: Sequence[f.Formula]) -> Outcome:
        """Return one of a list of values; that is exact, each can be looked at."""
        is_unknown = False
        for _, value in listed.values:
            fits = self.solver.fits(atoms, value)
            if fits:
                return found(value)
            is_unknown |= fits is None
        return UNKNOWN if is_unknown else NONE

    def _made(self, atoms: Atoms) -> Outcome:
        solver = self.solver
        match self.kind:
            case JsonType.NULL:
                made: Outcome = self._among(NULLS, atoms)
            case JsonType.BOOLEAN:
                made = self._among(BOOLEANS, atoms)
            case JsonType.NUMBER:
                made = number_solving.solve(atoms)
            case JsonType.STRING:
                made = string_solving.solve(atoms, solver)
            case JsonType.ARRAY:
                return array_solving.solve(atoms, solver)
            case JsonType.OBJECT:
                return object_solving.solve(atoms, solver)
        if made.answer is Answer.FOUND and not solver.fits(atoms, made.value):
            return UNKNOWN  # a document that our own reading refuses is no answer
        return made


NULLS = f.AnyOfValues(((identity(None), None),))
BOOLEANS = f.AnyOfValues(((identity(True), True), (identity(False), False)))
