"""A comparison shows every line once on its side, and only what changed as changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalog import line_diff

LINES = st.lists(st.sampled_from(["a", "b", "c", "d 1", "d 2", ""]), max_size=30)


def _texts(rows: list[line_diff.Row], side: str) -> list[str]:
    sides = [getattr(row, side) for row in rows if getattr(row, side)]
    return ["".join(text for text, _ in one.pieces) for one in sides]


@given(LINES, LINES)
def test_each_side_reads_as_its_text(old: list[str], new: list[str]) -> None:
    rows = line_diff.side_by_side("\n".join(old), "\n".join(new), context=None)
    assert _texts(rows, "left") == "\n".join(old).splitlines()
    assert _texts(rows, "right") == "\n".join(new).splitlines()


def test_changed_words_are_marked_within_a_line() -> None:
    (row,) = line_diff.side_by_side('"order", "customer"', '"order", "country"')
    assert row.left is not None
    assert row.right is not None
    assert ("customer", True) in row.left.pieces
    assert ("country", True) in row.right.pieces


def test_added_line_has_no_left_side() -> None:
    rows = line_diff.side_by_side("a\nb", "a\nnew\nb")
    assert [(row.left is None, row.kind) for row in rows] == [
        (False, "same"),
        (True, "changed"),
        (False, "same"),
    ]


def test_long_equal_runs_are_folded_and_counted() -> None:
    same = "\n".join(str(n) for n in range(20))
    rows = line_diff.side_by_side(f"{same}\nold", f"{same}\nnew")
    assert [row.folded for row in rows if row.kind == "folded"] == [17]
    assert [row.kind for row in rows][:2] == ["folded", "same"]
