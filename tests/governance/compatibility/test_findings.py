"""Findings: what a reviewer reads of each change."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from governance.compatibility import (
    Direction,
    Finding,
    Kind,
    Mode,
    Policy,
    Report,
    Schema,
    Severity,
    Verdict,
    check,
    check_against,
)
from governance.compatibility.sentences import TEMPLATES

TEXT: dict[str, object] = {"type": "string"}
ORDER: dict[str, Any] = {
    "type": "object",
    "title": "Order",
    "properties": {
        "id": TEXT,
        "billing_country": {"type": "string", "title": "Billing country", "maxLength": 2},
        "lines": {
            "type": "array",
            "title": "Lines",
            "items": {
                "type": "object",
                "properties": {"quantity": {"type": "integer", "title": "Quantity"}},
            },
        },
        "status": {"enum": ["open", "paid"], "title": "Status"},
    },
    "required": ["id"],
}


def changed(**fields: object) -> dict[str, Any]:
    """Return the order with some fields changed; ``None`` takes a field away."""
    properties = {**ORDER["properties"], **fields}
    kept = {name: schema for name, schema in properties.items() if schema is not None}
    return {**ORDER, "properties": kept}


def only(report: Report) -> Finding:
    """Return the one finding of a report."""
    (finding,) = report.findings
    return finding


def test_required_field_is_told_with_its_title() -> None:
    finding = only(check(ORDER, {**ORDER, "required": ["id", "billing_country"]}))
    assert finding.kind is Kind.REQUIRED_ADDED
    assert finding.severity is Severity.BREAKING
    assert finding.direction is Direction.BACKWARD
    assert finding.message == "Billing country becomes required. Until now it may be missing."
    assert finding.old_pointer == finding.new_pointer == "/properties/billing_country"
    assert finding.has_witness
    assert "billing_country" not in finding.witness  # type: ignore[operator]


# (what changes, kind, sentence, breaking under strict backward)
SENTENCES: list[tuple[dict[str, object], Kind, str, bool]] = [
    ({"note": TEXT}, Kind.PROPERTY_ADDED, "note is new.", True),
    ({"status": None}, Kind.PROPERTY_REMOVED, "Status is removed.", False),
    (
        {"billing_country": {"type": "string", "title": "Billing country", "maxLength": 3}},
        Kind.LENGTH_LOOSENED,
        "Billing country had at most 2 characters and may now have at most 3 characters.",
        False,
    ),
    (
        {"status": {"enum": ["open"], "title": "Status"}},
        Kind.ENUM_NARROWED,
        "Status no longer allows “paid”.",
        True,
    ),
    (
        {"status": {"enum": ["open", "paid", "sent"], "title": "Status"}},
        Kind.ENUM_WIDENED,
        "Status now also allows “sent”.",
        False,
    ),
    (
        {"id": {"type": "integer"}},
        Kind.TYPE_CHANGED,
        "id was text and becomes a whole number.",
        True,
    ),
    (
        {"id": {"type": ["string", "null"]}},
        Kind.TYPE_WIDENED,
        "id was text and may now be text or empty.",
        False,
    ),
    (
        {"id": {"type": "string", "pattern": "^A"}},
        Kind.PATTERN_ADDED,
        "id must now match the pattern “^A”.",
        True,
    ),
    (
        {"id": {"type": "string", "format": "uuid"}},
        Kind.FORMAT_ADDED,
        "id must now have the format “uuid”.",
        True,
    ),
    (
        {"lines": {**ORDER["properties"]["lines"], "minItems": 1}},
        Kind.ITEM_COUNT_TIGHTENED,
        "Lines must now have at least 1 entry. Until now it had any number of entries.",
        True,
    ),
    (
        {"lines": {**ORDER["properties"]["lines"], "uniqueItems": True}},
        Kind.UNIQUE_ITEMS_ADDED,
        "Lines may no longer have the same entry twice.",
        True,
    ),
    (
        {
            "lines": {
                **ORDER["properties"]["lines"],
                "items": {
                    "type": "object",
                    "properties": {
                        "quantity": {"type": "integer", "title": "Quantity", "minimum": 1}
                    },
                },
            }
        },
        Kind.BOUND_TIGHTENED,
        "Lines › each entry › Quantity is now at least 1."  # noqa: RUF001  the arrow shown
        " Until now it was without a lower limit.",
        True,
    ),
    (
        {"id": {"type": "string", "description": "The number on the invoice."}},
        Kind.MEANING_CHANGED,
        "The description of id changes (description).",
        False,
    ),
]


@pytest.mark.parametrize(
    ("fields", "kind", "sentence", "breaks"),
    [pytest.param(*row, id=row[1].value) for row in SENTENCES],
)
def test_each_change_has_its_kind_and_sentence(
    fields: dict[str, object], kind: Kind, sentence: str, breaks: bool
) -> None:
    finding = only(check(ORDER, changed(**fields), policy=Policy.STRICT))
    assert (finding.kind, finding.message) == (kind, sentence)
    assert finding.severity is (Severity.BREAKING if breaks else Severity.SAFE)
    assert finding.has_witness is breaks
    assert (finding.direction is None) is not breaks


def test_every_change_is_listed_and_the_worst_first() -> None:
    new = changed(note=TEXT, status={"enum": ["open"]}, id={"type": ["string", "null"]})
    report = check(ORDER, new)
    assert [finding.severity for finding in report.findings] == sorted(
        (finding.severity for finding in report.findings), key=list(Severity).index
    )
    assert {finding.kind for finding in report.breaking} == {Kind.ENUM_NARROWED}
    assert {finding.kind for finding in report.safe} == {
        Kind.PROPERTY_ADDED,
        Kind.TYPE_WIDENED,
        Kind.MEANING_CHANGED,  # the title of the status went with the rest
    }
    assert report.undecided == ()


def test_every_break_is_found_not_only_the_first() -> None:
    names = [f"field_{index}" for index in range(20)]
    old = {"type": "object", "properties": dict.fromkeys(names, TEXT)}
    new = {"type": "object", "properties": {name: {"type": "number"} for name in names}}
    report = check(old, new)
    assert [finding.new_pointer for finding in report.breaking] == [
        f"/properties/{name}/type" for name in names
    ]


def test_change_that_breaks_both_ways_is_told_twice() -> None:
    report = check(ORDER, changed(id={"type": "integer"}), mode=Mode.FULL)
    assert [finding.direction for finding in report.breaking] == [
        Direction.BACKWARD,
        Direction.FORWARD,
    ]
    backward, forward = (finding.witness for finding in report.breaking)
    assert isinstance(backward["id"], str)  # type: ignore[index]
    assert isinstance(forward["id"], int)  # type: ignore[index]


def test_break_inside_one_form_of_a_union_points_there() -> None:
    def payment(kind: str, **fields: object) -> dict[str, object]:
        return {
            "type": "object",
            "properties": {"kind": {"const": kind}, **fields},
            "required": ["kind"],
        }

    old = {"oneOf": [payment("card", number=TEXT), payment("bank", iban=TEXT)]}
    new = {"oneOf": [payment("bank", iban={"type": "integer"}), payment("card", number=TEXT)]}
    (finding,) = check(old, new).breaking
    assert finding.kind is Kind.TYPE_CHANGED
    assert finding.old_pointer == "/oneOf/1/properties/iban/type"
    assert finding.new_pointer == "/oneOf/0/properties/iban/type"
    assert finding.message.startswith("bank › iban")  # noqa: RUF001  the arrow shown


def test_break_where_nothing_was_rewritten_is_still_told() -> None:
    closed = {"additionalProperties": False}
    old: Schema = {"properties": {"a": TEXT, "b": TEXT}, **closed}
    new: Schema = {"properties": {"a": TEXT}, **closed}
    (finding,) = check(old, new).breaking
    assert finding.kind is Kind.PROPERTY_REMOVED
    assert finding.message == "b is removed."
    assert finding.witness == {"b": ""}


def test_local_change_that_the_whole_forbids_breaks_nobody() -> None:
    old: Schema = {"properties": {"a": {"type": "number"}}, "maxProperties": 0}
    new: Schema = {"properties": {"a": {"type": "string"}}, "maxProperties": 0}
    report = check(old, new, policy=Policy.STRICT)
    assert report.verdict is Verdict.COMPATIBLE
    assert [finding.severity for finding in report.findings] == [Severity.SAFE]


def test_promise_that_no_validator_checks_breaks_without_an_example() -> None:
    old: Schema = {"type": "string", "contentEncoding": "base64"}
    new: Schema = {"type": "string", "contentEncoding": "base32"}
    finding = only(check(old, new))
    assert (finding.kind, finding.severity) == (Kind.CONTENT_FORM_CHANGED, Severity.BREAKING)
    assert not finding.has_witness
    assert check(old, {"type": "string"}).verdict is Verdict.COMPATIBLE


def test_null_counts_as_an_example() -> None:
    (finding,) = check({"type": ["string", "null"]}, TEXT).breaking
    assert finding.has_witness
    assert finding.witness is None
    assert finding.to_json()["witness"] is None


def test_examples_are_confirmed_by_the_reference_validator() -> None:
    new = changed(id={"type": "string", "minLength": 3}, status={"enum": ["paid"]})
    for finding in check(ORDER, new).breaking:
        assert Draft202012Validator(ORDER).is_valid(finding.witness)
        assert not Draft202012Validator(new).is_valid(finding.witness)


def test_nothing_is_judged_under_none_but_everything_is_shown() -> None:
    report = check(ORDER, changed(id={"type": "integer"}), mode=Mode.NONE)
    assert report.verdict is Verdict.COMPATIBLE
    assert [finding.kind for finding in report.safe] == [Kind.TYPE_CHANGED]


def test_transitive_modes_count_all_versions_and_name_them() -> None:
    versions: list[tuple[str, Schema]] = [
        ("1.0.0", {"type": "object", "properties": {"a": {"type": "number"}}}),
        ("1.1.0", {"type": "object", "properties": {"a": {"type": "integer"}}}),
    ]
    new = {"type": "object", "properties": {"a": {"type": "integer", "title": "A"}}}
    newest = check_against(versions, new, mode=Mode.BACKWARD, policy=Policy.LENIENT)
    every = check_against(versions, new, mode=Mode.BACKWARD_TRANSITIVE, policy=Policy.LENIENT)
    assert newest.verdict is Verdict.COMPATIBLE
    assert every.verdict is Verdict.INCOMPATIBLE
    assert [finding.against for finding in every.breaking] == ["1.0.0"]
    assert {finding.against for finding in every.safe} == {"1.0.0", "1.1.0"}


def test_first_version_is_compatible_with_having_none() -> None:
    report = check_against([], ORDER, mode=Mode.FULL_TRANSITIVE, policy=Policy.STRICT)
    assert report == Report(verdict=Verdict.COMPATIBLE, findings=())


def test_report_is_plain_json() -> None:
    shown = check(ORDER, changed(id={"type": "integer"}, note=TEXT)).to_json()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["verdict"] == "incompatible"


def test_two_runs_give_the_same_report() -> None:
    new = changed(id={"type": "integer"}, status={"enum": ["paid"]}, note=TEXT)
    assert check(ORDER, new, mode=Mode.FULL) == check(ORDER, new, mode=Mode.FULL)


def test_every_kind_has_a_sentence() -> None:
    assert set(TEMPLATES) == set(Kind)
