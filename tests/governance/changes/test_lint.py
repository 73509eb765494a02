"""The house's rules: what each finds, and that policy decides what a finding weighs."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.house_rules import HouseRule, Weight
from governance import lint
from governance.lint import Policy, Source


def found(properties: Any, **place: Any) -> dict[str, list[str]]:
    """Return the pointers that each rule names, for an object with these properties."""
    schema = properties if "type" in properties else {"type": "object", "properties": properties}
    result: dict[str, list[str]] = {}
    for finding in lint.findings(lint.contract_of(schema, **place), Policy()):
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
        ({"type": "object", "properties": {}, "additionalProperties": False}, "content_is_open",
         ["/additionalProperties"]),
        ({"type": "object", "properties": {}, "unevaluatedProperties": False}, "content_is_open",
         ["/unevaluatedProperties"]),
        ({"type": "object", "properties": {}, "additionalProperties": True}, "content_is_open", []),
        ({"type": "object", "properties": {}}, "content_is_stated", [""]),
        ({"type": "object", "properties": {}, "additionalProperties": False}, "content_is_stated",
         []),
        ({"type": "object", "properties": {}, "additionalProperties": True}, "content_is_stated",
         []),
        ({"type": "object", "properties": {"place": {"properties": {}}, "any": {"type": "object"}},
          "unevaluatedProperties": {}}, "content_is_stated", ["/properties/place"]),
        ({"type": "object", "unevaluatedProperties": True,
          "properties": {"then": {"properties": {}}},
          "allOf": [{"properties": {}}], "if": {"properties": {}}, "then": {"properties": {}}},
         "content_is_stated", ["/properties/then"]),
        ({"order_id": {**TEXT, "x-searchable": True}}, "searchable_is_value", []),
        ({"place": {"type": "object", "x-searchable": True},
          "tags": {"type": "array", "items": TEXT, "x-searchable": True},
          "is_new": {"type": "boolean", "x-searchable": True}}, "searchable_is_value",
         ["/properties/place", "/properties/tags", "/properties/is_new"]),
        ({"order_id": {**TEXT, "x-searchable": True}}, "searchable_is_harmless", []),
        ({"email": {**TEXT, "x-searchable": True, "x-sensitive": "contact"}},
         "searchable_is_harmless", ["/properties/email"]),
        ({"buyer": {"type": "object", "x-sensitive": True,
                    "properties": {"city": {**TEXT, "x-searchable": True}}}},
         "searchable_is_harmless", ["/properties/buyer/properties/city"]),
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


def test_policy_decides_what_a_finding_weighs_and_says_whose_word_it_is() -> None:
    schema = {"type": "object", "properties": {"note": {"type": "string"}}}
    contract = lint.contract_of({**schema, "additionalProperties": True})

    def weighed(**policy: dict[str, str]) -> list[tuple[Weight, Source]]:
        return [(one.weight, one.source) for one in lint.findings(contract, Policy(**policy))]

    rule = "field_has_meaning"
    assert weighed() == [(Weight.ADVICE, Source.SHIPPED)]
    assert weighed(portal={rule: "error"}) == [(Weight.ERROR, Source.PORTAL)]
    assert weighed(portal={rule: "error"}, topic={rule: "advice"}) == [
        (Weight.ADVICE, Source.TOPIC)
    ]
    assert weighed(portal={rule: "error"}, topic={rule: "off"}) == []
    assert weighed(portal={"money_has_currency": "error"}) == weighed()


def test_every_rule_of_the_house_is_looked_for() -> None:
    assert set(lint.RULES) == set(HouseRule)
