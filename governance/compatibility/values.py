"""JSON values: their types, and when two are equal."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias


class JsonType(StrEnum):
    """The six types of a JSON document; an integer is a number that is a multiple of one."""

    NULL = "null"
    BOOLEAN = "boolean"
    NUMBER = "number"
    STRING = "string"
    ARRAY = "array"
    OBJECT = "object"


# Equal exactly for equal JSON values; the first part is the type.
Identity: TypeAlias = tuple[str, Hashable]
ALL_TYPES = frozenset(JsonType)


def type_of(value: object) -> JsonType:
    """Return the JSON type of a parsed value; raise ``TypeError`` for anything else."""
    if value is None:
        return JsonType.NULL
    if isinstance(value, bool):  # before numbers: in Python True is an int
        return JsonType.BOOLEAN
    if isinstance(value, int | float | Fraction):
        return JsonType.NUMBER
    if isinstance(value, str):
        return JsonType.STRING
    if isinstance(value, list):
        return JsonType.ARRAY
    if isinstance(value, dict):
        return JsonType.OBJECT
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def identity(value: object) -> Identity:
    """Return a key that is equal exactly for equal JSON values (1 equals 1.0, not true)."""
    match type_of(value):
        case JsonType.ARRAY:
            return ("array", tuple(identity(item) for item in value))  # type: ignore[attr-defined]
        case JsonType.OBJECT:
            pairs = value.items()  # type: ignore[attr-defined]
            return ("object", frozenset((name, identity(item)) for name, item in pairs))
        case kind:
            return (kind.value, value)


def plainly(value: object) -> object:
    """Return a value made of dictionaries and lists, whatever mappings it came in."""
    if isinstance(value, Mapping):
        return {str(name): plainly(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plainly(inner) for inner in value]
    return value


def exact(number: object) -> Fraction:
    """Return a JSON number as the decimal that was written, not as its binary neighbour.

    A whole one is what it is to validators: ``1e23`` is a little less than its digits say.
    """
    if isinstance(number, float):
        return Fraction(number) if number.is_integer() else Fraction(repr(number))
    if isinstance(number, int | Fraction):
        return Fraction(number)
    raise TypeError(f"not a number: {number!r}")


def plain(number: Fraction) -> int | float:
    """Return a fraction as the JSON number that a document shows."""
    return number.numerator if number.denominator == 1 else float(number)


def is_float_multiple(number: int | float, divisor: Fraction) -> bool:
    """Return whether a number is a multiple by binary floating point."""
    if divisor.denominator == 1:
        return number % divisor.numerator == 0
    try:
        quotient = number / float(divisor)
    except (OverflowError, ZeroDivisionError):
        return False
    if math.isinf(quotient):  # validators then divide exactly, by the divisor as it was rounded
        return (Fraction(number) / Fraction(float(divisor))).denominator == 1
    return quotient.is_integer()
