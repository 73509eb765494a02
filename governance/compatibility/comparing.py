"""Walk the reader's schema and ask of each thing in it whether the writer keeps to it.

A document that the writer may send and the reader refuses breaks one thing that the reader asks,
somewhere. So each such thing is one question: at its place alone first (cheap, and mostly enough),
then, if the answer is not a plain "kept", for whole documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, cast

from governance.compatibility import apartness
from governance.compatibility import formulas as f
from governance.compatibility.algebra import ALWAYS, NEVER, Algebra
from governance.compatibility.array_keywords import prefix_length
from governance.compatibility.breaks import Break, Given, Path, ToProperty
from governance.compatibility.budget import Budget, OutOfBudgetError
from governance.compatibility.compiling import Compiler
from governance.compatibility.declared import Places
from governance.compatibility.documents import Located
from governance.compatibility.evaluating import holds
from governance.compatibility.formulas import Names
from governance.compatibility.keywords import Part
from governance.compatibility.object_keywords import additional_names
from governance.compatibility.outcomes import UNKNOWN, Answer, Outcome
from governance.compatibility.report import Policy
from governance.compatibility.solving import Solver
from governance.compatibility.values import JsonType
from governance.compatibility.writers import Goal, Writer

IN_PLACE = frozenset(("$ref", "$dynamicRef", "$recursiveRef", "allOf"))
UNIONS = frozenset(("anyOf", "oneOf"))
MOST_ALTERNATIVES = 40  # of a union that are compared one by one
ENTRIES = frozenset(("items", "prefixItems", "additionalItems"))


Way: TypeAlias = Callable[[Writer, Located, Part, Path], Iterator[Break]]


@dataclass(frozen=True, slots=True)
class _Named:
    """What the reader asks of all properties with certain names, and where."""

    node: Located
    part: Part
    below: Located
    names: Names


class Comparison:
    """One direction: can the reader read whatever the writer may send."""

    def __init__(
        self,
        *,
        writer: Compiler,
        reader: Compiler,
        algebra: Algebra,
        policy: Policy,
        budget: Budget,
    ) -> None:
        self.reader = reader
        self.algebra = algebra
        self.budget = budget
        compilers = {}
        for compiler in (reader, writer):
            compilers[compiler.library.document] = compiler
        self._compilers = compilers
        self._sides = (writer, reader)
        self.solver = Solver(algebra, self._unfold, budget)
        self.places = Places(writer)
        root = writer.library.document.root
        start: list[f.Formula] = [writer.formula(root)]
        if policy is Policy.LENIENT:
            start.append(algebra.make(f.OnlyDeclared, self.places.at([root])))
        self.root = self._expanded(start)
        self._visited: set[tuple[Goal, Located]] = set()
        self._local_breaks = 0
        self._ways: dict[str, Way] = {
            **dict.fromkeys(IN_PLACE, self._in_place),
            **dict.fromkeys(UNIONS, self._union),
            **dict.fromkeys(ENTRIES, self._items),
            "if": self._branch,
            "properties": self._property,
            "patternProperties": self._by_pattern,
            "additionalProperties": self._additional,
        }

    def _unfold(self, reference: f.Reference) -> f.Formula:
        target = reference.target
        compiler = self._compilers.get(target.document)
        if compiler is None:
            writer, reader = self._sides
            is_writers = writer.library.external(target.document.uri) is target.document
            compiler = writer if is_writers else reader
        formula = compiler.formula(target)
        return self.algebra.opposite(formula) if reference.negated else formula

    def _expanded(self, formulas: Iterable[f.Formula]) -> Goal:
        """Return the formulas with references and conjunctions opened."""
        flat: set[f.Formula] = set()
        opened: set[f.Formula] = set()
        waiting = list(formulas)
        while waiting:
            formula = waiting.pop()
            if isinstance(formula, f.Both):
                waiting.extend(formula.parts)
            elif isinstance(formula, f.Reference):
                if formula not in opened:
                    opened.add(formula)
                    flat.add(formula)
                    waiting.append(self._unfold(formula))
            elif formula is not ALWAYS:
                flat.add(formula)
        return frozenset(flat)

    def breaks(self) -> Iterator[Break]:
        """Yield everything that the reader asks and the writer does not keep to.

        Nothing is yielded exactly if every document of the writer is one of the reader.
        """
        root = self.reader.library.document.root
        shown = False
        for one in self._walk(self.root, root, ()):
            shown = True
            yield one
        if self._local_breaks and not shown:
            # A place looked broken, and no whole document breaks there: places were visited once,
            # so ask the whole question again in one piece.
            whole = self.algebra.opposite(self.reader.formula(root))
            outcome = self._ask((*self.root, whole))
            if not outcome.is_none:
                yield Break(node=root, keyword="", detail="", path=(), outcome=outcome)

    def _ask(self, goal: Iterable[f.Formula]) -> Outcome:
        self.budget.renew()
        try:
            return self.solver.solve(goal)
        except (OutOfBudgetError, RecursionError):
            return UNKNOWN

    def _walk(self, goal: Goal, node: Located, path: Path) -> Iterator[Break]:
        if NEVER in goal or (goal, node) in self._visited:
            return
        self._visited.add((goal, node))
        writer = Writer(goal, self.solver, self.places)
        if writer.keeps_to(self.reader.formula(node)):
            return
        for part in self.reader.parts(node):
            if not writer.keeps_to(part.formula):
                yield from self._part(writer, node, part, path)

    def _part(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        """Compare one thing that the reader asks, by the way that its keyword goes."""
        if isinstance(part.formula, f.Unreadable):
            return self._question(writer, node, part, path)
        if isinstance(part.formula, f.Remark):
            return self._remark(writer, node, part, path)
        compare = self._ways.get(part.keyword, self._question)
        return compare(writer, node, part, path)

    def _in_place(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        if part.keyword == "allOf":
            yield from self._walk(writer.goal, node.child("allOf", int(part.detail)), path)
        else:
            target = self.reader.target(node)
            if target is not None:
                yield from self._walk(writer.goal, target, path)

    def _remark(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        """Report a promise that no validator checks, if it matters at this place at all."""
        remark = part.formula
        if not isinstance(remark, f.Remark) or self._is_meant_by(writer, remark):
            return
        value = self.algebra.of_type((remark.about,))
        outcome = self._ask((*self.root, self._lifted(path, value)))
        if outcome.is_found:
            outcome = Outcome(Answer.BY_CONVENTION)
        if not outcome.is_none:
            yield Break(
                node=node, keyword=part.keyword, detail=part.detail, path=path, outcome=outcome
            )

    def _is_meant_by(self, writer: Writer, remark: f.Remark) -> bool:
        """Return whether the writer's promises, taken at their word, cover the reader's remark."""
        if remark.meant is None:
            return False
        promised = [one.meant for one in writer.goal if isinstance(one, f.Remark) and one.meant]
        one_line = self.algebra.make(f.Matches, "^[^\\n\\r]*$", False)  # dots mean no more
        broken = self.algebra.opposite(remark.meant)
        return not self._ask((*writer.goal, *promised, one_line, broken)).is_found

    def _question(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        """Ask one question, at its place and then for whole documents."""
        broken = self.algebra.opposite(part.formula)
        outcome = self._ask((*writer.goal, broken))
        if outcome.is_none:
            return
        self._local_breaks += 1
        if path:
            lifted = self._lifted(path, broken)
            outcome = self._ask((*self.root, lifted))
        if not outcome.is_none:
            yield Break(
                node=node, keyword=part.keyword, detail=part.detail, path=path, outcome=outcome
            )

    def _lifted(self, path: Path, broken: f.Formula) -> f.Formula:
        """Return the formula for a whole document in which something is broken at a path."""
        for step in reversed(path):
            kept = self.algebra.opposite(broken)
            if isinstance(step, Given):
                broken = self.algebra.both((step.formula, broken))
            elif isinstance(step, ToProperty):
                broken = self.algebra.opposite(self.algebra.each_property(step.names, kept))
            else:
                broken = self.algebra.opposite(self.algebra.each_item(step.start, step.stop, kept))
        return broken

    def _union(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        """Compare unions alternative by alternative; ask the whole question if that is no answer.

        If each of the writer's alternatives keeps to one of the reader's, the union is kept to,
        but for ``oneOf``, where no two of the reader's may hold at once. What breaks inside an
        alternative counts only if the document breaks the whole union.
        """
        before = self._local_breaks
        found = [
            one
            for one in self._by_alternative(writer, node, part, path)
            if one is None or one.outcome.is_found
        ]
        located = [one for one in found if one is not None]
        if located:
            yield from located
        elif found or self._local_breaks > before:
            yield from self._question(writer, node, part, path)
        elif part.keyword == "oneOf":
            yield from self._no_two(writer, node, part, path)

    def _no_two(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        """Ask of ``oneOf`` everything but that one of the alternatives holds."""
        one_holds = self.algebra.either(map(self.reader.formula, self._choices(node, "oneOf")))
        asked = part.formula.parts if isinstance(part.formula, f.Both) else (part.formula,)
        for formula in asked:
            if formula is not one_holds:
                pair = Part(keyword=part.keyword, formula=formula)
                yield from self._question(writer, node, pair, path)

    def _choices(self, node: Located, keyword: str) -> list[Located]:
        count = len(cast("list[object]", self.reader.keywords(node)[keyword]))
        return [node.child(keyword, index) for index in range(count)]

    def _by_alternative(
        self, writer: Writer, node: Located, part: Part, path: Path
    ) -> Iterator[Break | None]:
        """Yield what breaks in each of the writer's alternatives, ``None`` if one has no match."""
        unions = [formula for formula in writer.goal if isinstance(formula, f.Either)]
        union = max(unions, key=lambda one: len(one.parts), default=None)
        if union is None or len(union.parts) > MOST_ALTERNATIVES:
            yield None
            return
        broken = self.algebra.opposite(part.formula)
        choices = self._choices(node, part.keyword)
        for alternative in union.parts:
            goal = self._expanded((*writer.goal, alternative))
            match = next((one for one in choices if self.reader.formula(one) in goal), None)
            if match is None:
                example = self._ask(goal)
                if example.is_none:
                    continue  # nobody can send this form
                match = self._likeliest(choices, example)
            if match is None:
                yield None
                return
            around = (node, part.keyword, part.detail)
            given = Given(self.algebra.both((alternative, broken)), around)
            yield from self._walk(goal, match, (*path, given))

    def _likeliest(self, choices: list[Located], example: Outcome) -> Located | None:
        """Return the reader's alternative that goes with a document of one of the writer's."""
        if not example.is_found:
            return None
        for choice in choices:
            if holds(self.reader.formula(choice), example.value, self._unfold):
                return choice
        meant = [
            choice
            for choice in choices
            if apartness.signature(self.reader, choice).admits(example.value)
        ]
        return meant[0] if len(meant) == 1 else None

    def _branch(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        """Compare what follows from a condition, for the documents that meet it (or do not)."""
        condition = self.reader.formula(node.child("if"))
        is_met = part.detail == "then"
        taken = condition if is_met else self.algebra.opposite(condition)
        goal = self._expanded((*writer.goal, taken))
        given = Given(taken, (node, part.keyword, part.detail))
        yield from self._walk(goal, node.child(part.detail), (*path, given))

    def _property(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        if not writer.can_be(JsonType.OBJECT):
            return
        name = part.detail
        goal = self._expanded(writer.of_property(name))
        if name in writer.named_properties() and goal:
            step = ToProperty(Names(frozenset((name,))))
            yield from self._walk(goal, node.child("properties", name), (*path, step))
        else:
            yield from self._question(writer, node, part, path)

    def _by_pattern(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        names = Names(patterns=frozenset((part.detail,)))
        below = node.child("patternProperties", part.detail)
        yield from self._named(writer, _Named(node, part, below, names), path)

    def _is_worth_a_walk(self, goal: Goal, below: Located) -> bool:
        """Return whether both sides say something of the values, so that details can differ."""
        is_told = any(not isinstance(formula, f.OnlyDeclared) for formula in goal)
        return is_told and self.reader.formula(below) is not NEVER

    def _named(self, writer: Writer, named: _Named, path: Path) -> Iterator[Break]:
        """Ask of all properties with certain names."""
        if not writer.can_be(JsonType.OBJECT):
            return
        goal = self._expanded(writer.of_properties(named.names))
        if self._is_worth_a_walk(goal, named.below):
            yield from self._walk(goal, named.below, (*path, ToProperty(named.names)))
        else:
            yield from self._question(writer, named.node, named.part, path)

    def _additional(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        """Ask of the names that the reader does not list: the writer's own first, then all."""
        names = additional_names(self.reader.keywords(node))
        below = node.child("additionalProperties")
        inner = self.reader.formula(below)
        listed = sorted(filter(names.contains, writer.named_properties()))
        for name in listed:
            formula = self.algebra.each_property(Names(frozenset((name,))), inner)
            one = Part(keyword=part.keyword, detail=name, formula=formula)
            yield from self._question(writer, node, one, path)
        others = Names(names.exact | frozenset(listed), names.patterns, others=True)
        rest = Part(keyword=part.keyword, formula=self.algebra.each_property(others, inner))
        if not writer.keeps_to(rest.formula):
            yield from self._named(writer, _Named(node, rest, below, others), path)

    def _items(self, writer: Writer, node: Located, part: Part, path: Path) -> Iterator[Break]:
        if part.detail:
            index = int(part.detail)
            below = node.child(part.keyword, index)
            start, stop = index, index + 1
        else:
            below = node.child(part.keyword)
            start, stop = prefix_length(node, self.reader.keywords(node)), None
        for step, goal in writer.of_items(start, stop):
            expanded = self._expanded(goal)
            if self._is_worth_a_walk(expanded, below):
                yield from self._walk(expanded, below, (*path, step))
            else:
                formula = self.algebra.each_item(step.start, step.stop, self.reader.formula(below))
                one = Part(keyword=part.keyword, detail=part.detail, formula=formula)
                yield from self._question(writer, node, one, path)
