"""The house's rules: what each finds, and that policy decides what a finding weighs."""

from __future__ import annotations

from typing import Any

import pytest

from governance import lint
from governance.lint import Weight


def found(properties: Any, **place: Any) -> dict[str, list[str]]:
    """Return the pointers that each rule names, for an object with these properties."""
    schema = properties if "type" in properties else {"type": "object", "properties": properties}
    result: dict[str, list[str]] = {}
    for finding in lint.findings(lint.contract_of(schema, **place)):
        result.setdefault(finding.rule, []).append(finding.pointer)
    return result


TEXT = {"type": "string", "description": "What it says.", "maxLength": 40}


@pytest.mark.parametrize(
    ("properties", "rule", "pointers"),
    [
        ({"note": {**TEXT, "description": ""}}, "field_has_meaning", ["/properties/note"]),
        ({"order_id": {"type": "integer", "description": "D"}}, "identifier_is_text",
         ["/properties/order_id"]),
        ({"orderNumber": {"type": "number", "description": "D"}}, "identifier_is_text",
         ["/properties/orderNumber"]),
        ({"width": {"type": "number", "description": "D"}}, "identifier_is_text", []),
        ({"placed_at": TEXT}, "time_has_zone", ["/properties/placed_at"]),
        ({"placedAt": {**TEXT, "format": "date-time"}}, "time_has_zone", []),
        ({"total": {"type": "number", "description": "D"}}, "money_has_currency",
         ["/properties/total"]),
        ({"total": {"type": "number", "description": "D"}, "currency": TEXT},
         "money_has_currency", []),
        ({"type": "array"}, "root_is_object", [""]),
        ({"type": "object", "properties": {}, "additionalProperties": False}, "content_is_stated",
         ["/additionalProperties"]),
    ],
)  # fmt: skip
def test_a_rule_names_the_places_that_break_it(
    properties: Any, rule: str, pointers: list[str]
) -> None:
    assert found(properties).get(rule, []) == pointers


def test_sizes_matter_where_the_topic_has_a_ceiling() -> None:
    open_ended = {
        "note": {"type": "string", "description": "D"},
        "lines": {"type": "array", "description": "D", "items": {"type": "number"}},
    }
    assert "size_is_bounded" not in found(open_ended)
    assert found(open_ended, payload_ceiling_bytes=1000)["size_is_bounded"] == [
        "/properties/note",
        "/properties/lines",
    ]


@pytest.mark.parametrize(
    ("case", "names"), [("snake", ["orderId"]), ("camel", ["order_id"]), ("any", [])]
)
def test_names_keep_the_topic_s_convention(case: str, names: list[str]) -> None:
    broken = found({"orderId": TEXT, "order_id": TEXT, "order": TEXT}, field_case=case)
    assert broken.get("name_is_in_case", []) == [f"/properties/{name}" for name in names]


def test_policy_decides_what_a_finding_weighs() -> None:
    contract = lint.contract_of({"type": "object", "properties": {"note": {"type": "string"}}})
    assert [one.weight for one in lint.findings(contract)] == [Weight.ADVICE]
    strict = lint.findings(contract, {"field_has_meaning": "error"})
    assert [one.weight for one in strict] == [Weight.ERROR]
    assert lint.findings(contract, {"field_has_meaning": "off"}) == []
