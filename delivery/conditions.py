"""One condition on a field, as someone chooses it from lists, as a filter over the data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum

_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


class Operator(StrEnum):
    """How a field is compared."""

    IS = "is"
    IS_NOT = "is_not"
    STARTS_WITH = "starts_with"
    CONTAINS = "contains"
    ABOVE = "above"
    BELOW = "below"
    PRESENT = "present"


def to_filter(path: str, operator: Operator, value: str) -> Mapping[str, str]:
    """Return the filter that keeps events whose field at `path` (dotted) compares so with `value`.

    A value that reads as a number, true or false matches both that and the text of it. `above` and
    `below` compare numbers. Raises ValueError where the value is not a number there.
    """
    field = ".".join(_name(part) for part in path.replace("[]", "").split(".") if part)
    return {"jmespath": _expression(field, operator, value.strip())}


def _name(part: str) -> str:
    return part if _PLAIN.match(part) else json.dumps(part)


def _expression(field: str, operator: Operator, value: str) -> str:  # noqa: PLR0911 - one a word
    text = _text(value)
    match operator:
        case Operator.IS:
            return _equal(field, value)
        case Operator.IS_NOT:
            return f"!({_equal(field, value)})"
        case Operator.STARTS_WITH:
            return f"type({field}) == 'string' && starts_with({field}, {text})"
        case Operator.CONTAINS:
            return f"type({field}) == 'string' && contains({field}, {text})"
        case Operator.ABOVE:
            return f"{field} > `{float(value):g}`"
        case Operator.BELOW:
            return f"{field} < `{float(value):g}`"
        case Operator.PRESENT:
            return f"{field} != null"


def _equal(field: str, value: str) -> str:
    as_text = f"{field} == {_text(value)}"
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return as_text
    if isinstance(parsed, bool | int | float):
        return f"{as_text} || {field} == `{json.dumps(parsed)}`"
    return as_text


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
