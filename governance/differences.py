"""The values of a change as the ledger keeps them."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models


def plain(value: object) -> object:
    """Return a field's value as the ledger keeps it: things by their key."""
    return value.pk if isinstance(value, models.Model) else value


def take(
    thing: models.Model, values: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """Set `values` on the thing; return what changed, before and after, for the ledger."""
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    for name, value in values.items():
        old = getattr(thing, name)
        if old != value:
            before[name], after[name] = plain(old), plain(value)
            setattr(thing, name, value)
    return before, after
