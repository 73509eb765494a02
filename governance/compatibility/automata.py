"""Find a string that some patterns accept and others refuse, or prove that none exists.

Patterns become automata that are built while they are walked; the walk goes through all of them
together, shortest strings first, over classes of characters that no pattern tells apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from governance.compatibility import patterns
from governance.compatibility.budget import Budget, OutOfBudgetError
from governance.compatibility.formulas import searcher
from governance.compatibility.patterns import Chars, Choice, Edge, Repeat, Tree

MOST_STATES = 6000  # of one pattern
STEPS_FOR_ONE = 2000  # to see whether a pattern says anything at all
# One of each kind beyond ASCII: letter, digit, white space, neither.
FOREIGN = "\u00e9\u0663\u00a0\u20ac"
NICE = "abcxyzABCXYZ0123456789-_.@/ "

States: TypeAlias = frozenset[int]
ACCEPTED: States = frozenset((-1,))


class Automaton:
    """One pattern with the search semantics of JSON Schema: it may match anywhere.

    ``python``: read it as Python's ``re`` does (``$`` also before a last line feed, classes
    beyond ASCII), else as ECMA-262 does.
    """

    def __init__(self, pattern: str, budget: Budget, *, python: bool) -> None:
        self.python = python
        self.budget = budget
        self.steps: list[list[tuple[Chars, int]]] = []
        self.jumps: list[list[tuple[Edge | None, int]]] = []
        start, self.final = self._new(), self._new()
        self.sets: set[Chars] = set()
        self._build(patterns.parse(pattern), start, self.final)
        self._restart = self._closure((start,), at_start=False)
        self.start = self._settled(self._closure((start,), at_start=True))
        self._moves: dict[tuple[States, str], States] = {}
        self._ends: dict[States, bool] = {}

    def _new(self) -> int:
        if len(self.steps) > MOST_STATES:
            raise patterns.UnsupportedPatternError("too many states")
        self.steps.append([])
        self.jumps.append([])
        return len(self.steps) - 1

    def _build(self, tree: Tree, start: int, end: int) -> None:
        match tree:
            case Chars():
                self.sets.add(tree)
                self.steps[start].append((tree, end))
            case Edge():
                self.jumps[start].append((tree, end))
                if tree.is_end and self.python:
                    line_feed = self._new()
                    self._build(patterns.NEWLINE, start, line_feed)
                    self.jumps[line_feed].append((tree, end))
            case Choice():
                for item in tree.items:
                    self._build(item, start, end)
            case Repeat():
                self._build_repeat(tree, start, end)
            case patterns.Sequence():
                for item in tree.items:
                    after = self._new()
                    self._build(item, start, after)
                    start = after
                self.jumps[start].append((None, end))

    def _build_repeat(self, tree: Repeat, start: int, end: int) -> None:
        for _ in range(tree.least):
            after = self._new()
            self._build(tree.item, start, after)
            start = after
        if tree.most is None:
            loop = self._new()
            self.jumps[start].append((None, loop))
            self._build(tree.item, loop, loop)
            self.jumps[loop].append((None, end))
            return
        for _ in range(tree.most - tree.least):
            after = self._new()
            self.jumps[start].append((None, end))
            self._build(tree.item, start, after)
            start = after
        self.jumps[start].append((None, end))

    def _closure(
        self, states: Iterable[int], *, at_start: bool = False, at_end: bool = False
    ) -> States:
        seen: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state in seen:
                continue
            seen.add(state)
            for edge, target in self.jumps[state]:
                if edge is None or (at_end if edge.is_end else at_start):
                    waiting.append(target)
        return frozenset(seen)

    def _settled(self, states: States) -> States:
        return ACCEPTED if self.final in states else states

    def move(self, states: States, char: str) -> States:
        """Return the states after one more character."""
        if states is ACCEPTED:
            return ACCEPTED
        key = (states, char)
        known = self._moves.get(key)
        if known is None:
            self.budget.spend(len(states))
            reached = {
                target
                for state in states
                for chars, target in self.steps[state]
                if chars.contains(char, is_unicode=self.python)
            }
            known = self._moves[key] = self._settled(self._closure(reached) | self._restart)
        return known

    def accepts(self, states: States, *, is_empty: bool) -> bool:
        """Return whether a string that ends here is accepted."""
        if states is ACCEPTED:
            return True
        if is_empty:  # at the start and at the end at once
            return self.final in self._closure(states, at_start=True, at_end=True)
        known = self._ends.get(states)
        if known is None:
            known = self._ends[states] = self.final in self._closure(states, at_end=True)
        return known


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a string must be like: lengths in code points, patterns, and values to avoid."""

    least: int = 0
    most: int | None = None
    accepted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    avoided: frozenset[str] = frozenset()


def find(wanted: Wanted, budget: Budget, *, python: bool) -> str | None:
    """Return a shortest such string, or ``None`` if there is none.

    Raises ``UnsupportedPatternError`` and ``OutOfBudgetError``.
    """
    accepted = [Automaton(pattern, budget, python=python) for pattern in wanted.accepted]
    refused = [Automaton(pattern, budget, python=python) for pattern in wanted.refused]
    walk = _Walk(wanted, accepted, refused, budget)
    return walk.find()


@lru_cache(maxsize=512)
def is_found_everywhere(pattern: str) -> bool:
    """Return whether every string has a match; ``False`` may also mean unknown."""
    compiled = searcher(pattern)
    if compiled is None or compiled.search("") is None:
        return False
    budget = Budget(per_question=STEPS_FOR_ONE, in_total=STEPS_FOR_ONE)
    try:
        return find(Wanted(refused=(pattern,)), budget, python=True) is None
    except (patterns.UnsupportedPatternError, OutOfBudgetError):
        return False


Position: TypeAlias = tuple[tuple[States, ...], int]
DEAD_END = -1  # no avoided string starts like this


class _Walk:
    def __init__(
        self,
        wanted: Wanted,
        accepted: list[Automaton],
        refused: list[Automaton],
        budget: Budget,
    ) -> None:
        self.wanted = wanted
        self.automata = accepted + refused
        self.accepted_count = len(accepted)
        self.budget = budget
        self.trie: list[dict[str, int]] = [{}]
        self.trie_ends: set[int] = set()
        for text in wanted.avoided:
            self._remember(text)
        self.alphabet = alphabet(self.automata, wanted.avoided)

    def _remember(self, text: str) -> None:
        node = 0
        for char in text:
            if char not in self.trie[node]:
                self.trie.append({})
                self.trie[node][char] = len(self.trie) - 1
            node = self.trie[node][char]
        self.trie_ends.add(node)

    def find(self) -> str | None:
        layer: dict[Position, tuple[Position, str] | None] = {
            (tuple(automaton.start for automaton in self.automata), 0): None
        }
        layers = [layer]
        seen: set[Position] = set()
        length = 0
        while layer:
            if length >= self.wanted.least:
                for position in layer:
                    if self._is_good(position, is_empty=length == 0):
                        return self._spell(layers, position)
                seen.update(layer)
            if self.wanted.most is not None and length >= self.wanted.most:
                return None
            layer = self._next_layer(layer, seen)
            layers.append(layer)
            length += 1
        return None

    def _next_layer(
        self, layer: Iterable[Position], seen: set[Position]
    ) -> dict[Position, tuple[Position, str] | None]:
        following: dict[Position, tuple[Position, str] | None] = {}
        for position in layer:
            self.budget.spend(len(self.alphabet))
            for char in self.alphabet:
                after = self._move(position, char)
                if after not in following and after not in seen:
                    following[after] = (position, char)
        return following

    def _move(self, position: Position, char: str) -> Position:
        states, node = position
        moved = tuple(
            automaton.move(state, char)
            for automaton, state in zip(self.automata, states, strict=True)
        )
        return moved, DEAD_END if node == DEAD_END else self.trie[node].get(char, DEAD_END)

    def _is_good(self, position: Position, *, is_empty: bool) -> bool:
        states, node = position
        return node not in self.trie_ends and all(
            automaton.accepts(state, is_empty=is_empty) is (index < self.accepted_count)
            for index, (automaton, state) in enumerate(zip(self.automata, states, strict=True))
        )

    @staticmethod
    def _spell(
        layers: Sequence[dict[Position, tuple[Position, str] | None]], position: Position
    ) -> str:
        chars: list[str] = []
        for layer in reversed(layers):
            came_from = layer[position]
            if came_from is None:
                break
            position, char = came_from
            chars.append(char)
        return "".join(reversed(chars))


def alphabet(automata: Sequence[Automaton], avoided: Iterable[str]) -> list[str]:
    """Return one character of each class that nobody tells apart, nice ones first."""
    sets = set().union(*(automaton.sets for automaton in automata))
    spelled = set("".join(avoided))
    foreign = set(FOREIGN) | {char for char in spelled if not char.isascii()}
    foreign |= set(_foreign_edges(sets))
    python = any(automaton.python for automaton in automata)
    kinds: dict[tuple[object, ...], str] = {}
    plain = [chr(code) for code in range(patterns.ASCII_LIMIT) if chr(code) not in NICE]
    for char in [*NICE, *sorted(plain, reverse=True), *sorted(foreign)]:
        kind: tuple[object, ...] = tuple(chars.contains(char, is_unicode=python) for chars in sets)
        kinds.setdefault((*kind, char) if char in spelled else kind, char)
    return list(kinds.values())


def _foreign_edges(sets: Iterable[Chars]) -> Iterator[str]:
    """Yield the characters beyond ASCII at which a range starts, ends, or is just left."""
    has_classes = any(chars.classes for chars in sets)
    for chars in sets:
        for low, high in chars.ranges:
            if high < patterns.ASCII_LIMIT:
                continue
            if has_classes:
                # Which letters and digits lie in the range is not known here.
                raise patterns.UnsupportedPatternError("a range beyond ASCII beside a class")
            for code in (low - 1, low, high, high + 1):
                is_surrogate = 0xD800 <= code <= 0xDFFF
                if patterns.ASCII_LIMIT <= code <= 0x10FFFF and not is_surrogate:
                    yield chr(code)
