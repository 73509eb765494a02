"""References: local ones, anchors, embedded identifiers, recursion, and other documents."""

from __future__ import annotations

from governance.compatibility import Policy, Schema, Severity, Verdict, check

STRICT = Policy.STRICT


def tree(value: Schema) -> dict[str, object]:
    """Return a recursive schema: a value and children that are trees again."""
    return {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "value": value,
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["value"],
                "additionalProperties": False,
            }
        },
    }


def test_recursive_schemas_are_compared_to_the_end() -> None:
    whole, any_number = tree({"type": "integer"}), tree({"type": "number"})
    assert check(whole, any_number, policy=STRICT).verdict is Verdict.COMPATIBLE
    report = check(any_number, whole, policy=STRICT)
    assert report.verdict is Verdict.INCOMPATIBLE
    assert report.breaking[0].new_pointer == "/$defs/node/properties/value/type"


def test_recursion_without_end_has_no_documents() -> None:
    endless: Schema = {"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#"}}}
    assert check(endless, {"type": "string"}, policy=STRICT).verdict is Verdict.COMPATIBLE


def test_two_definitions_that_take_turns() -> None:
    def turns(leaf: str) -> dict[str, object]:
        def link(other: str) -> dict[str, object]:
            return {"properties": {"next": {"$ref": f"#/$defs/{other}"}, "leaf": {"type": leaf}}}

        return {"$ref": "#/$defs/odd", "$defs": {"odd": link("even"), "even": link("odd")}}

    assert check(turns("integer"), turns("number"), policy=STRICT).verdict is Verdict.COMPATIBLE
    assert check(turns("number"), turns("integer"), policy=STRICT).verdict is Verdict.INCOMPATIBLE


def test_schema_that_is_only_itself_is_undecided() -> None:
    assert check({"$ref": "#"}, {"type": "string"}).verdict is Verdict.UNDECIDED
    assert check({"type": "string"}, {"$ref": "#"}).verdict is Verdict.UNDECIDED


def test_moving_a_schema_to_a_definition_changes_nothing() -> None:
    inline: Schema = {"properties": {"a": {"type": "string", "maxLength": 3}}}
    moved: Schema = {
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"type": "string", "maxLength": 3}},
    }
    for old, new in ((inline, moved), (moved, inline)):
        report = check(old, new, policy=STRICT)
        assert report.verdict is Verdict.COMPATIBLE
        assert report.findings == ()


def test_definition_that_changed_under_its_name_is_found() -> None:
    def money(kind: str) -> dict[str, object]:
        return {
            "properties": {"total": {"$ref": "#/$defs/money"}},
            "$defs": {"money": {"type": kind}},
        }

    (finding,) = check(money("number"), money("string"), policy=STRICT).breaking
    assert finding.new_pointer == "/$defs/money/type"
    assert finding.message == "total was a number and becomes text."


def test_anchors_and_embedded_identifiers_lead_to_their_schema() -> None:
    by_anchor: Schema = {
        "properties": {"a": {"$ref": "#short"}},
        "$defs": {"x": {"$anchor": "short", "type": "string", "maxLength": 3}},
    }
    by_id: Schema = {
        "$id": "https://example.com/order",
        "properties": {"a": {"$ref": "parts/text#/$defs/short"}},
        "$defs": {
            "x": {"$id": "parts/text", "$defs": {"short": {"type": "string", "maxLength": 2}}}
        },
    }
    draft_07: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"a": {"$ref": "#short"}},
        "definitions": {"x": {"$id": "#short", "type": "string", "maxLength": 3}},
    }
    assert check(by_id, by_anchor, policy=STRICT).verdict is Verdict.COMPATIBLE
    assert check(by_anchor, by_id, policy=STRICT).verdict is Verdict.INCOMPATIBLE
    assert check(by_anchor, draft_07, policy=STRICT).verdict is Verdict.COMPATIBLE


def test_versions_with_identifiers_of_their_own_share_what_did_not_change() -> None:
    def version(number: str, **fields: object) -> dict[str, object]:
        return {
            "$id": f"https://example.com/order/{number}",
            "type": "object",
            "properties": {"customer": {"$ref": "#/$defs/customer"}, **fields},
            "$defs": {
                "customer": {"type": "object", "properties": {"home": {"$ref": "#/$defs/address"}}},
                "address": {"type": "object", "required": ["street"]},
            },
        }

    report = check(version("1.0.0"), version("1.1.0", note={"type": "string"}))
    assert report.verdict is Verdict.COMPATIBLE
    assert [finding.new_pointer for finding in report.findings] == ["/properties/note"]


def test_other_documents_are_asked_for() -> None:
    library: dict[str, Schema] = {
        "https://example.com/money/1": {"type": "object", "required": ["amount", "currency"]},
        "https://example.com/money/2": {"type": "object", "required": ["amount"]},
    }
    first: Schema = {"properties": {"total": {"$ref": "https://example.com/money/1"}}}
    second: Schema = {"properties": {"total": {"$ref": "https://example.com/money/2"}}}
    loosened = check(first, second, resolve=library.get)
    tightened = check(second, first, resolve=library.get)
    assert loosened.verdict is Verdict.COMPATIBLE
    assert tightened.verdict is Verdict.INCOMPATIBLE
    assert tightened.breaking[0].has_witness


def test_other_documents_are_known_by_their_written_name_too() -> None:
    library: dict[str, Schema] = {"money": {"type": "object", "required": ["amount"]}}
    identifier = {"$id": "https://example.com/orders/1"}
    old: Schema = {**identifier, "properties": {"total": {"type": "object"}}}
    new: Schema = {**identifier, "properties": {"total": {"$ref": "money"}}}
    (finding,) = check(old, new, resolve=library.get).breaking
    assert finding.witness == {"total": {}}


def test_reference_that_nobody_knows_is_undecided_but_equal_to_itself() -> None:
    unknown: Schema = {"properties": {"a": {"$ref": "https://example.com/unknown"}}}
    widened: Schema = {
        "properties": {"a": {"$ref": "https://example.com/unknown"}, "b": {"type": "string"}}
    }
    assert check(unknown, {"properties": {"a": {"type": "string"}}}).verdict is Verdict.UNDECIDED
    assert check(unknown, widened).verdict is Verdict.COMPATIBLE
    report = check({}, unknown, policy=STRICT)
    assert report.verdict is Verdict.UNDECIDED
    assert [finding.severity for finding in report.findings] == [Severity.UNDECIDED]


def test_dynamic_reference_with_one_meaning_is_followed() -> None:
    def listing(kind: str) -> dict[str, object]:
        return {
            "type": "array",
            "items": {"$dynamicRef": "#entry"},
            "$defs": {"entry": {"$dynamicAnchor": "entry", "type": kind}},
        }

    assert check(listing("integer"), listing("number"), policy=STRICT).verdict is Verdict.COMPATIBLE
    assert check(listing("number"), listing("integer"), policy=STRICT).verdict is (
        Verdict.INCOMPATIBLE
    )


def test_form_that_nobody_can_send_does_not_hide_the_others() -> None:
    def shapes(**parts: object) -> dict[str, object]:
        inner = {"parts": {"type": "array", "items": {"$ref": "#"}, "minItems": 1, **parts}}
        forms: list[dict[str, object]] = [
            {
                "type": "object",
                "properties": {"kind": {"const": kind}, **more},
                "required": ["kind"],
            }
            for kind, more in (("circle", {}), ("box", {}), ("group", inner))
        ]
        forms[1]["additionalProperties"] = False  # and so without the id that all must have
        return {"type": "object", "required": ["id"], "oneOf": forms}

    report = check(shapes(uniqueItems=True), shapes(), policy=Policy.STRICT)
    assert report.verdict is Verdict.COMPATIBLE
