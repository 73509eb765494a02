"""Writing contracts without writing JSON Schema: rows that are edited, and guesses from samples."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import schemas
from catalog.schemas import Row, RowKind
from tests.catalog.test_schemas import ORDER, _schemas


def edited(schema: Any, path: str, **changes: Any) -> dict[str, Any]:
    """Change the row of that name, as the editor would."""
    rows = schemas.to_rows(schema)
    return schemas.apply_rows(
        schema, [replace(row, **changes) if row.name == path else row for row in rows]
    )


def test_rows_show_what_the_document_says() -> None:
    rows = {row.name: row for row in schemas.to_rows(ORDER)}
    assert list(rows) == [
        "order_number", "channel", "placed_at", "total", "lines", "sku", "quantity",
        "customer", "email", "note",
    ]  # fmt: skip
    assert rows["order_number"].kind is RowKind.TEXT
    assert rows["order_number"].example == "A-20417"
    assert rows["channel"].allowed == ("web", "app")
    assert rows["placed_at"].kind is RowKind.DATE_TIME
    assert rows["total"].kind is RowKind.OTHER
    assert (rows["lines"].kind, rows["lines"].entry) == (RowKind.LIST, RowKind.OBJECT)
    assert rows["sku"].parent == rows["lines"].key
    assert rows["email"].sensitive == "personal"
    assert rows["note"].is_nullable


def test_unchanged_rows_change_nothing() -> None:
    before = json.dumps(ORDER)
    assert json.dumps(schemas.apply_rows(ORDER, schemas.to_rows(ORDER))) == before
    assert json.dumps(ORDER) == before


def test_one_edit_changes_one_thing() -> None:
    wanted = copy.deepcopy(ORDER)
    wanted["properties"]["order_number"]["description"] = "As on the invoice."
    assert edited(ORDER, "order_number", meaning="As on the invoice.") == wanted


def test_renaming_keeps_the_place_and_the_duty() -> None:
    after = edited(ORDER, "order_number", name="number")
    assert next(iter(after["properties"])) == "number"
    assert after["required"] == ["number", "total", "lines"]
    assert after["properties"]["number"] == ORDER["properties"]["order_number"]


def test_each_value_of_a_row_is_written() -> None:
    after = edited(
        ORDER,
        "quantity",
        kind=RowKind.NUMBER,
        title="Pieces",
        allowed=(1, 2),
        has_example=True,
        example=2,
        sensitive="internal",
        is_searchable=True,
        is_required=True,
        is_nullable=True,
    )
    items = after["properties"]["lines"]["items"]
    assert items["required"] == ["sku", "quantity"]
    assert items["properties"]["quantity"] == {
        "type": ["number", "null"],
        "minimum": 1,
        "title": "Pieces",
        "enum": [1, 2],
        "examples": [2],
        "x-sensitive": "internal",
        "x-searchable": True,
    }


def test_another_type_takes_along_what_still_means_something() -> None:
    after = edited(ORDER, "order_number", kind=RowKind.INTEGER)
    assert "pattern" not in after["properties"]["order_number"]
    assert after["properties"]["order_number"]["title"] == "Order number"
    after = edited(ORDER, "order_number", kind=RowKind.DATE)
    assert after["properties"]["order_number"]["format"] == "date"


def test_a_row_that_is_gone_is_removed_with_what_stood_in_it() -> None:
    rows = [row for row in schemas.to_rows(ORDER) if "lines" not in row.key]
    after = schemas.apply_rows(ORDER, rows)
    assert "lines" not in after["properties"]
    assert after["required"] == ["order_number", "total"]


def test_new_rows_build_a_schema_from_nothing() -> None:
    rows = [
        Row(key="n1", name="order_id", kind=RowKind.TEXT, is_required=True, meaning="Its number."),
        Row(key="n2", name="lines", kind=RowKind.LIST, entry=RowKind.OBJECT),
        Row(key="n3", parent="n2", name="sku", kind=RowKind.TEXT, is_required=True),
        Row(key="n4", name="tags", kind=RowKind.LIST, entry=RowKind.TEXT),
        Row(key="n5", name="customer", kind=RowKind.OBJECT),
        Row(key="n6", parent="n5", name="email", kind=RowKind.EMAIL, sensitive="personal"),
    ]
    made = schemas.apply_rows({}, rows)
    assert schemas.problems(made) == []
    assert made == {
        "type": "object",
        "properties": {
            "order_id": {"type": "string", "description": "Its number."},
            "lines": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": True,
                    "properties": {"sku": {"type": "string"}},
                    "required": ["sku"],
                },
            },
            "tags": {"type": "array", "items": {"type": "string"}},
            "customer": {
                "type": "object",
                "additionalProperties": True,
                "properties": {
                    "email": {"type": "string", "format": "email", "x-sensitive": "personal"}
                },
            },
        },
        "required": ["order_id"],
    }


@pytest.mark.parametrize(
    ("rows", "key"),
    [
        ([Row(key="a", name=" ", kind=RowKind.TEXT)], "a"),
        ([Row(key=key, name="x", kind=RowKind.TEXT) for key in "ab"], "b"),
        ([Row(key="a", parent="gone", name="x", kind=RowKind.TEXT)], "a"),
    ],
)  # fmt: skip
def test_rows_that_make_no_schema_are_named(rows: list[Row], key: str) -> None:
    with pytest.raises(schemas.Unfit) as caught:
        schemas.apply_rows({}, rows)
    assert [problem.pointer for problem in caught.value.problems] == [key]


@given(_schemas())
@settings(max_examples=150, deadline=None)
def test_the_round_trip_loses_nothing(schema: Any) -> None:
    if isinstance(schema, bool):
        return
    before = json.dumps(schema)
    after = schemas.apply_rows(schema, schemas.to_rows(schema))
    assert json.dumps(after) == before
    assert json.dumps(schema) == before


@given(_schemas(), st.data())
@settings(max_examples=150, deadline=None)
def test_an_edit_of_one_row_leaves_all_others(schema: Any, data: st.DataObject) -> None:
    rows = schemas.to_rows(schema)
    if not rows:
        return
    chosen = data.draw(st.sampled_from(rows))
    changed = replace(chosen, name="renamed", meaning="New.", is_required=not chosen.is_required)
    after = schemas.apply_rows(schema, [changed if row is chosen else row for row in rows])
    assert [row.name for row in schemas.to_rows(after)] == [
        "renamed" if row is chosen else row.name for row in rows
    ]
    assert schemas.problems(after) == []


def test_a_sample_becomes_a_schema_that_it_keeps() -> None:
    samples = [
        {
            "order_id": "A-1",
            "placed_at": "2026-11-12T13:31:07Z",
            "email": "ada@example.com",
            "lines": [{"sku": "M-1", "quantity": 2}, {"sku": "M-2", "quantity": 1, "gift": True}],
            "total": 12.5,
        },
        {"order_id": "A-2", "placed_at": "2026-11-12T13:31:07Z", "lines": [], "total": 3},
    ]
    made = schemas.infer(samples)
    assert schemas.problems(made) == []
    check = schemas.validator_for(made)
    assert all(map(check.is_valid, samples))
    assert list(made["properties"]) == ["order_id", "placed_at", "email", "lines", "total"]
    assert sorted(made["required"]) == ["lines", "order_id", "placed_at", "total"]
    assert made["properties"]["placed_at"]["format"] == "date-time"
    assert made["properties"]["email"] == {
        "type": "string",
        "format": "email",
        "x-sensitive": "personal",
        "title": "Email",
    }
    assert made["properties"]["order_id"]["examples"] == ["A-1"]
    assert made["properties"]["lines"]["items"]["required"] == ["quantity", "sku"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["a", "email", "b_at"]), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(st.lists(VALUES, max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_sample_keeps_the_schema_that_was_guessed_from_it(samples: list[object]) -> None:
    made = schemas.infer(samples)
    assert schemas.problems(made) == []
    assert all(map(schemas.validator_for(made).is_valid, samples))
