"""Drafts: each schema is read as the one that it declares, or that its forms tell."""

from __future__ import annotations

import pytest

from governance.compatibility import Policy, Schema, Verdict, check

Row = tuple[str, dict[str, object], dict[str, object], bool]

STRING: dict[str, object] = {"type": "string"}
NUMBER: dict[str, object] = {"type": "number"}

OLDER_DRAFTS: list[Row] = [
    (
        "draft-07 lists the entries under items",
        {"items": [STRING], "additionalItems": False},
        {"items": [STRING, NUMBER], "additionalItems": False},
        True,
    ),
    (
        "draft-07 additionalItems beside one schema say nothing",
        {"items": STRING},
        {"items": STRING, "additionalItems": False},
        True,
    ),
    (
        "draft-07 dependencies by name",
        {"dependencies": {"a": ["b", "c"]}},
        {"dependencies": {"a": ["b"]}},
        True,
    ),
    (
        "draft-07 dependencies by schema",
        {"dependencies": {"a": {"required": ["b"]}}},
        {"dependencies": {"a": ["b"]}},
        True,
    ),
    (
        "draft-07 reads nothing beside a reference",
        {"$ref": "#/definitions/s", "maxLength": 1, "definitions": {"s": STRING}},
        {**STRING, "maxLength": 1},
        False,
    ),
    (
        "draft-07 does not know prefixItems",
        {"type": "array"},
        {"type": "array", "prefixItems": [STRING]},
        True,
    ),
]


@pytest.mark.parametrize(
    ("writer", "reader", "contained"), [pytest.param(*row[1:], id=row[0]) for row in OLDER_DRAFTS]
)
def test_draft_07_is_read_as_draft_07(
    writer: dict[str, object], reader: dict[str, object], contained: bool
) -> None:
    draft = {"$schema": "http://json-schema.org/draft-07/schema#"}
    report = check({**draft, **writer}, {**draft, **reader}, policy=Policy.STRICT)
    assert report.verdict is (Verdict.COMPATIBLE if contained else Verdict.INCOMPATIBLE)


def test_draft_04_bounds_are_made_strict_by_a_flag() -> None:
    old = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "number",
        "minimum": 10,
        "exclusiveMinimum": True,
    }
    new = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "number",
        "exclusiveMinimum": 10,
    }
    assert check(old, new, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE
    assert check(new, old, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE


def test_undeclared_draft_is_taken_from_the_forms_in_use() -> None:
    old: Schema = {"type": "array", "items": [STRING], "additionalItems": NUMBER}
    new: Schema = {"type": "array", "items": [STRING, NUMBER], "additionalItems": NUMBER}
    assert check(old, new, policy=Policy.STRICT).verdict is Verdict.COMPATIBLE
