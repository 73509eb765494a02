"""Make a text that a pattern matches, for examples."""

from __future__ import annotations

import re
from typing import Any

_LETTERS = "A7a0b1-_ ."


def matching_text(pattern: str, *, at_least: int = 0) -> str:
    """Return a short text that the pattern is found in, and "text" where none can be made.

    Understands what Python's own reader does; look-around and back-references are passed over, so
    that the text may then not match.
    """
    library: Any = re  # its reader has no public name, and it is the only one there is
    try:
        parsed = library._parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return "text"
    for repeat in (1, at_least, 2 * at_least):
        text = "".join(_piece(op, value, repeat) for op, value in parsed)
        if len(text) >= at_least:
            return text
    return text


def _piece(op: object, value: Any, repeat: int) -> str:  # noqa: PLR0911 - one a construct
    match str(op):
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return next(c for c in _LETTERS if ord(c) != value)
        case "ANY":
            return "a"
        case "IN":
            return _of_class(value)
        case "BRANCH":
            return "".join(_piece(o, v, repeat) for o, v in value[1][0])
        case "SUBPATTERN":
            return "".join(_piece(o, v, repeat) for o, v in value[3])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, inner = value
            times = min(max(int(low), min(repeat, 64)), int(high), 256)
            return times * "".join(_piece(o, v, 1) for o, v in inner)
    return ""


def _of_class(members: list[tuple[object, Any]]) -> str:
    is_negated = bool(members) and str(members[0][0]) == "NEGATE"
    if is_negated:
        return next((c for c in _LETTERS if not _is_in(c, members[1:])), "~")
    op, value = members[0]
    match str(op):
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return chr(value[0])
    return next((c for c in _LETTERS if _is_in(c, members)), "a")


def _is_in(char: str, members: Any) -> bool:
    tests = {
        "CATEGORY_DIGIT": char.isdigit(),
        "CATEGORY_NOT_DIGIT": not char.isdigit(),
        "CATEGORY_SPACE": char.isspace(),
        "CATEGORY_NOT_SPACE": not char.isspace(),
        "CATEGORY_WORD": char.isalnum() or char == "_",
        "CATEGORY_NOT_WORD": not (char.isalnum() or char == "_"),
    }
    for op, value in members:
        if str(op) == "LITERAL" and ord(char) == value:
            return True
        if str(op) == "RANGE" and value[0] <= ord(char) <= value[1]:
            return True
        if str(op) == "CATEGORY" and tests.get(str(value), False):
            return True
    return False
