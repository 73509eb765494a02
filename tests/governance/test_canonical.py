"""One value, one text."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import canonical
from governance.states import Verb

CET = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (2**53 - 1, "9007199254740991"),
        (2**53, '"9007199254740992"'),  # past what every JSON reader holds exactly
        (-(2**60), '"-1152921504606846976"'),
        (1.5, "1.5"),
        (1.0, "1"),
        (-0.0, "0"),
        (1e20, '"100000000000000000000"'),
        (Decimal("1.10"), '"1.10"'),
        (datetime(2026, 6, 1, 12, 0, tzinfo=CET), '"2026-06-01T11:00:00.000000Z"'),
        (datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=UTC), '"2026-06-01T12:00:00.000001Z"'),
        (date(2026, 6, 1), '"2026-06-01"'),
        (timedelta(minutes=1), "60"),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Verb.PUBLISH, '"publish"'),
        (b"\x00\xff", '"00ff"'),
        ({"b": 1, "a": [2, (3,)]}, '{"a":[2,[3]],"b":1}'),
        ({"z", "a"}, '["a","z"]'),
        ("é ✓ \u2028", '"é ✓ \u2028"'),
    ],
)
def test_form(value: object, text: str) -> None:
    assert canonical.encode(value).decode() == text


@pytest.mark.parametrize(
    "value", [object(), {1: "a", "1": "b"}, float("nan"), float("inf"), {"a": ...}]
)
def test_what_has_no_agreed_form_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        canonical.encode(value)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_form_survives_reading_it_back(value: object) -> None:
    """What was stored as JSON and read again has the same text: no entry looks changed."""
    try:
        text = canonical.encode(value)
    except UnicodeEncodeError:
        return
    assert canonical.encode(json.loads(text)) == text
