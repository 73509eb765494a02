"""Which headers an endpoint may add to its requests."""

from __future__ import annotations

import re

MAX_HEADERS = 32
MAX_VALUE_CHARACTERS = 4_096

# The client's own, and what would change how the message is framed.
OWN = frozenset(
    (
        *("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    )
)
# What says which event this is, who signed it and how to read it is never an endpoint's to set.
_OURS = frozenset(("content-type", "content-encoding", "traceparent", "tracestate"))
_OUR_PREFIXES = ("ce-", "webhook-")

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token of RFC 9110, section 5.6.2


def is_sendable(name: str) -> bool:
    """Say whether the client can send a header of this name."""
    return _NAME.fullmatch(name) is not None and name.lower() not in OWN


def fault(name: str, value: str) -> str | None:
    """Return why an endpoint cannot have this header, `None` if it can."""
    lowered = name.lower()
    if not _NAME.fullmatch(name):
        return f"“{name}” is not the name of a header."
    if lowered in OWN or lowered in _OURS or lowered.startswith(_OUR_PREFIXES):
        return f"The header {name} is set by Signalbox."
    if len(value) > MAX_VALUE_CHARACTERS:
        return f"The header {name} is longer than {MAX_VALUE_CHARACTERS} characters."
    if not value.isprintable() or value != value.strip():
        return f"The header {name} contains a line break, or white space at an end."
    return None
