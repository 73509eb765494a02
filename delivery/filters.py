"""Filters of subscriptions: the dialects of the CloudEvents Subscriptions API, and JMESPath.

    {"exact":  {"type": "com.acme.order.created"}}     every named attribute equals its text
    {"prefix": {"subject": "EU-"}}                     … starts with it; "suffix": … ends with it
    {"all": […]}  {"any": […]}  {"not": {…}}           combine filters
    {"jmespath": "total > `100`"}                      a condition over the event's data

A list of filters is an `all`; an empty list, an empty object or nothing lets every event pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from delivery import expressions
from delivery.dialects import (
    ATTRIBUTE_TESTS,
    All,
    Any,
    Condition,
    Explanation,
    Not,
    Test,
)
from delivery.strict_json import escape

MAX_EXPRESSION_CHARACTERS = 2_000
MAX_LEVELS = 10
MAX_LIST_ITEMS = 100
MAX_CONDITIONS = 500  # of one filter, all levels together
MAX_VALUE_CHARACTERS = 1_024

_NAME = re.compile(r"[a-z0-9]+")


class InvalidFilter(ValueError):
    """The filter breaks a rule: show `message`, and `pointer` for the place in the filter."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledFilter:
    """A checked filter, ready to judge events; made by `compile`."""

    test: Test

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
        return CompiledFilter(test=All(tests=()))
    return CompiledFilter(test=_Reader().test(filter, "", 1))


class _Reader:
    """Builds tests from JSON, and keeps count of how many."""

    def __init__(self) -> None:
        self._conditions = 0

    def test(self, given: object, pointer: str, level: int) -> Test:
        if level > MAX_LEVELS:
            raise InvalidFilter(pointer, f"A filter has at most {MAX_LEVELS} levels.")
        if isinstance(given, list):
            return All(tests=self._list(given, pointer, level))
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
                return All(tests=self._list(body, pointer, level))
            case "any":
                return Any(tests=self._list(body, pointer, level))
            case "not":
                return Not(test=self.test(body, pointer, level + 1))
            case "jmespath":
                return self._condition(body, pointer)
        raise InvalidFilter(
            pointer,
            f"There is no dialect “{dialect}”; use exact, prefix, suffix, all, any, not or"
            " jmespath.",
        )

    def _list(self, body: object, pointer: str, level: int) -> tuple[Test, ...]:
        if not isinstance(body, list) or not 1 <= len(body) <= MAX_LIST_ITEMS:
            raise InvalidFilter(pointer, f"Give a list of 1 to {MAX_LIST_ITEMS} filters.")
        return tuple(
            self.test(inner, f"{pointer}/{index}", level + 1) for index, inner in enumerate(body)
        )

    def _attributes(self, dialect: str, body: object, pointer: str) -> Test:
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
            tests.append(ATTRIBUTE_TESTS[dialect](name=str(name), text=text))
        return tests[0] if len(tests) == 1 else All(tests=tuple(tests))

    def _condition(self, body: object, pointer: str) -> Test:
        self._count(pointer)
        try:
            return Condition(
                expression=expressions.compile(body, max_characters=MAX_EXPRESSION_CHARACTERS)
            )
        except expressions.InvalidExpression as error:
            raise InvalidFilter(pointer, str(error)) from None

    def _count(self, pointer: str) -> None:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise InvalidFilter(pointer, f"A filter has at most {MAX_CONDITIONS} conditions.")
