"""Comparisons end: large, deep and exotic schemas get an answer, an honest "undecided" at worst."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from governance.compatibility import Policy, Schema, Verdict, check

# Far above what any of these takes, far below what an exponential search would.
SECONDS = 8


def flat(longest: int) -> dict[str, object]:
    names = [f"field_{index}" for index in range(300)]
    text = {"type": "string", "maxLength": longest}
    return {"type": "object", "properties": dict.fromkeys(names, text), "required": names}


def deep(levels: int, leaf: str) -> dict[str, object]:
    schema: dict[str, object] = {"type": leaf}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"inner": schema}}
    return schema


def wide_union(longest: int) -> dict[str, object]:
    def form(number: int) -> dict[str, object]:
        text = {"type": "string", "maxLength": longest}
        return {
            "type": "object",
            "properties": {"kind": {"const": number}, **{f"p{i}": text for i in range(15)}},
            "required": ["kind", "p0"],
        }

    return {"oneOf": [form(number) for number in range(20)]}


def tangle(leaf: str) -> dict[str, object]:
    """Return definitions that all refer to all, in unions that nothing tells apart."""
    names = [f"d{index}" for index in range(8)]
    union = {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in names]}
    definition = {"type": "object", "properties": {"left": union, "right": union}}
    first = {**definition, "properties": {**definition["properties"], "id": {"type": leaf}}}  # type: ignore[dict-item]
    return {**union, "$defs": {**dict.fromkeys(names, definition), "d0": first}}


def many_conditions(last: int) -> dict[str, object]:
    def condition(number: int) -> dict[str, object]:
        return {
            "if": {"properties": {f"k{number}": {"const": 1}}, "required": [f"k{number}"]},
            "then": {"required": [f"v{number}"]},
        }

    return {"type": "object", "allOf": [condition(number) for number in range(last)]}


CASES: dict[str, tuple[Callable[[], Schema], Callable[[], Schema], set[Verdict]]] = {
    "three hundred changes": (lambda: flat(10), lambda: flat(9), {Verdict.INCOMPATIBLE}),
    "forty levels": (
        lambda: deep(40, "string"),
        lambda: deep(40, "number"),
        {Verdict.INCOMPATIBLE},
    ),
    "hundreds of levels": (
        lambda: deep(300, "string"),
        lambda: deep(300, "number"),
        {Verdict.INCOMPATIBLE, Verdict.UNDECIDED},
    ),
    "a union of twenty forms": (
        lambda: wide_union(10),
        lambda: wide_union(11),
        {Verdict.COMPATIBLE},
    ),
    "one form of twenty breaks": (
        lambda: wide_union(10),
        lambda: wide_union(9),
        {Verdict.INCOMPATIBLE},
    ),
    "a tangle of unions": (lambda: tangle("string"), lambda: tangle("number"), set(Verdict)),
    "thirty conditions": (
        lambda: many_conditions(30),
        lambda: many_conditions(29),
        {Verdict.COMPATIBLE},
    ),
    "one condition more": (
        lambda: many_conditions(29),
        lambda: many_conditions(30),
        {Verdict.INCOMPATIBLE},
    ),
    "a pattern that explodes": (
        lambda: {"type": "string", "pattern": "^(a|b)*a(a|b){18}$"},
        lambda: {"type": "string", "pattern": "^(a|b)*b(a|b){18}$"},
        {Verdict.INCOMPATIBLE, Verdict.UNDECIDED},
    ),
    "more entries than anyone builds": (
        lambda: {"type": "array", "minItems": 10**9},
        lambda: {"type": "array", "minItems": 10**9 + 1},
        {Verdict.UNDECIDED},
    ),
    "numbers without measure": (
        lambda: {"type": "number", "multipleOf": 1e-300, "minimum": 1e300},
        lambda: {"type": "number", "multipleOf": 7e-300},
        {Verdict.INCOMPATIBLE, Verdict.UNDECIDED},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_comparison_ends_in_time(case: str) -> None:
    make_old, make_new, allowed = CASES[case]
    old, new = make_old(), make_new()
    started = time.monotonic()
    assert check(old, new, policy=Policy.STRICT).verdict in allowed
    check(old, new, policy=Policy.LENIENT)
    assert time.monotonic() - started < SECONDS


BROKEN: list[Schema] = [
    {"type": "strnig"},
    {"type": 5},
    {"minimum": "one"},
    {"minLength": -1},
    {"pattern": "("},
    {"patternProperties": {"(": {}}},
    {"properties": ["a"]},
    {"anyOf": {}},
    {"multipleOf": 0},
    {"$ref": 5},
    {"$ref": "#/nowhere"},
    {"required": "a"},
    {"required": [0.5, "a"], "minProperties": 3},
    {"items": 5},
    {"enum": "a"},
]


@pytest.mark.parametrize("schema", BROKEN, ids=repr)
def test_malformed_schema_is_never_called_compatible_with_what_it_may_break(
    schema: Schema,
) -> None:
    verdict = check({"type": ["string", "number", "object", "array"]}, schema).verdict
    assert verdict in (Verdict.UNDECIDED, Verdict.INCOMPATIBLE)
