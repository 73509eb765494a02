"""Compare two texts line by line, side by side, with long equal runs folded away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

# Words, runs of space, and single signs: what a reader sees as one change within a line.
_PIECE = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One half of a row: the line's number and its pieces as (text, is it changed)."""

    number: int
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row: `same`, `changed` (a missing side is a line added or removed) or `folded`."""

    kind: str
    left: Side | None = None
    right: Side | None = None
    folded: int = 0


def side_by_side(old: str, new: str, *, context: int | None = 3) -> list[Row]:
    """Return the rows of a comparison; equal texts give one folded row, empty texts none.

    Equal runs keep `context` lines beside a change; the rest is one row that says how many. With
    None every line is shown.
    """
    left, right = old.splitlines(), new.splitlines()
    steps = SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes()
    rows: list[Row] = []
    for position, (tag, i1, i2, j1, j2) in enumerate(steps):
        if tag == "equal":
            run = [_same(left[i1 + n], i1 + n, j1 + n) for n in range(i2 - i1)]
            is_last = position == len(steps) - 1
            rows += run if context is None else _fold(run, context, position == 0, is_last)
        else:
            rows += _changed(left[i1:i2], right[j1:j2], i1, j1)
    return rows


def _same(line: str, left: int, right: int) -> Row:
    pieces = ((line, False),)
    return Row(
        kind="same",
        left=Side(number=left + 1, pieces=pieces),
        right=Side(number=right + 1, pieces=pieces),
    )


def _fold(run: list[Row], context: int, is_first: bool, is_last: bool) -> Iterator[Row]:
    head = 0 if is_first else context
    tail = 0 if is_last else context
    hidden = len(run) - head - tail
    if hidden <= 1:
        yield from run
        return
    yield from run[:head]
    yield Row(kind="folded", folded=hidden)
    yield from run[len(run) - tail :]


def _changed(left: list[str], right: list[str], left_start: int, right_start: int) -> Iterator[Row]:
    for n in range(max(len(left), len(right))):
        old = left[n] if n < len(left) else None
        new = right[n] if n < len(right) else None
        old_pieces, new_pieces = _pieces(old, new)
        yield Row(
            kind="changed",
            left=None if old is None else Side(number=left_start + n + 1, pieces=old_pieces),
            right=None if new is None else Side(number=right_start + n + 1, pieces=new_pieces),
        )


Pieces = tuple[tuple[str, bool], ...]


def _pieces(old: str | None, new: str | None) -> tuple[Pieces, Pieces]:
    if old is None or new is None:
        return (((old or ""), False),), (((new or ""), False),)
    a, b = _PIECE.findall(old), _PIECE.findall(new)
    matcher = SequenceMatcher(a=a, b=b, autojunk=False)
    if matcher.ratio() < 0.4:  # two different lines: marking every word would only be noise
        return ((old, False),), ((new, False),)
    steps = matcher.get_opcodes()
    left = tuple(("".join(a[i1:i2]), tag != "equal") for tag, i1, i2, _j1, _j2 in steps if i2 > i1)
    right = tuple(("".join(b[j1:j2]), tag != "equal") for tag, _i1, _i2, j1, j2 in steps if j2 > j1)
    return left, right
