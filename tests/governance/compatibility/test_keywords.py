"""Each keyword in a table: what the writer says, what the reader asks, and whether it is kept to.

All tables are read strictly: every document counts. ``contained`` says whether each document of
``writer`` is one of ``reader``; wherever it is not, the report must show a confirmed example.
"""

from __future__ import annotations

import pytest

from governance.compatibility import Policy, Schema, Verdict, check

Row = tuple[str, Schema, Schema, bool]

STRING: dict[str, object] = {"type": "string"}
NUMBER: dict[str, object] = {"type": "number"}
INTEGER: dict[str, object] = {"type": "integer"}

TYPES: list[Row] = [
    ("a type stays", STRING, STRING, True),
    ("another type", STRING, NUMBER, False),
    ("one of several", STRING, {"type": ["string", "null"]}, True),
    ("fewer types", {"type": ["string", "null"]}, STRING, False),
    ("whole numbers are numbers", INTEGER, NUMBER, True),
    ("numbers are not all whole", NUMBER, INTEGER, False),
    ("1.0 is an integer", {"const": 1.0}, INTEGER, True),
    ("true is not 1", {"const": True}, {"const": 1}, False),
    ("everything", True, {}, True),
    ("nothing is in everything", False, STRING, True),
    ("not everything is nothing", {}, False, False),
]
VALUES: list[Row] = [
    ("fewer values", {"enum": ["a"]}, {"enum": ["a", "b"]}, True),
    ("a value gone", {"enum": ["a", "b"]}, {"enum": ["a"]}, False),
    ("const is a list of one", {"const": "a"}, {"enum": ["a"]}, True),
    ("values of the type only", {"enum": ["a", 1], "type": "string"}, {"enum": ["a"]}, True),
    ("values that fit a pattern", {"enum": ["a1", "b2"]}, {"pattern": "^[a-b][12]$"}, True),
    ("a listed value that does not", {"enum": ["a1", "b3"]}, {"pattern": "^[a-b][12]$"}, False),
    ("1 and 1.0 are one value", {"enum": [1]}, {"enum": [1.0]}, True),
    ("true and false are all", {"type": "boolean"}, {"enum": [True, False]}, True),
    ("objects by content", {"const": {"a": [1]}}, {"properties": {"a": {"maxItems": 1}}}, True),
]
NUMBERS: list[Row] = [
    ("a lower minimum", {**NUMBER, "minimum": 2}, {**NUMBER, "minimum": 1}, True),
    ("a higher minimum", {**NUMBER, "minimum": 1}, {**NUMBER, "minimum": 2}, False),
    ("strictly inside", {**NUMBER, "exclusiveMinimum": 1}, {**NUMBER, "minimum": 1}, True),
    ("the bound itself", {**NUMBER, "minimum": 1}, {**NUMBER, "exclusiveMinimum": 1}, False),
    (
        "whole numbers skip a strict bound",
        {**INTEGER, "exclusiveMinimum": 0},
        {**INTEGER, "minimum": 1},
        True,
    ),
    ("a lower maximum", {**NUMBER, "maximum": 2}, {**NUMBER, "maximum": 1.5}, False),
    ("multiples of six are of three", {"multipleOf": 6}, {"multipleOf": 3}, True),
    ("multiples of three are not of six", {"multipleOf": 3}, {"multipleOf": 6}, False),
    (
        "two divisors together",
        {"allOf": [{"multipleOf": 2}, {"multipleOf": 3}]},
        {"multipleOf": 6},
        True,
    ),
    ("multiples of 0.5 are of 0.25", {"multipleOf": 0.5}, {"multipleOf": 0.25}, True),
    (
        "multiples of 10 are of 0.1",
        {"multipleOf": 10, "minimum": 0, "maximum": 1_000_000},
        {"multipleOf": 0.1},
        True,
    ),
    ("an amount in cents", {**INTEGER, "minimum": 0, "maximum": 10**9}, {"multipleOf": 0.01}, True),
    ("cents are tenths of cents", {"multipleOf": 0.1}, {"multipleOf": 0.5}, False),
    ("a step finer than any listed", NUMBER, {"multipleOf": 1e-8}, False),
    (
        "no whole number between",
        {**INTEGER, "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        False,
        True,
    ),
    ("bounds speak of numbers only", STRING, {"minimum": 5}, True),
]
STRINGS: list[Row] = [
    ("a longer maximum", {**STRING, "maxLength": 5}, {**STRING, "maxLength": 6}, True),
    ("a shorter maximum", {**STRING, "maxLength": 6}, {**STRING, "maxLength": 5}, False),
    ("a minimum of zero", STRING, {**STRING, "minLength": 0}, True),
    ("a minimum of one", STRING, {**STRING, "minLength": 1}, False),
    ("impossible lengths", {**STRING, "minLength": 2, "maxLength": 1}, NUMBER, True),
    ("a format dropped", {**STRING, "format": "date"}, STRING, True),
    ("a format added", STRING, {**STRING, "format": "date"}, False),
    (
        "another format",
        {**STRING, "format": "date-time"},
        {**STRING, "format": "date"},
        False,
    ),
    ("formats are not empty", {**STRING, "format": "uuid"}, {**STRING, "minLength": 1}, True),
    (
        "a date has ten characters",
        {**STRING, "format": "date"},
        {**STRING, "pattern": "^[0-9-]{10}$"},
        True,
    ),
    ("a wider format", {**STRING, "format": "uri"}, {**STRING, "format": "uri-reference"}, True),
    ("a narrower format", {"format": "uri-reference"}, {"format": "uri"}, False),
    ("mail in any script", {**STRING, "format": "email"}, {**STRING, "format": "idn-email"}, True),
    ("nothing is both", {"format": "idn-email", "pattern": "^[A-Z]{3}$", **STRING}, False, True),
    ("unknown formats are remarks", STRING, {**STRING, "format": "colour"}, True),
    (
        "a format beside a pattern",
        {**STRING, "format": "email", "pattern": "acme"},
        {**STRING, "maxLength": 3},
        False,
    ),
]
OBJECTS: list[Row] = [
    ("required dropped", {"required": ["a"]}, {}, True),
    ("required added", {"type": "object"}, {"required": ["a"]}, False),
    (
        "required by the type of a value",
        {"type": "object", "required": ["a"], "properties": {"a": STRING}},
        {"properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
        True,
    ),
    (
        "a property forbidden is never wrong",
        {"properties": {"a": False}},
        {"properties": {"a": STRING}},
        True,
    ),
    (
        "closed to closed",
        {"properties": {"a": STRING}, "additionalProperties": False},
        {"properties": {"a": STRING, "b": NUMBER}, "additionalProperties": False},
        True,
    ),
    (
        "a property gone from a closed group",
        {"properties": {"a": STRING, "b": NUMBER}, "additionalProperties": False},
        {"properties": {"a": STRING}, "additionalProperties": False},
        False,
    ),
    (
        "a map of texts to a map of anything",
        {"additionalProperties": STRING},
        {"additionalProperties": {"type": ["string", "null"]}},
        True,
    ),
    (
        "patterns cover what was listed",
        {"properties": {"x_1": INTEGER}, "additionalProperties": False},
        {"patternProperties": {"^x_": NUMBER}, "additionalProperties": False},
        True,
    ),
    (
        "two patterns speak of one name",
        {"patternProperties": {"a": {"minLength": 2}, "b": {"maxLength": 1}}},
        {"properties": {"ab": {"not": STRING}}},
        True,
    ),
    (
        "names by pattern",
        {"propertyNames": {"pattern": "^[a-c]$"}},
        {"propertyNames": {"maxLength": 2}},
        True,
    ),
    (
        "names bound how many there are",
        {"type": "object", "propertyNames": {"enum": ["a", "b"]}},
        {"maxProperties": 2},
        True,
    ),
    ("at most two", {"maxProperties": 2}, {"maxProperties": 1}, False),
    ("required counts", {"required": ["a", "b"]}, {"minProperties": 2}, True),
    ("at least two", {"minProperties": 1}, {"minProperties": 2}, False),
    (
        "needed together",
        {"dependentRequired": {"a": ["b"]}},
        {"dependentRequired": {"a": ["b", "c"]}},
        False,
    ),
    (
        "needed together by way of another",
        {"dependentRequired": {"a": ["b"], "b": ["c"]}},
        {"dependentRequired": {"a": ["c"]}},
        True,
    ),
    (
        "a schema that depends",
        {"dependentSchemas": {"a": {"required": ["b"]}}},
        {"dependentRequired": {"a": ["b"]}},
        True,
    ),
    (
        "nothing unevaluated",
        {"allOf": [{"properties": {"a": STRING}}], "unevaluatedProperties": False},
        {"properties": {"a": STRING}, "additionalProperties": False},
        True,
    ),
    (
        "unevaluated depends on the alternative",
        {
            "type": "object",
            "anyOf": [{"properties": {"a": STRING}, "required": ["a"]}, {"required": ["b"]}],
            "properties": {"b": NUMBER},
            "unevaluatedProperties": False,
        },
        {"properties": {"a": STRING, "b": NUMBER}, "additionalProperties": False},
        True,
    ),
]
ARRAYS: list[Row] = [
    ("entries widen", {"items": INTEGER}, {"items": NUMBER}, True),
    ("entries narrow", {"items": NUMBER}, {"items": INTEGER}, False),
    ("entries are never reached", {"maxItems": 0}, {"items": False}, True),
    (
        "a prefix within the rest",
        {"type": "array", "prefixItems": [STRING], "items": STRING},
        {"items": STRING},
        True,
    ),
    (
        "a prefix that is longer",
        {"prefixItems": [STRING], "items": NUMBER},
        {"prefixItems": [STRING, NUMBER], "items": NUMBER},
        True,
    ),
    ("a closed prefix", {"prefixItems": [STRING], "items": False}, {"maxItems": 1}, True),
    ("more entries", {"minItems": 2}, {"minItems": 1}, True),
    ("fewer entries", {"maxItems": 2}, {"maxItems": 1}, False),
    ("all contain", {"minItems": 1, "items": STRING}, {"contains": STRING}, True),
    ("an empty list contains nothing", {"items": STRING}, {"contains": STRING}, False),
    (
        "contained in a wider one",
        {"contains": {"minimum": 3}, "items": NUMBER},
        {"contains": {"minimum": 2}},
        True,
    ),
    (
        "counted",
        {"contains": STRING, "minContains": 2},
        {"contains": STRING, "minContains": 3},
        False,
    ),
    (
        "counted entries are entries",
        {"type": "array", "contains": STRING, "minContains": 2},
        {"minItems": 2},
        True,
    ),
    ("no entry twice", {"type": "array"}, {"uniqueItems": True}, False),
    ("one entry is never twice", {"maxItems": 1}, {"uniqueItems": True}, True),
    (
        "distinct entries run out",
        {"type": "array", "uniqueItems": True, "items": {"enum": [1, 2]}},
        {"maxItems": 2},
        True,
    ),
    (
        "unevaluated entries",
        {"prefixItems": [STRING], "unevaluatedItems": False},
        {"maxItems": 1},
        True,
    ),
]
COMBINATIONS: list[Row] = [
    ("all of two", {"allOf": [STRING, {"maxLength": 3}]}, {**STRING, "maxLength": 4}, True),
    ("any of two", STRING, {"anyOf": [NUMBER, STRING]}, True),
    ("one alternative less", {"anyOf": [NUMBER, STRING]}, STRING, False),
    (
        "alternatives in another order",
        {"anyOf": [NUMBER, STRING]},
        {"oneOf": [STRING, NUMBER]},
        True,
    ),
    ("both at once are not one", {"anyOf": [NUMBER, INTEGER]}, {"oneOf": [NUMBER, INTEGER]}, False),
    ("one that is anything", {"type": "integer"}, {"oneOf": [{}, INTEGER]}, False),
    ("not a number", {"not": NUMBER}, {"not": INTEGER}, True),
    ("not an integer", {"not": INTEGER}, {"not": NUMBER}, False),
    (
        "halves make a whole",
        INTEGER,
        {"anyOf": [{"maximum": 5}, {"minimum": 5}]},
        True,
    ),
    (
        "halves with a gap",
        NUMBER,
        {"anyOf": [{"maximum": 4}, {"minimum": 5}]},
        False,
    ),
    (
        "a condition met",
        {"properties": {"k": {"const": 1}}, "required": ["k", "x"]},
        {"if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["x"]}},
        True,
    ),
    (
        "a condition that turns",
        {"if": STRING, "then": {"maxLength": 3}, "else": NUMBER},
        {"anyOf": [{**STRING, "maxLength": 3}, NUMBER]},
        True,
    ),
    (
        "an else that is left out",
        {"if": STRING, "then": {"maxLength": 3}},
        {"anyOf": [{**STRING, "maxLength": 3}, NUMBER]},
        False,
    ),
]
TABLES = {
    "types": TYPES,
    "values": VALUES,
    "numbers": NUMBERS,
    "strings": STRINGS,
    "objects": OBJECTS,
    "arrays": ARRAYS,
    "combinations": COMBINATIONS,
}
ROWS = [
    pytest.param(*row[1:], id=f"{table}: {row[0]}")
    for table, rows in TABLES.items()
    for row in rows
]


@pytest.mark.parametrize(("writer", "reader", "contained"), ROWS)
def test_reader_takes_what_the_writer_may_send(
    writer: Schema, reader: Schema, contained: bool
) -> None:
    report = check(writer, reader, policy=Policy.STRICT)
    assert report.verdict is (Verdict.COMPATIBLE if contained else Verdict.INCOMPATIBLE)
    assert bool(report.breaking) is not contained
    if not contained:
        assert any(finding.has_witness for finding in report.breaking)


@pytest.mark.parametrize(("schema", "_other", "_contained"), ROWS)
def test_every_schema_takes_its_own_documents(
    schema: Schema, _other: Schema, _contained: bool
) -> None:
    for policy in Policy:
        report = check(schema, schema, policy=policy)
        assert report.verdict is Verdict.COMPATIBLE
        assert report.findings == ()
