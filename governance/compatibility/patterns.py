"""Read regular expressions, the part of ECMA-262 that is regular and common.

Look-around, back-references, word boundaries, Unicode properties and flags are refused with
``UnsupportedPatternError``; whoever asks must then treat the pattern as opaque.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

MOST_REPEATS = 1000  # a counted repetition is unrolled; more than this is not worth the states
ASCII_LIMIT = 128


class UnsupportedPatternError(ValueError):
    """The pattern is not in the readable part; treat it as opaque."""


@dataclass(frozen=True, slots=True)
class Chars:
    """A set of characters: ranges of code points and the classes ``d``, ``w``, ``s``."""

    ranges: tuple[tuple[int, int], ...] = ()
    classes: frozenset[str] = frozenset()
    negated: bool = False

    def contains(self, char: str, *, is_unicode: bool) -> bool:
        """Return whether a character belongs; ``is_unicode``: classes reach beyond ASCII."""
        code = ord(char)
        found = any(low <= code <= high for low, high in self.ranges) or any(
            in_class(name, char, is_unicode=is_unicode) for name in self.classes
        )
        return found is not self.negated


def in_class(name: str, char: str, *, is_unicode: bool) -> bool:
    """Return whether a character is in ``\\d \\w \\s`` (capital letters: is not)."""
    # ECMA-262 counts U+00A0, U+FEFF and the Zs category as white space too.
    flags = re.UNICODE if is_unicode or name in "sS" else re.ASCII
    return re.fullmatch("\\" + name, char, flags) is not None


@dataclass(frozen=True, slots=True)
class Sequence:
    """One thing after the other."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same thing several times; no ``most`` means without end."""

    item: Tree
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Edge:
    """The start (``^``) or end (``$``) of the string."""

    is_end: bool


Tree: TypeAlias = Chars | Sequence | Choice | Repeat | Edge

NEWLINE = Chars(((10, 10),))
ANY_CHAR = Chars(((10, 10),), negated=True)
CONTROL_ESCAPES = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "0": 0}
COUNTED = re.compile(r"\{(\d+)(,(\d*))?\}")


def parse(pattern: str) -> Tree:
    """Return the tree of a pattern; raise ``UnsupportedPatternError`` for what is not readable."""
    reader = _Reader(pattern)
    tree = reader.choice()
    if reader.position != len(pattern):
        raise UnsupportedPatternError(pattern)
    return tree


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0

    def peek(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise UnsupportedPatternError(self.pattern)
        self.position += 1
        return char

    def accept(self, text: str) -> bool:
        if self.pattern.startswith(text, self.position):
            self.position += len(text)
            return True
        return False

    def choice(self) -> Tree:
        options = [self.sequence()]
        while self.accept("|"):
            options.append(self.sequence())
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def sequence(self) -> Tree:
        items: list[Tree] = []
        while self.peek() not in ("", "|", ")"):
            item = self.repeated(self.atom())
            if items and isinstance(items[-1], Edge) and items[-1].is_end:
                raise UnsupportedPatternError("something follows the end")
            items.append(item)
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def repeated(self, item: Tree) -> Tree:
        while True:
            bounds = self.bounds()
            if bounds is None:
                return item
            if isinstance(item, Edge):
                raise UnsupportedPatternError("a repeated edge")
            self.accept("?")  # lazy: the same set of strings
            if self.peek() in ("+", "*", "?") and self.peek():
                raise UnsupportedPatternError("a possessive or doubled repetition")
            item = Repeat(item, *bounds)

    def bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.accept(sign):
                return bounds
        counted = COUNTED.match(self.pattern, self.position)
        if counted is None:
            return None
        self.position = counted.end()
        least = int(counted[1])
        most = least if counted[2] is None else int(counted[3]) if counted[3] else None
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise UnsupportedPatternError("too many repetitions")
        return least, most

    def atom(self) -> Tree:  # noqa: PLR0911  one case a sign
        char = self.take()
        match char:
            case "^":
                return Edge(is_end=False)
            case "$":
                return Edge(is_end=True)
            case ".":
                return ANY_CHAR
            case "(":
                return self.group()
            case "[":
                return self.char_class()
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise UnsupportedPatternError("nothing to repeat")
        return single(ord(char))

    def group(self) -> Tree:
        if self.accept("?"):
            if self.accept("P<") or (self.peek() == "<" and not self.is_look_behind()):
                self.position = self.pattern.index(">", self.position) + 1
            elif not self.accept(":"):
                raise UnsupportedPatternError("look-around or flags")
        tree = self.choice()
        if not self.accept(")"):
            raise UnsupportedPatternError("an open group")
        return tree

    def is_look_behind(self) -> bool:
        return self.pattern[self.position + 1 : self.position + 2] in ("=", "!")

    def escape(self) -> Chars:
        char = self.take()
        if char in "dDwWsS":
            return Chars(classes=frozenset((char,)))
        return single(self.escaped_code(char))

    def escaped_code(self, char: str) -> int:
        if char in CONTROL_ESCAPES and not (char == "0" and self.peek().isdigit()):
            return CONTROL_ESCAPES[char]
        if char in "xu":
            length = 2 if char == "x" else 4
            digits = self.pattern[self.position : self.position + length]
            if len(digits) != length or re.fullmatch("[0-9A-Fa-f]+", digits) is None:
                raise UnsupportedPatternError("an odd escape")
            self.position += length
            return int(digits, 16)
        if char.isalnum():
            raise UnsupportedPatternError(f"escape {char}")
        return ord(char)

    def char_class(self) -> Chars:
        negated = self.accept("^")
        ranges: list[tuple[int, int]] = []
        classes: set[str] = set()
        if self.peek() == "]":
            raise UnsupportedPatternError("an empty class")  # ECMA and Python differ here
        while not self.accept("]"):
            low = self.member(classes)
            if self.peek() == "-" and self.pattern[self.position + 1 : self.position + 2] != "]":
                self.take()
                high = self.member(classes)
                if low is None or high is None or high < low:
                    raise UnsupportedPatternError("an odd range")
                ranges.append((low, high))
            elif low is not None:
                ranges.append((low, low))
        return Chars(tuple(ranges), frozenset(classes), negated)

    def member(self, classes: set[str]) -> int | None:
        char = self.take()
        if char != "\\":
            return ord(char)
        char = self.take()
        if char in "dDwWsS":
            classes.add(char)
            return None
        return 8 if char == "b" else self.escaped_code(char)


def single(code: int) -> Chars:
    """Return the set of one character."""
    return Chars(((code, code),))
