"""What somebody could not see stays what it was, or they are asked; it never lands elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schemas import MASK
from delivery.unmasking import restore

ROWS = [{"sku": "a", "who": "Ada"}, {"sku": "b", "who": "Bob"}, {"sku": "b", "who": "Eve"}]
SHOWN = [{**row, "who": MASK} for row in ROWS]


@pytest.mark.parametrize(
    ("edited", "meant"),
    [
        (SHOWN, ROWS),
        # Changed where it stands.
        ([{"sku": "A", "who": MASK}, *SHOWN[1:]], [{"sku": "A", "who": "Ada"}, *ROWS[1:]]),
        # Taken out: who is left is known by being the only one like it.
        ([SHOWN[0]], [ROWS[0]]),
        # Moved.
        ([SHOWN[1], SHOWN[0], {"sku": "b", "who": "New"}], None),
        # Two look the same, and one is gone: nobody can tell which.
        ([SHOWN[0], SHOWN[2]], None),
        # A new entry has nothing behind its dots.
        ([*SHOWN, {"sku": "c", "who": MASK}], None),
    ],
)
def test_entries_of_lists(edited: object, meant: object) -> None:
    found = restore(edited, shown=SHOWN, stored=ROWS)
    if meant is None:
        assert found.unclear
    else:
        assert (found.data, found.unclear) == (meant, ())


def test_dots_never_fetch_another_fields_value() -> None:
    found = restore(
        {"name": MASK, "email": MASK},
        shown={"name": "Ada", "email": MASK},
        stored={"name": "Ada", "email": "ada@example.com"},
    )
    assert found.unclear == ("/name",)
    assert found.hidden == ("/email",)


def test_a_whole_document_may_be_hidden() -> None:
    assert restore(MASK, shown=MASK, stored={"a": 1}).data == {"a": 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
)


@given(JSON)
def test_without_masks_nothing_is_touched(document: object) -> None:
    found = restore(document, shown=document, stored=document)
    assert found.data == document
    assert not found.unclear
