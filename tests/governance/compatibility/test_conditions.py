"""Conditions: what follows from one is compared for the documents that meet it."""

from __future__ import annotations

from typing import Any

import pytest

from governance.compatibility import Finding, Kind, Mode, Policy, Schema, Verdict, check

TEXT: dict[str, object] = {"type": "string"}
STORE: dict[str, Any] = {"properties": {"channel": {"const": "store"}}, "required": ["channel"]}


def order(test: object = STORE, **branches: object) -> dict[str, Any]:
    """Return an order with a condition on it, if it has branches."""
    properties = {"channel": {"enum": ["web", "store"]}, "till": TEXT, "note": TEXT}
    condition = {"if": test, **branches} if branches else {}
    return {"type": "object", "properties": properties, **condition}


def the_break(old: Schema, new: Schema) -> Finding:
    """Return the one thing that breaks."""
    (finding,) = check(old, new, policy=Policy.STRICT).breaking
    return finding


def test_break_inside_a_branch_points_there_and_says_when() -> None:
    old = order(then={"required": ["till"]}, **{"else": {}})
    new = order(then={"required": ["till", "note"]}, **{"else": {}})
    finding = the_break(old, new)
    assert finding.kind is Kind.REQUIRED_ADDED
    assert finding.new_pointer == "/then/required"
    assert finding.message.startswith("when channel is “store” › note becomes required.")  # noqa: RUF001
    assert finding.witness["channel"] == "store"  # type: ignore[index]


def test_break_in_the_other_branch_says_unless() -> None:
    old = order(then={}, **{"else": {"properties": {"note": {"maxLength": 9}}}})
    new = order(then={}, **{"else": {"properties": {"note": {"maxLength": 8}}}})
    finding = the_break(old, new)
    assert finding.kind is Kind.LENGTH_TIGHTENED
    assert finding.message.startswith("unless channel is “store” › note must now have")  # noqa: RUF001


# (old condition, new condition, when it counts)
REWRITTEN: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (order(), order(then={"required": ["till"]}), "when channel is “store”"),
    (
        order({"required": ["note"]}, then={"required": ["till"]}),
        order({"required": ["channel"]}, then={"required": ["till"]}),
        "when channel is given",
    ),
    (
        order(then={"required": ["till"]}),
        order(then={"required": ["till"]}, **{"else": {"required": ["note"]}}),
        "unless channel is “store”",
    ),
    *(
        (order(), order(test, then={"required": ["till"]}), "when its condition is met")
        for test in (True, {"maxProperties": 1}, {"properties": {"note": True}})
    ),
]


@pytest.mark.parametrize(("old", "new", "when"), REWRITTEN)
def test_new_or_other_condition_is_one_change(
    old: dict[str, Any], new: dict[str, Any], when: str
) -> None:
    finding = the_break(old, new)
    assert finding.kind is Kind.CONDITION_CHANGED
    assert finding.message == f"What the event needs {when} changes."
    assert finding.has_witness


# A condition is written in any way before somebody mends it: it is told, whatever it says.
ODD: list[object] = [5, {"properties": 5}, {"properties": {"a": 5}}, {"required": 5}]


@pytest.mark.parametrize("test", [*ODD, {"properties": {"a": {"enum": 5}}}], ids=repr)
def test_malformed_condition_is_told_too(test: object) -> None:
    report = check(order(), order(test, then={"required": ["till"]}))
    assert report.verdict is not Verdict.COMPATIBLE
    assert Kind.CONDITION_CHANGED in {finding.kind for finding in report.findings}


def test_conditions_that_only_change_places_are_the_same() -> None:
    one = {"if": STORE, "then": {"required": ["till"]}}
    other = {"if": {"required": ["note"]}, "then": {"required": ["channel"]}}
    old, new = {**order(), "allOf": [one, other]}, {**order(), "allOf": [other, one]}
    report = check(old, new, mode=Mode.FULL, policy=Policy.STRICT)
    assert report.verdict is Verdict.COMPATIBLE
    assert report.findings == ()


def test_remark_in_a_branch_counts_as_anywhere_else() -> None:
    """A pattern that is found in every text refuses nothing, yet readers rely on it."""
    vague = order(then={"properties": {"till": {"pattern": "[a-z]*"}}})
    plain = order(then={"properties": {"till": TEXT}})
    assert check(vague, plain, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE
    assert the_break(plain, vague).kind is Kind.PATTERN_ADDED
    same = {**vague, "maxProperties": 3}
    assert check(same, vague, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE


def test_branch_that_nobody_takes_breaks_nobody() -> None:
    never = {"properties": {"channel": {"const": "phone"}}, "required": ["channel"]}
    report = check(order(), order(never, then=False), policy=Policy.STRICT)
    assert report.verdict is Verdict.COMPATIBLE
