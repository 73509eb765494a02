"""AsyncAPI documents as machines get them, held against the official parser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import EventType, Topic
from config.demo import seed
from tests import factories
from tests.asyncapi import parser, told
from tests.visitors import signed_in

__all__ = ["parser"]  # a fixture
pytestmark = pytest.mark.django_db

MONEY = {"type": "object", "properties": {"amount": {"type": "number"}}, "title": "Money"}
INTRICATE = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://acme.example/order",
    "type": "object",
    "$defs": {
        "money": MONEY,
        "part": {
            "$anchor": "part",
            "type": "object",
            "properties": {"parts": {"type": "array", "items": {"$ref": "#part"}}},
        },
    },
    "properties": {
        "total": {"$ref": "#/$defs/money", "description": "With tax."},
        "tree": {"$ref": "#/$defs/part"},
        "pair": {"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
        "state": {"const": "open"},
        "kind": {"enum": ["a", "b", None]},
        "ship_to": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "odd/name~of %": {"type": ["string", "null"], "format": "date-time"},
        "never": False,
        "email": {"type": "string", "x-sensitive": "contact", "x-searchable": True},
    },
    "dependentRequired": {"total": ["kind"]},
    "dependentSchemas": {"tree": {"minProperties": 1}},
    "unevaluatedProperties": False,
    "if": {"required": ["kind"]},
    "then": {"minProperties": 1},
    "examples": [{"total": {"amount": 1}}],
}
DRAFT_07 = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "definitions": {"code": {"type": "string", "pattern": "^[A-Z]{2}$"}},
    "type": "object",
    "properties": {
        "code": {"$ref": "#/definitions/code"},
        "pair": {"items": [{"type": "string"}], "additionalItems": False},
    },
    "dependencies": {"pair": ["code"]},
}


def documents(client: Client) -> dict[str, str]:
    """Return every document by its address, as JSON and as YAML."""
    places = [
        "asyncapi",
        *(f"topics/{name}/asyncapi" for name in Topic.objects.values_list("name", flat=True)),
    ]
    found = {}
    for place in places:
        for form in ("application/json", "application/yaml"):
            answer = client.get(f"/api/v1/{place}", headers={"Accept": form})
            assert answer.status_code == 200
            assert answer["Content-Type"].startswith(form)
            found[f"{place} {form}"] = answer.content.decode()
    return found


def faults(parser: Path, given: dict[str, str]) -> list[dict[str, Any]]:
    """Return errors and warnings; that there is a specification after 3.0 is neither."""
    found = [one for said in told(parser, given).values() for one in said]
    return [one for one in found if one["severity"] in ("error", "warning")]


def test_documents_of_an_intricate_catalog_are_valid(parser: Path) -> None:
    topic = factories.make_topic("sales.orders", title="Orders: all & more")
    for number, (name, schema) in enumerate({"intricate": INTRICATE, "old": DRAFT_07}.items()):
        made: EventType = factories.make_event_type(f"com.acme.sales.{name}", topic=topic)
        example = (
            "{}" if number else json.dumps({"total": {"amount": 1}, "email": "ada@acme.example"})
        )
        for version in ("1.0.0", "2.0.0"):
            factories.make_version(
                version, event_type=made, document=json.dumps(schema), example=example
            )
    shared = factories.make_event_type("com.acme.shared.use", topic=factories.make_topic("shared"))
    pointing = {
        "type": "object",
        "properties": {
            "order": {"$ref": "/api/v1/event-types/com.acme.sales.intricate/versions/1.0.0/schema"}
        },
    }
    factories.make_version(event_type=shared, document=json.dumps(pointing), example="{}")
    factories.make_topic("quiet")  # a channel without messages
    root = signed_in(factories.make_person(is_superuser=True))
    assert faults(parser, documents(root)) == []


def test_documents_of_the_demo_are_valid(parser: Path, tmp_path: Path) -> None:
    seed.seed(receiver_url="http://93.184.215.14", data_dir=tmp_path, now=timezone.now())
    root = signed_in(factories.make_person(is_superuser=True))
    assert faults(parser, documents(root)) == []


def test_the_parser_is_asked_indeed(parser: Path) -> None:
    wrong = {"asyncapi": "3.0.0", "info": {"title": "x"}, "channels": {"c": {"address": 1}}}
    (found,) = told(parser, {"wrong": json.dumps(wrong)}).values()
    assert {one["severity"] for one in found} >= {"error"}
