"""Lenient and strict: whose documents count."""

from __future__ import annotations

import pytest

from governance.compatibility import Mode, Policy, Schema, Verdict, check

TEXT: dict[str, object] = {"type": "string"}
NUMBER: dict[str, object] = {"type": "number"}
A: dict[str, object] = {"type": "object", "properties": {"a": TEXT}}
AB: dict[str, object] = {"type": "object", "properties": {"a": TEXT, "b": NUMBER}}

# (what, writer, reader, kept to under lenient, kept to under strict)
ROWS: list[tuple[str, Schema, Schema, bool, bool]] = [
    ("a new optional field: nobody sends it yet", A, AB, True, False),
    ("a field that leaves an open group", AB, A, True, True),
    (
        "a reader that closes breaks its writers",
        AB,
        {**A, "additionalProperties": False},
        False,
        False,
    ),
    ("closing without losing a field", A, {**A, "additionalProperties": False}, True, False),
    ("a required field that is new", A, {**AB, "required": ["b"]}, False, False),
    (
        "a new field in the entries of a list",
        {"type": "array", "items": A},
        {"type": "array", "items": AB},
        True,
        False,
    ),
    (
        "a new field deep inside",
        {"properties": {"x": {"properties": {"y": A}}}},
        {"properties": {"x": {"properties": {"y": AB}}}},
        True,
        False,
    ),
    (
        "a map declares all its names",
        {"type": "object", "additionalProperties": NUMBER},
        {"type": "object", "additionalProperties": NUMBER, "properties": {"a": TEXT}},
        False,
        False,
    ),
    (
        "saying outright that others are allowed declares none",
        {**A, "additionalProperties": True},
        AB,
        True,
        False,
    ),
    (
        "a name by pattern is declared",
        {"type": "object", "patternProperties": {"^b": TEXT}},
        AB,
        False,
        False,
    ),
    (
        "a name that is only required is declared",
        {"type": "object", "required": ["b"]},
        AB,
        False,
        False,
    ),
    (
        "a field of any alternative is declared in all",
        {"type": "object", "anyOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]},
        AB,
        False,
        False,
    ),
    (
        "a field that the reference declares",
        {"$ref": "#/$defs/ab", "$defs": {"ab": {"type": "object", "properties": {"b": TEXT}}}},
        AB,
        False,
        False,
    ),
    (
        "a group without a word on fields is sent empty",
        {"type": "object"},
        AB,
        True,
        False,
    ),
    (
        "a group that counts its fields has some",
        {"type": "object", "minProperties": 1},
        {"type": "object", "minProperties": 2},
        False,
        False,
    ),
]


@pytest.mark.parametrize(
    ("writer", "reader", "lenient", "strict"), [pytest.param(*row[1:], id=row[0]) for row in ROWS]
)
def test_policy_decides_which_documents_count(
    writer: Schema, reader: Schema, lenient: bool, strict: bool
) -> None:
    for policy, kept in ((Policy.LENIENT, lenient), (Policy.STRICT, strict)):
        verdict = check(writer, reader, policy=policy).verdict
        assert verdict is (Verdict.COMPATIBLE if kept else Verdict.INCOMPATIBLE), policy


def test_lenient_is_the_default_and_backward() -> None:
    assert check(A, AB).verdict is Verdict.COMPATIBLE
    assert check(AB, {**AB, "required": ["a"]}).verdict is Verdict.INCOMPATIBLE


def test_forward_asks_what_old_readers_make_of_new_documents() -> None:
    loosened = {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
    assert check(A, loosened, mode=Mode.BACKWARD).verdict is Verdict.COMPATIBLE
    assert check(A, loosened, mode=Mode.FORWARD).verdict is Verdict.INCOMPATIBLE
    assert check(A, loosened, mode=Mode.FULL).verdict is Verdict.INCOMPATIBLE


def test_forward_is_backward_with_the_sides_exchanged() -> None:
    for _, writer, reader, _, _ in ROWS:
        for policy in Policy:
            forward = check(reader, writer, mode=Mode.FORWARD, policy=policy)
            backward = check(writer, reader, mode=Mode.BACKWARD, policy=policy)
            assert forward.verdict is backward.verdict


def test_lenient_example_has_only_declared_fields() -> None:
    report = check(AB, {**A, "additionalProperties": False})
    (finding,) = report.breaking
    assert finding.witness == {"b": 1}
