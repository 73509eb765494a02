"""Filters of subscriptions: the dialects of the CloudEvents Subscriptions API, and JMESPath.

    {"exact":  {"type": "com.acme.order.created"}}     every named attribute equals its text
    {"prefix": {"subject": "EU-"}}                     … starts with it; "suffix": … ends with it
    {"all": […]}  {"any": […]}  {"not": {…}}           combine filters
    {"jmespath": "total > `100`"}                      a condition over the event's data

A list of filters is an `all`; an empty list, an empty object or nothing lets every event pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from delivery import expressions
from delivery.expressions import Expression
from delivery.strict_json import escape

MAX_EXPRESSION_CHARACTERS = 2_000
MAX_LEVELS = 10
MAX_LIST_ITEMS = 100
MAX_CONDITIONS = 500  # of one filter, all levels together
MAX_VALUE_CHARACTERS = 1_024

_SHOWN_CHARACTERS = 60
_NAME = re.compile(r"[a-z0-9]+")


class InvalidFilter(ValueError):
    """The filter breaks a rule: show `message`, and `pointer` for the place in the filter."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Whether an event passes, a sentence that says why, and the same for each part."""

    matched: bool
    sentence: str
    parts: tuple[Explanation, ...] = ()


class _Test(Protocol):
    def matches(self, attributes: Mapping[str, str], data: object) -> bool: ...

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation: ...

    def expressions(self) -> tuple[Expression, ...]: ...

    def attributes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledFilter:
    """A checked filter, ready to judge events; made by `compile`."""

    test: _Test

    def matches(self, attributes: Mapping[str, str], data: object) -> bool:
        """Say whether an event passes; a condition that fails on its data does not hold."""
        return self.test.matches(attributes, data)

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation:
        """Say whether and why; sentences name attributes' values, and never values of the data."""
        return self.test.explain(attributes, data)

    def data_paths(self) -> tuple[str, ...]:
        """Return the places of the data that it reads (`expressions.data_paths`), sorted."""
        return tuple(
            sorted({path for e in self.test.expressions() for path in expressions.data_paths(e)})
        )

    def attributes(self) -> tuple[str, ...]:
        """Return the names of the attributes that it looks at, sorted."""
        return tuple(sorted(set(self.test.attributes())))


def compile(filter: object) -> CompiledFilter:
    """Return the filter, checked; raises `InvalidFilter`."""
    if filter is None or filter in ({}, []):
        return CompiledFilter(test=_All(tests=()))
    return CompiledFilter(test=_Reader().test(filter, "", 1))


class _Reader:
    """Builds tests from JSON, and keeps count of how many."""

    def __init__(self) -> None:
        self._conditions = 0

    def test(self, given: object, pointer: str, level: int) -> _Test:
        if level > MAX_LEVELS:
            raise InvalidFilter(pointer, f"A filter has at most {MAX_LEVELS} levels.")
        if isinstance(given, list):
            return _All(tests=self._list(given, pointer, level))
        if not isinstance(given, dict) or len(given) != 1:
            raise InvalidFilter(
                pointer, "A filter is an object with one dialect; combine several with “all”."
            )
        ((dialect, body),) = given.items()
        pointer = f"{pointer}/{escape(str(dialect))}"
        match dialect:
            case "exact" | "prefix" | "suffix":
                return self._attributes(dialect, body, pointer)
            case "all":
                return _All(tests=self._list(body, pointer, level))
            case "any":
                return _Any(tests=self._list(body, pointer, level))
            case "not":
                return _Not(test=self.test(body, pointer, level + 1))
            case "jmespath":
                return self._condition(body, pointer)
        raise InvalidFilter(
            pointer,
            f"There is no dialect “{dialect}”; use exact, prefix, suffix, all, any, not or"
            " jmespath.",
        )

    def _list(self, body: object, pointer: str, level: int) -> tuple[_Test, ...]:
        if not isinstance(body, list) or not 1 <= len(body) <= MAX_LIST_ITEMS:
            raise InvalidFilter(pointer, f"Give a list of 1 to {MAX_LIST_ITEMS} filters.")
        return tuple(
            self.test(inner, f"{pointer}/{index}", level + 1) for index, inner in enumerate(body)
        )

    def _attributes(self, dialect: str, body: object, pointer: str) -> _Test:
        if not isinstance(body, dict) or not 1 <= len(body) <= MAX_LIST_ITEMS:
            raise InvalidFilter(
                pointer, "Name the attributes, each with the text that it must have."
            )
        tests = []
        for name, text in body.items():
            place = f"{pointer}/{escape(str(name))}"
            if not _NAME.fullmatch(str(name)):
                raise InvalidFilter(place, f"“{name}” is not the name of an attribute.")
            if not isinstance(text, str) or not 1 <= len(text) <= MAX_VALUE_CHARACTERS:
                raise InvalidFilter(
                    place, f"Give a text of 1 to {MAX_VALUE_CHARACTERS} characters."
                )
            self._count(place)
            tests.append(_ATTRIBUTE_TESTS[dialect](name=str(name), text=text))
        return tests[0] if len(tests) == 1 else _All(tests=tuple(tests))

    def _condition(self, body: object, pointer: str) -> _Test:
        self._count(pointer)
        try:
            return _Condition(
                expression=expressions.compile(body, max_characters=MAX_EXPRESSION_CHARACTERS)
            )
        except expressions.InvalidExpression as error:
            raise InvalidFilter(pointer, str(error)) from None

    def _count(self, pointer: str) -> None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise InvalidFilter(pointer, f"A filter has at most {MAX_CONDITIONS} conditions.")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Attribute:
    """One attribute against one text, case sensitive; an attribute that is not set never fits."""

    name: str
    text: str

    verb = ""

    def holds(self, value: str) -> bool:
        return value == self.text

    def matches(self, attributes: Mapping[str, str], data: object) -> bool:
        value = attributes.get(self.name)
        return value is not None and self.holds(value)

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation:
        value = attributes.get(self.name)
        matched = value is not None and self.holds(value)
        found = "it is not set" if value is None else f"it is {_quoted(value)}"
        answer = "Yes" if matched else "No"
        return Explanation(
            matched=matched,
            sentence=f"{self.name} {self.verb} {_quoted(self.text)}? {answer}: {found}.",
        )

    def expressions(self) -> tuple[Expression, ...]:
        return ()

    def attributes(self) -> tuple[str, ...]:
        return (self.name,)


class _Exact(_Attribute):
    __slots__ = ()
    verb = "is"


class _Prefix(_Attribute):
    __slots__ = ()
    verb = "starts with"

    def holds(self, value: str) -> bool:
        return value.startswith(self.text)


class _Suffix(_Attribute):
    __slots__ = ()
    verb = "ends with"

    def holds(self, value: str) -> bool:
        return value.endswith(self.text)


_ATTRIBUTE_TESTS: dict[str, type[_Attribute]] = {
    "exact": _Exact,
    "prefix": _Prefix,
    "suffix": _Suffix,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Condition:
    """A JMESPath expression over the data, true as JMESPath counts it (0 is true, "" is not)."""

    expression: Expression

    def matches(self, attributes: Mapping[str, str], data: object) -> bool:
        try:
            return expressions.is_true(expressions.evaluate(self.expression, data))
        except expressions.EvaluationFailed:
            return False

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation:
        question = f"{_shortened(self.expression.text)}?"
        try:
            found = expressions.evaluate(self.expression, data)
        except expressions.EvaluationFailed as error:
            return Explanation(matched=False, sentence=f"{question} No: {error}")
        matched = expressions.is_true(found)
        answer = "Yes" if matched else "No"
        return Explanation(
            matched=matched, sentence=f"{question} {answer}: it gives {_kind(found)}."
        )

    def expressions(self) -> tuple[Expression, ...]:
        return (self.expression,)

    def attributes(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    tests: tuple[_Test, ...]

    def expressions(self) -> tuple[Expression, ...]:
        return tuple(e for test in self.tests for e in test.expressions())

    def attributes(self) -> tuple[str, ...]:
        return tuple(name for test in self.tests for name in test.attributes())

    def _parts(self, attributes: Mapping[str, str], data: object) -> tuple[Explanation, ...]:
        return tuple(test.explain(attributes, data) for test in self.tests)


class _All(_Group):
    __slots__ = ()

    def matches(self, attributes: Mapping[str, str], data: object) -> bool:
        return all(test.matches(attributes, data) for test in self.tests)

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation:
        parts = self._parts(attributes, data)
        failed = [part.sentence for part in parts if not part.matched]
        if not parts:
            sentence = "There is no filter: every event passes."
        else:
            sentence = " ".join(failed or [part.sentence for part in parts])
        return Explanation(matched=not failed, sentence=sentence, parts=parts)


class _Any(_Group):
    __slots__ = ()

    def matches(self, attributes: Mapping[str, str], data: object) -> bool:
        return any(test.matches(attributes, data) for test in self.tests)

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation:
        parts = self._parts(attributes, data)
        held = [part.sentence for part in parts if part.matched]
        return Explanation(
            matched=bool(held),
            sentence=held[0] if held else " ".join(part.sentence for part in parts),
            parts=parts,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Not:
    test: _Test

    def matches(self, attributes: Mapping[str, str], data: object) -> bool:
        return not self.test.matches(attributes, data)

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation:
        part = self.test.explain(attributes, data)
        wish = "as wanted" if not part.matched else "and that leaves it out"
        return Explanation(
            matched=not part.matched,
            sentence=f"{part.sentence.removesuffix('.')}, {wish}.",
            parts=(part,),
        )

    def expressions(self) -> tuple[Expression, ...]:
        return self.test.expressions()

    def attributes(self) -> tuple[str, ...]:
        return self.test.attributes()


def _quoted(text: str) -> str:
    return json.dumps(_shortened(text), ensure_ascii=False)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _kind(value: object) -> str:
    """Name what an expression gives without showing it: data may be sensitive."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return "a text" if value else "an empty text"
        case int() | float():
            return "a number"
        case list():
            return "a list" if value else "an empty list"
    return "an object" if value else "an empty object"
