"""The house's rules for a contract: what breaks each of them.

A rule yields (pointer, sentence) for each place that breaks it. What a finding weighs is policy,
and policy is data (`catalog.house_rules`): a topic's own weight, else the portal's, else the
shipped one.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from catalog import schemas
from catalog.house_rules import SHIPPED, HouseRule, Weight
from catalog.schemas import Field, FieldKind, Problem
from catalog.schemas.parts import Together
from catalog.schemas.reading import every_schema, subschemas
from catalog.words import Case


class Source(StrEnum):
    """Whose word a rule's weight is."""

    TOPIC = "topic"
    PORTAL = "portal"
    SHIPPED = "shipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What the rules weigh: `topic` before `portal`, by rule; `SHIPPED` for what neither names."""

    portal: Mapping[str, str] = dataclasses.field(default_factory=dict)
    topic: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def of(self, rule: str) -> tuple[Weight, Source]:
        """Return what a rule weighs, and who says so."""
        for source, weights in ((Source.TOPIC, self.topic), (Source.PORTAL, self.portal)):
            if rule in weights:
                return Weight(weights[rule]), source
        return SHIPPED[rule], Source.SHIPPED


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """What the rules look at: the schema, its fields, and what its topic promises."""

    schema: schemas.Schema
    fields: tuple[Field, ...]
    field_case: str = Case.ANY
    payload_ceiling_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One place that breaks a rule, and by whose word it weighs so much."""

    rule: str
    weight: Weight
    source: Source
    pointer: str
    message: str

    def to_json(self) -> dict[str, object]:
        """Return the finding as check results keep it."""
        return {
            "rule": self.rule,
            "severity": str(self.weight),
            "policy": str(self.source),
            "pointer": self.pointer,
            "message": self.message,
        }


Rule = Callable[[Contract], Iterable[Problem]]
RULES: dict[HouseRule, Rule] = {}


def rule(name: HouseRule) -> Callable[[Rule], Rule]:
    """Register what looks for the places that break a rule."""

    def register(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return register


def findings(contract: Contract, policy: Policy) -> list[Finding]:
    """Return what breaks the house's rules, errors first."""
    found = []
    for name, check in RULES.items():
        weight, source = policy.of(name)
        if weight is Weight.OFF:
            continue
        found += [
            Finding(rule=name, weight=weight, source=source, pointer=at, message=message)
            for at, message in ((one.pointer, one.message) for one in check(contract))
        ]
    return sorted(found, key=lambda finding: finding.weight is not Weight.ERROR)


@rule(HouseRule.ROOT_IS_OBJECT)
def root_is_object(contract: Contract) -> Iterator[Problem]:
    """Events carry named fields, so that a field can be added later without breaking anyone."""
    kind = Together(contract.schema, contract.schema, None).kind
    if kind not in (FieldKind.OBJECT, FieldKind.ANY) or contract.schema is True:
        yield Problem("", _("The data should be an object with named fields."))


@rule(HouseRule.FIELD_HAS_MEANING)
def field_has_meaning(contract: Contract) -> Iterator[Problem]:
    """Whoever builds a flow reads the meaning, not the schema."""
    for field in contract.fields:
        if not field.meaning.strip():
            yield _at(field, _("%s has no meaning: say what it tells."))


_IDENTIFIER = re.compile(r"(^|_)(id|uuid|number|no|code|key|ref|reference)$", re.IGNORECASE)
_IDENTIFIER_CAMEL = re.compile(r"(^id$|Id$|Uuid$|Number$|Code$|Key$|Ref$)")


@rule(HouseRule.IDENTIFIER_IS_TEXT)
def identifier_is_text(contract: Contract) -> Iterator[Problem]:
    """Numbers lose leading zeros, and large ones their last digits, in many readers."""
    for field in contract.fields:
        is_named_so = _IDENTIFIER.search(field.name) or _IDENTIFIER_CAMEL.search(field.name)
        if is_named_so and field.kind in (FieldKind.NUMBER, FieldKind.INTEGER):
            yield _at(field, _("%s identifies something: make it text, not a number."))


_TIME = re.compile(r"(_at|_on|_time|_date|timestamp|At|On|Time|Date)$|^(date|time|timestamp)$")


@rule(HouseRule.TIME_HAS_ZONE)
def time_has_zone(contract: Contract) -> Iterator[Problem]:
    """A time without a zone is another moment for each reader."""
    timely = (FieldKind.DATE_TIME, FieldKind.DATE, FieldKind.TIME)
    for field in contract.fields:
        if not _TIME.search(field.name) or field.kind in timely:
            continue
        if field.kind in (FieldKind.TEXT, FieldKind.NUMBER, FieldKind.INTEGER):
            yield _at(field, _("%s is a time: use the format date-time, with a zone."))


_MONEY = re.compile(r"(amount|price|total|cost|fee|tax|discount)", re.IGNORECASE)
_CURRENCY = re.compile(r"currency", re.IGNORECASE)


@rule(HouseRule.MONEY_HAS_CURRENCY)
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
            yield _at(field, _("%s is money: say in which currency beside it."))


def _place(path: str) -> str:
    return path.rpartition(".")[0]


@rule(HouseRule.SIZE_IS_BOUNDED)
def size_is_bounded(contract: Contract) -> Iterator[Problem]:
    """What has no bound will meet the topic's ceiling one day, and be refused there."""
    if contract.payload_ceiling_bytes is None:
        return
    for field in contract.fields:
        bounds = field.bounds
        if field.kind is FieldKind.TEXT and not bounds.keys() & {"maxLength", "pattern", "format"}:
            yield _at(field, _("%s has no greatest length."))
        if field.kind is FieldKind.LIST and "maxItems" not in bounds:
            yield _at(field, _("%s has no greatest number of entries."))


_CASES = {
    Case.SNAKE: (re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"), "snake_case"),
    Case.CAMEL: (re.compile(r"^[a-z][a-z0-9]*([A-Z][a-z0-9]*)*$"), "camelCase"),
}


@rule(HouseRule.NAME_IS_IN_CASE)
def name_is_in_case(contract: Contract) -> Iterator[Problem]:
    """The fields of one topic are named in one way."""
    if contract.field_case not in _CASES:
        return
    pattern, words = _CASES[Case(contract.field_case)]
    for field in contract.fields:
        if not pattern.match(field.name):
            told = _("%(name)s is not %(case)s, as this topic's fields are.")
            yield Problem(field.pointer, told % {"name": field.name, "case": words})


_CLOSING = ("additionalProperties", "unevaluatedProperties")
# What stands below these speaks of the same object as the schema around it.
_OF_THE_SAME = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"}
)


@rule(HouseRule.CONTENT_IS_STATED)
def content_is_stated(contract: Contract) -> Iterator[Problem]:
    """What is left open by silence is closed by one tool and not by the next."""
    for pointer in unstated(contract.schema):
        yield Problem(pointer, _("It is not said here whether unknown fields may come along."))


def unstated(schema: schemas.Schema) -> Iterator[str]:
    """Yield the pointer of each object that leaves it to its reader whether it is closed."""
    parts = set(_parts(schema))
    for pointer, node in _objects(schema):
        if pointer not in parts and not any(keyword in node for keyword in _CLOSING):
            yield pointer


def _parts(schema: schemas.Schema) -> Iterator[str]:
    """Yield the pointers of schemas that say a part of what another one describes."""
    for pointer, node in every_schema(schema):
        if isinstance(node, Mapping):
            below = (at for at, _child in subschemas(node))
            yield from (f"{pointer}{at}" for at in below if at.split("/")[1] in _OF_THE_SAME)


@rule(HouseRule.CONTENT_IS_OPEN)
def content_is_open(contract: Contract) -> Iterator[Problem]:
    """A contract that refuses unknown fields breaks with each field that is added."""
    for pointer, schema in _objects(contract.schema):
        closed = next((one for one in _CLOSING if schema.get(one) is False), None)
        if closed:
            words = _("Unknown fields are refused here, so every new field will break readers.")
            yield Problem(f"{pointer}/{closed}", words)


def _objects(schema: schemas.Schema) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield (pointer, schema) of each object with named fields."""
    for pointer, node in every_schema(schema):
        if isinstance(node, Mapping) and isinstance(node.get("properties"), Mapping):
            yield pointer, node


_NOT_SEARCHED = (FieldKind.OBJECT, FieldKind.LIST, FieldKind.BOOLEAN, FieldKind.NOTHING)


@rule(HouseRule.SEARCHABLE_IS_VALUE)
def searchable_is_value(contract: Contract) -> Iterator[Problem]:
    """Events are found by a text or a number: a group, a list, a yes or no finds nothing."""
    for field in contract.fields:
        if field.is_searchable and field.kind in _NOT_SEARCHED:
            yield _at(field, _("%s finds nothing: mark a text or a number in it instead."))


@rule(HouseRule.SEARCHABLE_IS_HARMLESS)
def searchable_is_harmless(contract: Contract) -> Iterator[Problem]:
    """Values that say something of a person are masked, so nothing is found by them."""
    masked = {field.steps for field in contract.fields if field.sensitive}
    for field in contract.fields:
        within = (field.steps[:length] for length in range(1, len(field.steps) + 1))
        if field.is_searchable and any(steps in masked for steps in within):
            words = _("%s says something of a person, so it is never searched for: take one back.")
            yield _at(field, words)


def _at(field: Field, sentence: str) -> Problem:
    return Problem(field.pointer, sentence % field.title)


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
