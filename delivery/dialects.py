"""The dialects of filters: each judges an event by its attributes or its data, and says why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from delivery import expressions
from delivery.expressions import Expression

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Whether an event passes, a sentence that says why, and the same for each part."""

    matched: bool
    sentence: str
    parts: tuple[Explanation, ...] = ()


class Test(Protocol):
    """One part of a filter: it judges, explains, and tells what it looks at."""

    def matches(self, attributes: Mapping[str, str], data: object) -> bool:
        """Say whether an event passes."""
        ...

    def explain(self, attributes: Mapping[str, str], data: object) -> Explanation:
        """Say whether and why."""
        ...

    def expressions(self) -> tuple[Expression, ...]:
        """Return the expressions that it evaluates over the data."""
        ...

    def attributes(self) -> tuple[str, ...]:
        """Return the names of the attributes that it looks at."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
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


class Exact(Attribute):
    """The attribute is the text."""

    __slots__ = ()
    verb = "is"


class Prefix(Attribute):
    """The attribute starts with the text."""

    __slots__ = ()
    verb = "starts with"

    def holds(self, value: str) -> bool:
        return value.startswith(self.text)


class Suffix(Attribute):
    """The attribute ends with the text."""

    __slots__ = ()
    verb = "ends with"

    def holds(self, value: str) -> bool:
        return value.endswith(self.text)


ATTRIBUTE_TESTS: dict[str, type[Attribute]] = {
    "exact": Exact,
    "prefix": Prefix,
    "suffix": Suffix,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
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
    tests: tuple[Test, ...]

    def expressions(self) -> tuple[Expression, ...]:
        return tuple(e for test in self.tests for e in test.expressions())

    def attributes(self) -> tuple[str, ...]:
        return tuple(name for test in self.tests for name in test.attributes())

    def _parts(self, attributes: Mapping[str, str], data: object) -> tuple[Explanation, ...]:
        return tuple(test.explain(attributes, data) for test in self.tests)


class All(_Group):
    """Every test holds; without tests every event passes."""

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


class Any(_Group):
    """At least one test holds."""

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
class Not:
    """The test does not hold."""

    test: Test

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
