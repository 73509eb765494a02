"""Turn one JSON document into another by a JMESPath expression, within ceilings."""

from __future__ import annotations

import json

import orjson

from delivery import expressions
from delivery.expressions import Expression

MAX_CHARACTERS = 8_000
MAX_OUTPUT_BYTES = 256 * 1024


class InvalidMapping(ValueError):
    """The text is no mapping: show the sentence to who wrote it."""


class MappingFailed(ValueError):
    """The mapping does not fit this document, or makes too much of it: show the sentence."""


def compile(expression: object) -> Expression:
    """Return the mapping, checked; raises `InvalidMapping`."""
    try:
        return expressions.compile(expression, max_characters=MAX_CHARACTERS)
    except expressions.InvalidExpression as error:
        raise InvalidMapping(str(error)) from None


def apply(compiled: Expression, document: object) -> object:
    """Return what the mapping makes of the document, of at most 256 KiB; raises `MappingFailed`.

    The result shares parts with the document: treat both as fixed.
    """
    try:
        mapped = expressions.evaluate(compiled, document)
    except expressions.EvaluationFailed as error:
        raise MappingFailed(str(error)) from None
    written(mapped)
    return mapped


def apply_to_bytes(compiled: Expression, document: object) -> bytes:
    """Return what `apply` returns as compact JSON."""
    try:
        return written(expressions.evaluate(compiled, document))
    except expressions.EvaluationFailed as error:
        raise MappingFailed(str(error)) from None


def data_paths(expression: str | Expression) -> tuple[str, ...]:
    """Return the places of the document that the mapping reads (`expressions.data_paths`)."""
    return expressions.data_paths(
        compile(expression) if isinstance(expression, str) else expression
    )


def written(mapped: object) -> bytes:
    """Return a result as compact JSON; raises `MappingFailed` above 256 KiB."""
    try:
        text = orjson.dumps(mapped)
    except TypeError:  # an integer of more than 64 bits
        text = json.dumps(mapped, separators=(",", ":"), ensure_ascii=False).encode()
    if len(text) > MAX_OUTPUT_BYTES:
        raise MappingFailed(f"The result is larger than {MAX_OUTPUT_BYTES // 1024} KiB.")
    return text
