"""The house's rules for a contract, as data: which rules there are, and how much each weighs.

A rule yields (pointer, sentence) for each place that breaks it. What a finding weighs is policy:
`DEFAULT_POLICY`, changed by the setting `LINT_POLICY` ({"money_has_currency": "error", …}).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog import schemas
from catalog.schemas import Field, FieldKind, Problem
from catalog.schemas.parts import Together
from catalog.schemas.reading import every_schema
from catalog.words import Case


class Weight(StrEnum):
    """What breaking a rule means."""

    ERROR = "error"
    ADVICE = "advice"
    OFF = "off"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """What the rules look at: the schema, its fields, and what its topic promises."""

    schema: schemas.Schema
    fields: tuple[Field, ...]
    field_case: str = Case.ANY
    payload_ceiling_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One place that breaks a rule."""

    rule: str
    weight: Weight
    pointer: str
    message: str

    def to_json(self) -> dict[str, object]:
        """Return the finding as check results keep it."""
        return {
            "rule": self.rule,
            "severity": str(self.weight),
            "pointer": self.pointer,
            "message": self.message,
        }


Rule = Callable[[Contract], Iterable[Problem]]
RULES: dict[str, Rule] = {}
DEFAULT_POLICY: dict[str, Weight] = {}


def rule(name: str, weight: Weight) -> Callable[[Rule], Rule]:
    """Register a rule with the weight that it has unless policy says otherwise."""

    def register(function: Rule) -> Rule:
        RULES[name] = function
        DEFAULT_POLICY[name] = weight
        return function

    return register


def findings(contract: Contract, policy: Mapping[str, str] | None = None) -> list[Finding]:
    """Return what breaks the house's rules, errors first."""
    weights = {**DEFAULT_POLICY, **{k: Weight(v) for k, v in (policy or {}).items()}}
    found = [
        Finding(rule=name, weight=weights[name], pointer=problem.pointer, message=problem.message)
        for name, check in RULES.items()
        if weights[name] is not Weight.OFF
        for problem in check(contract)
    ]
    return sorted(found, key=lambda finding: finding.weight is not Weight.ERROR)


@rule("root_is_object", Weight.ERROR)
def root_is_object(contract: Contract) -> Iterator[Problem]:
    """Events carry named fields, so that a field can be added later without breaking anyone."""
    kind = Together(contract.schema, contract.schema, None).kind
    if kind not in (FieldKind.OBJECT, FieldKind.ANY) or contract.schema is True:
        yield Problem("", "The data should be an object with named fields.")


@rule("field_has_meaning", Weight.ADVICE)
def field_has_meaning(contract: Contract) -> Iterator[Problem]:
    """Whoever builds a flow reads the meaning, not the schema."""
    for field in contract.fields:
        if not field.meaning.strip():
            yield Problem(field.pointer, f"{field.title} has no meaning: say what it tells.")


_IDENTIFIER = re.compile(r"(^|_)(id|uuid|number|no|code|key|ref|reference)$", re.IGNORECASE)
_IDENTIFIER_CAMEL = re.compile(r"(^id$|Id$|Uuid$|Number$|Code$|Key$|Ref$)")


@rule("identifier_is_text", Weight.ADVICE)
def identifier_is_text(contract: Contract) -> Iterator[Problem]:
    """Numbers lose leading zeros, and large ones their last digits, in many readers."""
    for field in contract.fields:
        is_named_so = _IDENTIFIER.search(field.name) or _IDENTIFIER_CAMEL.search(field.name)
        if is_named_so and field.kind in (FieldKind.NUMBER, FieldKind.INTEGER):
            yield Problem(
                field.pointer, f"{field.title} identifies something: make it text, not a number."
            )


_TIME = re.compile(r"(_at|_on|_time|_date|timestamp|At|On|Time|Date)$|^(date|time|timestamp)$")


@rule("time_has_zone", Weight.ADVICE)
def time_has_zone(contract: Contract) -> Iterator[Problem]:
    """A time without a zone is another moment for each reader."""
    timely = (FieldKind.DATE_TIME, FieldKind.DATE, FieldKind.TIME)
    for field in contract.fields:
        if not _TIME.search(field.name) or field.kind in timely:
            continue
        if field.kind in (FieldKind.TEXT, FieldKind.NUMBER, FieldKind.INTEGER):
            yield Problem(
                field.pointer, f"{field.title} is a time: use the format date-time, with a zone."
            )


_MONEY = re.compile(r"(amount|price|total|cost|fee|tax|discount)", re.IGNORECASE)
_CURRENCY = re.compile(r"currency", re.IGNORECASE)


@rule("money_has_currency", Weight.ADVICE)
def money_has_currency(contract: Contract) -> Iterator[Problem]:
    """An amount alone is not money."""
    places = {_place(field.path) for field in contract.fields if _CURRENCY.search(field.name)}
    for field in contract.fields:
        is_amount = _MONEY.search(field.name) and field.kind in (
            FieldKind.NUMBER,
            FieldKind.INTEGER,
        )
        around = _place(field.path)
        if is_amount and not any(
            around == p or around.startswith(f"{p}.") or not p for p in places
        ):
            yield Problem(
                field.pointer, f"{field.title} is money: say in which currency beside it."
            )


def _place(path: str) -> str:
    return path.rpartition(".")[0]


@rule("size_is_bounded", Weight.ADVICE)
def size_is_bounded(contract: Contract) -> Iterator[Problem]:
    """What has no bound will meet the topic's ceiling one day, and be refused there."""
    if contract.payload_ceiling_bytes is None:
        return
    for field in contract.fields:
        bounds = field.bounds
        if field.kind is FieldKind.TEXT and not bounds.keys() & {"maxLength", "pattern", "format"}:
            yield Problem(field.pointer, f"{field.title} has no greatest length.")
        if field.kind is FieldKind.LIST and "maxItems" not in bounds:
            yield Problem(field.pointer, f"{field.title} has no greatest number of entries.")


_CASES = {
    Case.SNAKE: (re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"), "snake_case"),
    Case.CAMEL: (re.compile(r"^[a-z][a-z0-9]*([A-Z][a-z0-9]*)*$"), "camelCase"),
}


@rule("name_is_in_case", Weight.ERROR)
def name_is_in_case(contract: Contract) -> Iterator[Problem]:
    """The fields of one topic are named in one way."""
    if contract.field_case not in _CASES:
        return
    pattern, words = _CASES[Case(contract.field_case)]
    for field in contract.fields:
        if not pattern.match(field.name):
            yield Problem(
                field.pointer, f"{field.name} is not {words}, as this topic's fields are."
            )


@rule("content_is_stated", Weight.ADVICE)
def content_is_stated(contract: Contract) -> Iterator[Problem]:
    """A contract that refuses unknown fields breaks with each field that is added."""
    for pointer, schema in every_schema(contract.schema):
        if not isinstance(schema, Mapping) or "properties" not in schema:
            continue
        closed = [
            keyword
            for keyword in ("additionalProperties", "unevaluatedProperties")
            if schema.get(keyword) is False
        ]
        if closed:
            yield Problem(
                f"{pointer}/{closed[0]}",
                "Unknown fields are refused here, so every new field will break readers.",
            )


def contract_of(
    schema: schemas.Schema,
    *,
    resolve: schemas.Resolve | None = None,
    field_case: str = Case.ANY,
    payload_ceiling_bytes: int | None = None,
) -> Contract:
    """Return what the rules look at."""
    return Contract(
        schema=schema,
        fields=tuple(schemas.fields(schema, resolve=resolve)),
        field_case=field_case,
        payload_ceiling_bytes=payload_ceiling_bytes,
    )
