"""JSON bodies within bounds: nothing may come in that the database or a walk could not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

MAX_BYTES = 1024 * 1024  # the edge's ceiling for one request (design, section 4)
MAX_DEPTH = 64
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class TooLarge(APIException):
    """The body is too large: send less at once."""

    status_code = 413
    default_code = "too-large"
    default_detail = _("The request is too large.")


class BoundedJSON(JSONParser):
    """Reads at most 1 MiB of JSON, 64 levels deep, without NUL and unpaired surrogates."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body; raises `TooLarge` and ParseError."""
        del media_type, parser_context
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise TooLarge
        try:
            text = raw.decode("utf-8-sig")
            value = json.loads(text, parse_constant=_refuse)
            if "\\ud" in text.lower():
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ParseError(_("This is not JSON: %s") % error) from error
        if _NUL.search(text):
            raise ParseError(_("A text may not hold the character NUL."))
        if _is_deeper(value, MAX_DEPTH):
            raise ParseError(_("This is nested deeper than %s levels.") % MAX_DEPTH)
        return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _is_deeper(value: object, levels: int) -> bool:
    level = [value]
    for _level in range(levels + 1):
        held = [one for one in level if isinstance(one, dict | list)]
        if not held:
            return False
        level = [
            child for one in held for child in (one.values() if isinstance(one, dict) else one)
        ]
    return True
