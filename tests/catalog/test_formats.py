"""Formats are checked alike wherever a document is held against a schema."""

from __future__ import annotations

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from catalog import schemas
from governance.compatibility import formats


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("iri", "https://example.com/größe?q=ü#ß", True),
        ("iri", "urn:example:1", True),
        ("iri", "/größe", False),
        ("iri", "https://example.com/a b", False),
        ("iri-reference", "/größe", True),
        ("iri-reference", "", True),
        ("iri-reference", "http://[", False),
        ("uri", "https://example.com/gr%C3%B6%C3%9Fe", True),
        ("uri", "https://example.com/größe", False),
        ("uri-reference", "/größe", False),
    ],
)
def test_the_edge_the_reference_and_the_comparison_say_the_same(
    name: str, text: str, is_one: bool
) -> None:
    schema = {"type": "string", "format": name}
    assert schemas.validator_for(schema).is_valid(text) is is_one
    for draft in (Draft7Validator, Draft202012Validator):
        checked = draft(schema, format_checker=draft.FORMAT_CHECKER)
        assert checked.is_valid(text) is is_one
    assert formats.conforms(name, text) is is_one


def test_every_format_of_the_draft_is_checked() -> None:
    # Each is of an optional package of the reference; without it, it would let everything pass.
    named = {"date-time", "duration", "hostname", "idn-hostname", "json-pointer", "time", "uri"}
    named |= {"iri", "iri-reference", "relative-json-pointer", "uri-reference", "uri-template"}
    assert named <= Draft202012Validator.FORMAT_CHECKER.checkers.keys()
