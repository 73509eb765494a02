"""Numbers that a run uses once."""

from __future__ import annotations

import itertools

_numbers = itertools.count(1)


def number() -> int:
    """Return a number that this run has not used yet."""
    return next(_numbers)
