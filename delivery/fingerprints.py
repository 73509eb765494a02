"""What makes two failures one: the same subscription, kind, status and cause, in other words.

The cause is what the receiver said, without what differs from one event to the next: identifiers,
numbers, instants, quoted values.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

import orjson

MAX_CAUSE_CHARACTERS = 300

# Where builders and frameworks put their sentence, the most telling first.
_SENTENCES = ("detail", "message", "error_description", "error", "title", "reason", "hint")
_TAGS = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_CHANGING = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (
        re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"),
        "<time>",
    ),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{10,}\b"), "<id>"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "<n>"),
)


def cause(message: str, excerpt: str = "") -> str:
    """Return in at most 300 characters what the receiver said, else what we say."""
    said = _sentence(excerpt)
    text = f"{message} {said}" if said else message
    return _SPACE.sub(" ", text).strip()[:MAX_CAUSE_CHARACTERS]


def normalized(text: str) -> str:
    """Return the text without what differs from one event to the next."""
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text.lower()


def fingerprint(subscription_id: UUID, error_class: str, status: int | None, cause: str) -> str:
    """Return SHA-256 (hex) over what makes a failure group."""
    parts = (str(subscription_id), error_class, str(status or ""), normalized(cause))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _sentence(excerpt: str) -> str:
    """Return the sentence inside an answer's body: a member of its JSON, or its text."""
    text = excerpt.strip()
    if text.startswith(("{", "[")):
        try:
            return _from_json(orjson.loads(text), levels=3) or text
        except orjson.JSONDecodeError:
            return text
    return _TAGS.sub(" ", text) if "<" in text else text


def _from_json(value: object, *, levels: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        return _from_json(value[0], levels=levels - 1) if levels else ""
    if not isinstance(value, Mapping) or not levels:
        return ""
    for name in _SENTENCES:
        found = _from_json(value.get(name), levels=levels - 1)
        if found:
            return found
    return ""
