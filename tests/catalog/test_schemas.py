"""What is true of a schema alone: is it well formed, does data keep it, how do people read it."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from catalog import schemas
from catalog.schemas.reading import at_pointer

ORDER: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["order_number", "total", "lines"],
    "properties": {
        "order_number": {
            "type": "string",
            "pattern": "^A-[0-9]{4,}$",
            "title": "Order number",
            "description": "The number the customer sees.",
            "examples": ["A-20417"],
        },
        "channel": {"enum": ["web", "app"]},
        "placed_at": {"type": "string", "format": "date-time"},
        "total": {"$ref": "#/$defs/money"},
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["sku"],
                "properties": {
                    "sku": {"type": "string", "pattern": "^[A-Z]{3}-\\d{2}$"},
                    "quantity": {"type": "integer", "minimum": 1},
                },
            },
        },
        "customer": {
            "type": "object",
            "properties": {
                "email": {"type": "string", "format": "email", "x-sensitive": "personal"},
                "note": {"type": ["string", "null"]},
            },
        },
    },
    "$defs": {
        "money": {
            "type": "object",
            "required": ["amount", "currency"],
            "properties": {
                "amount": {"type": "number", "multipleOf": 0.01},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            },
        }
    },
}


def test_a_well_formed_schema_has_no_problems() -> None:
    assert schemas.problems(ORDER) == []
    assert schemas.problems(json.dumps(ORDER)) == []


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ("{", "", "not JSON"),
        ("[]", "", "object, or true or false"),
        ('{"type": "string", "type": "number"}', "", "twice"),
        ('{"minimum": NaN}', "", "NaN"),
        ('{"title": "\\u0000"}', "", "NUL"),
        ('{"type": "objekt"}', "/type", "must be one of"),
        ('{"properties": []}', "/properties", "must be an object, is an array"),
        ('{"properties": {"a": {"minLength": -1}}}', "/properties/a/minLength", "0 or more"),
        ('{"required": "a"}', "/required", "must be an array, is a string"),
        ('{"$schema": "http://json-schema.org/draft-04/schema#"}', "/$schema", "2020-12"),
        ('{"pattern": "("}', "/pattern", "cannot|not a pattern"),
        ('{"patternProperties": {"a/(": {}}}', "/patternProperties/a~1(", "not a pattern"),
        ('{"items": {"$ref": "#/$defs/none"}}', "/items/$ref", "leads to nothing"),
        ('{"$ref": "https://example.com/schema"}', "/$ref", "leads to nothing"),
        ('{"$ref": "#"}', "", "refers to itself"),
        ('{"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}',
         "/items", "refers to itself"),
    ],
)  # fmt: skip
def test_each_problem_names_its_place(document: str, pointer: str, words: str) -> None:
    found = schemas.problems(document)
    assert [problem.pointer for problem in found] == [pointer]
    assert any(word in found[0].message for word in words.split("|"))


def test_every_problem_is_named_and_not_only_the_first() -> None:
    found = schemas.problems({"type": 1, "properties": {"a": {"maxLength": "x"}}, "required": 3})
    assert {problem.pointer for problem in found} == {
        "/type",
        "/properties/a/maxLength",
        "/required",
    }


def test_a_document_too_deep_or_too_large_is_refused() -> None:
    deep: Any = {}
    for _ in range(70):
        deep = {"not": deep}
    assert "nested" in schemas.problems(json.dumps(deep))[0].message
    assert schemas.problems('{"not":' * 30_000)
    assert "larger" in schemas.problems(json.dumps({"title": "x" * 300_000}))[0].message


def test_definitions_that_double_at_every_step_are_refused_at_once() -> None:
    twice = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]}
        for n in range(40)
    }
    started = time.monotonic()
    found = schemas.problems({"$ref": "#/$defs/a0", "$defs": {**twice, "a40": {}}})
    assert "more than" in found[0].message
    assert time.monotonic() - started < 5


def test_a_schema_that_contains_itself_is_welcome() -> None:
    tree = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "kids": {"type": "array", "items": {"$ref": "#"}},
        },
    }
    assert schemas.problems(tree) == []
    assert [field.path for field in schemas.fields(tree)] == [
        "name",
        "kids[]",
        "kids[].name",
        "kids[].kids[]",
    ]
    assert schemas.validator_for(tree).is_valid(schemas.sample(tree))


MONEY_URI = "/api/v1/event-types/com.acme.money/versions/1.0.0/schema"


@pytest.mark.parametrize("own_id", [None, "https://acme.example/order"])
def test_a_reference_may_lead_into_the_catalog_and_nowhere_else(own_id: str | None) -> None:
    catalog = {MONEY_URI: {"$defs": {"money": ORDER["$defs"]["money"]}}}
    schema: dict[str, Any] = {"properties": {"total": {"$ref": f"{MONEY_URI}#/$defs/money"}}}
    if own_id:
        schema["$id"] = own_id
    assert schemas.problems(schema)
    assert schemas.problems(schema, resolve=catalog.get) == []
    check = schemas.validator_for(schema, resolve=catalog.get)
    assert [p.pointer for p in check.iter_errors({"total": {"amount": 1}})] == ["/total"]
    paths = [field.path for field in schemas.fields(schema, resolve=catalog.get)]
    assert paths == ["total", "total.amount", "total.currency"]


@pytest.mark.parametrize("draft", list(schemas.Dialect))
@pytest.mark.parametrize("own_id", [None, "https://acme.example/order"])
def test_what_is_drawn_on_can_be_made_a_part(own_id: str | None, draft: str) -> None:
    catalog = {
        MONEY_URI: {
            "$defs": {"money": {"type": "number", "x-sensitive": "salary"}},
            "properties": {"net": {"$ref": "#/$defs/money"}, "more": {"$ref": "#"}},
        }
    }
    schema: dict[str, Any] = {
        "$schema": str(draft),
        "properties": {
            "pay": {"$ref": f"{MONEY_URI}#/$defs/money"},
            "all": {"items": {"$ref": MONEY_URI}},
            "self": {"$ref": "#"},
        },
    }
    if own_id:
        schema["$id"] = own_id
    alone = schemas.self_contained(schema, resolve=catalog.get)
    assert schemas.problems(alone) == []
    data = {"pay": "x", "all": [{"more": {"net": "y"}}], "self": {"pay": "z"}}
    found = [
        list(one.iter_errors(data))
        for one in (
            schemas.validator_for(alone),
            schemas.validator_for(schema, resolve=catalog.get),
        )
    ]
    assert sorted(found[0]) == sorted(found[1])
    assert len(found[0]) == 3
    hidden = {
        "pay": schemas.MASK,
        "all": [{"more": {"net": schemas.MASK}}],
        "self": {"pay": schemas.MASK},
    }
    assert schemas.mask(data, alone) == schemas.mask(data, schema, resolve=catalog.get) == hidden
    assert schemas.self_contained(ORDER, resolve=catalog.get) is ORDER


def test_what_refers_to_nothing_that_is_known_is_hidden() -> None:
    schema = {"properties": {"pay": {"$ref": MONEY_URI}}}
    assert schemas.mask({"pay": 1, "day": 2}, schema) == {"pay": schemas.MASK, "day": 2}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"total": "a"}, ("/total", "must be an object, is a string")),
        ({"channel": "fax"}, ("/channel", 'must be one of "web", "app"')),
        ({"lines": []}, ("/lines", "must have at least 1 entry")),
        ({"lines": [{}]}, ("/lines/0", "“sku” is missing")),
        (
            {"placed_at": "yesterday"},
            ("/placed_at", "must be a date and time with a zone, such as 2026-11-12T13:31:07Z"),
        ),
        ({"customer": {"note": 1}}, ("/customer/note", "must be a string or null, is an integer")),
        ({"order_number": "B"}, ("/order_number", "must match the pattern ^A-[0-9]{4,}$")),
    ],
)
def test_a_breach_is_a_plain_sentence_with_its_place(
    change: dict[str, object], expected: tuple[str, str]
) -> None:
    good = schemas.sample(ORDER)
    assert isinstance(good, dict)
    check = schemas.validator_for(ORDER)
    assert check.is_valid(good)
    assert [tuple(problem) for problem in check.iter_errors({**good, **change})] == [expected]


def test_of_several_forms_the_one_that_is_meant_is_explained() -> None:
    either = {
        "oneOf": [
            {"properties": {"kind": {"const": "a"}, "n": {"type": "integer"}}},
            {"type": "string"},
        ]
    }
    found = list(schemas.validator_for(either).iter_errors({"kind": "a", "n": "x"}))
    assert [tuple(problem) for problem in found] == [("/n", "must be an integer, is a string")]
    found = list(
        schemas.validator_for({"anyOf": [{"type": "string"}, {"type": "null"}]}).iter_errors(1)
    )
    assert [tuple(problem) for problem in found] == [("", "must be a string or null")]


def test_a_breach_never_repeats_the_value() -> None:
    schema = {"type": "string", "format": "email", "maxLength": 3, "pattern": "^x", "enum": ["y"]}
    for problem in schemas.validator_for(schema).iter_errors("top-secret"):
        assert "top-secret" not in problem.message


@pytest.mark.parametrize("pattern", ["(a+)+$", "^(a|aa)+$", r"^(?=(a+)+b)\w+$", r"^(a+)\1+$"])
def test_no_pattern_hangs(pattern: str) -> None:
    check = schemas.validator_for({"pattern": pattern})
    started = time.monotonic()
    check.is_valid("a" * 5000 + "!")
    assert time.monotonic() - started < 1


def test_a_pattern_for_names_does_not_hang_the_mask() -> None:
    schema = {"patternProperties": {"^(a|aa)+$": {"x-sensitive": True}, "(?=(b+)+$)b": {}}}
    started = time.monotonic()
    name = "a" * 4000
    assert schemas.mask({name: 1, name + "!": 2}, schema) == {name: schemas.MASK, name + "!": 2}
    assert time.monotonic() - started < 1


def test_a_sample_of_doubling_definitions_stays_small() -> None:
    twice = {
        f"a{n}": {
            "type": "object",
            "required": ["x", "y"],
            "properties": {"x": {"$ref": f"#/$defs/a{n + 1}"}, "y": {"$ref": f"#/$defs/a{n + 1}"}},
        }
        for n in range(20)
    }
    started = time.monotonic()
    schemas.sample({"$ref": "#/$defs/a0", "$defs": {**twice, "a20": {}}})
    schemas.fields({"$ref": "#/$defs/a0", "$defs": {**twice, "a20": {}}})
    assert time.monotonic() - started < 5


def test_draft_07_keeps_its_own_meaning() -> None:
    old = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [{"type": "string"}],
        "additionalItems": False,
        "dependencies": {"a": ["b"]},
    }
    assert schemas.problems(old) == []
    check = schemas.validator_for(old)
    assert check.is_valid(["x"])
    assert not check.is_valid(["x", 1])
    assert not check.is_valid({"a": 1})
    del old["$schema"]
    assert schemas.dialect_of(old) is schemas.Dialect.DRAFT_07


def test_the_field_table_reads_as_people_do() -> None:
    rows = {field.path: field for field in schemas.fields(ORDER)}
    assert list(rows) == [
        "order_number", "channel", "placed_at", "total", "total.amount", "total.currency",
        "lines[]", "lines[].sku", "lines[].quantity",
        "customer", "customer.email", "customer.note",
    ]  # fmt: skip
    number = rows["order_number"]
    assert (number.title, number.kind, number.is_always_there) == ("Order number", "text", True)
    assert (number.meaning, number.example) == ("The number the customer sees.", "A-20417")
    assert rows["channel"].allowed == ("web", "app")
    assert rows["channel"].type == "one of 2"
    assert rows["placed_at"].kind is schemas.FieldKind.DATE_TIME
    assert rows["total.amount"].pointer == "/$defs/money/properties/amount"
    assert rows["lines[].sku"].is_always_there
    assert rows["lines[].sku"].steps == ("lines", "*", "sku")
    assert rows["customer.email"].sensitive == "personal"
    assert not rows["customer.email"].is_always_there
    assert rows["customer.note"].is_nullable


def test_a_sample_keeps_its_contract() -> None:
    made = schemas.sample(ORDER)
    assert schemas.validator_for(ORDER).is_valid(made)
    assert made == schemas.sample(ORDER)


def test_masking_hides_only_what_is_marked() -> None:
    data = {"order_number": "A-1", "customer": {"email": "ada@example.com", "note": None}}
    before = copy.deepcopy(data)
    assert schemas.mask(data, ORDER) == {
        "order_number": "A-1",
        "customer": {"email": schemas.MASK, "note": None},
    }
    assert data == before


# Properties --------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 1.0])
    | st.text("xy", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def _schemas() -> st.SearchStrategy[Any]:
    small = st.integers(0, 3)
    leaf = st.one_of(
        st.booleans(),
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(
                    ["null", "boolean", "integer", "number", "string", "array", "object"]
                ),
                "enum": st.lists(VALUES, min_size=1, max_size=3),
                "const": VALUES,
                "minimum": st.integers(-3, 3),
                "exclusiveMaximum": st.integers(-3, 3),
                "multipleOf": st.sampled_from([1, 2, 0.5]),
                "minLength": small,
                "maxLength": small,
                "minItems": small,
                "maxItems": small,
                "uniqueItems": st.booleans(),
                "required": st.lists(NAMES, unique=True, max_size=2),
                "minProperties": small,
                "maxProperties": small,
                "x-sensitive": st.sampled_from([True, "personal"]),
                "x-searchable": st.sampled_from([True, False]),
                "dependentRequired": st.dictionaries(
                    NAMES, st.lists(NAMES, unique=True), max_size=2
                ),
            },
        ),
    )

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        some = st.lists(inner, min_size=1, max_size=2)
        return st.fixed_dictionaries(
            {},
            optional={
                "properties": st.dictionaries(NAMES, inner, max_size=3),
                "additionalProperties": inner,
                "items": inner,
                "prefixItems": some,
                "contains": inner,
                "allOf": some,
                "anyOf": some,
                "oneOf": some,
                "not": inner,
                "if": inner,
                "then": inner,
                "else": inner,
                "propertyNames": inner,
                "unevaluatedProperties": inner,
                "unevaluatedItems": inner,
            },
        )

    return st.recursive(leaf, grow, max_leaves=8)


@given(_schemas(), VALUES)
@settings(max_examples=200, deadline=None)
def test_the_fast_validator_agrees_with_the_reference(schema: Any, data: object) -> None:
    check = schemas.validator_for(schema)
    reference = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert check.is_valid(data) == reference.is_valid(data)
    assert check.is_valid(data) == (not list(check.iter_errors(data)))


@given(_schemas(), VALUES)
@settings(max_examples=150, deadline=None)
def test_a_mask_covers_at_least_what_is_marked_and_leaves_the_shape(
    schema: Any, data: object
) -> None:
    masked = schemas.mask(data, schema)
    assert schemas.mask(masked, schema) == masked
    assert _differs_only_by_masks(data, masked)
    marked = {"allOf": [schema, {"x-sensitive": True}]}
    assert schemas.mask(data, marked) == schemas.MASK
    assert schemas.mask([data], {"items": marked}) == [schemas.MASK]
    assert schemas.mask({"a": data}, {"additionalProperties": marked}) == {"a": schemas.MASK}


def _differs_only_by_masks(data: object, masked: object) -> bool:
    if masked == schemas.MASK:
        return True
    if isinstance(data, dict) and isinstance(masked, dict):
        return data.keys() == masked.keys() and all(
            _differs_only_by_masks(data[key], masked[key]) for key in data
        )
    if isinstance(data, list) and isinstance(masked, list):
        return len(data) == len(masked) and all(map(_differs_only_by_masks, data, masked))
    return type(data) is type(masked) and data == masked


@given(_schemas())
@settings(max_examples=150, deadline=None)
def test_nothing_that_is_well_formed_stops_the_readers(schema: Any) -> None:
    assert schemas.problems(schema) == []
    schemas.fields(schema)
    schemas.sample(schema)


def test_pointer_steps_into_a_list_by_its_number_only() -> None:
    assert at_pointer([7], "/0") == 7
    with pytest.raises(LookupError):
        at_pointer([7], "/²")


def test_stand_ins_are_made_of_the_schema_alone() -> None:
    note = {"type": ["string", "null"], "x-sensitive": True}
    schema = {
        "properties": {
            "email": {"type": "string", "format": "email", "x-sensitive": "contact"},
            "iban": {
                "type": "string",
                "title": "Account",
                "pattern": "^[A-Z]{2}[0-9]{4}$",
                "x-sensitive": "financial",
            },
            "age": {"type": "integer", "minimum": 18, "x-sensitive": True},
            "name": {"examples": ["Erika Mustermann"], "x-sensitive": True},
            "home": {
                "type": "object",
                "required": ["zip"],
                "properties": {"zip": {"type": "string", "minLength": 5}},
                "x-sensitive": True,
            },
            "lines": {"items": {"properties": {"note": note}}},
        },
    }
    data = {
        "email": "grace@navy.example",
        "iban": "DE1234",
        "age": 79,
        "name": "Grace",
        "home": {"zip": "10115", "floor": 3},
        "lines": [{"note": "gift", "sku": "A"}, {"note": None}],
        "order": 7,
    }
    found = schemas.without_sensitive(data, schema)
    assert found.data == {
        "email": "ada@example.com",
        "iban": found.data["iban"],  # type: ignore[index]  # an object
        "age": 18,
        "name": "Erika Mustermann",
        "home": {"zip": "textx"},
        "lines": [{"note": "text", "sku": "A"}, {"note": None}],
        "order": 7,
    }
    assert schemas.validator_for(schema).is_valid(found.data)
    assert found.taken == {"grace@navy.example", "DE1234", "79", "Grace", "10115", "3", "gift"}
    told = {one.pointer: (one.title, one.sensitive) for one in found.stand_ins}
    assert told["/iban"] == ("Account", "financial")
    assert told["/lines/0/note"] == ("note", "personal")
    other = schemas.without_sensitive({**data, "iban": "FR9999", "age": 20}, schema)
    assert other.data == found.data


def test_stand_in_is_of_the_type_that_the_value_had() -> None:
    schema = {
        "properties": {"count": {"type": "integer"}},
        "patternProperties": {"": {"x-sensitive": True}},
    }
    assert schemas.without_sensitive({"count": 42}, schema).data == {"count": 1}


def test_data_without_sensitive_values_stays_as_it_is() -> None:
    data = {"a": [1, {"b": None}], "c": "x"}
    found = schemas.without_sensitive(data, {"properties": {"c": {"type": "string"}}})
    assert (found.data, found.stand_ins, found.taken) == (data, (), frozenset())
