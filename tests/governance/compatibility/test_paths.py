"""From a pointer in a schema to the fields of a document."""

from __future__ import annotations

from governance.compatibility import Schema, check, field_paths

MONEY = {"type": "object", "properties": {"amount": {"type": "number"}}}
ORDER: Schema = {
    "properties": {
        "total": {"$ref": "#/$defs/money"},
        "lines": {"type": "array", "items": {"properties": {"price": {"$ref": "#/$defs/money"}}}},
        "meta": {"additionalProperties": {"type": "string"}},
    },
    "allOf": [{"required": ["total"]}],
    "$defs": {"money": MONEY, "unused": {"type": "string"}},
}


def test_one_definition_stands_behind_many_fields() -> None:
    assert field_paths(ORDER, "/$defs/money/properties/amount/type") == (
        ("total", "amount"),
        ("lines", "*", "price", "amount"),
    )


def test_keyword_counts_as_its_schema() -> None:
    assert field_paths(ORDER, "/properties/meta/additionalProperties/type") == (("meta", "*"),)
    assert field_paths(ORDER, "/allOf/0/required") == ((),)
    assert field_paths(ORDER, "") == ((),)


def test_definition_that_nobody_uses_has_no_field_of_its_own() -> None:
    assert field_paths(ORDER, "/$defs/unused/type") == ()


def test_recursive_definitions_end() -> None:
    tree: Schema = {"properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}}
    paths = field_paths(tree, "/properties/name")
    assert paths[:2] == (("name",), ("child", "name"))
    assert len(paths) < 20


def test_pointers_of_findings_lead_to_fields() -> None:
    assert isinstance(ORDER, dict)
    narrowed = {"type": "object", "properties": {"amount": {"type": "integer"}}}
    new: Schema = {**ORDER, "$defs": {"money": narrowed}}
    pointers = [finding.new_pointer for finding in check(ORDER, new).breaking]
    assert pointers == ["/$defs/money/properties/amount/type"]
    assert ("total", "amount") in field_paths(new, pointers[0] or "")
