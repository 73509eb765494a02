"""The one way a state changes: a single conditional UPDATE, so that of two rivals one wins."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _

from catalog import history

M = TypeVar("M", bound=models.Model)


class IllegalMove(Exception):
    """Too late for this, or not possible from here: reload to see what happened meanwhile."""

    def __init__(self, message: str, *, current: str | None) -> None:
        super().__init__(message)
        self.current = current


class Movable(models.QuerySet[M]):
    """Query words of a model with a state; set `state_field` and `moves` on the model.

    `moves` maps each source state to the states that may follow it.
    """

    def move(self, pk: UUID, source: str | Collection[str], target: str, **facts: Any) -> M:
        """Change the state of one row from `source` to `target` and set `facts`; return the row.

        One UPDATE … WHERE state IN source. Raises `IllegalMove` when no row was in `source`, or
        when the model's table of moves does not know the step. Writes the snapshot itself, since
        an UPDATE is invisible to the history library.
        """
        sources = [source] if isinstance(source, str) else list(source)
        name = getattr(self.model, "state_field", "state")
        allowed: Mapping[str, Collection[str]] = getattr(self.model, "moves")  # noqa: B009
        for one in sources:
            if target not in allowed.get(one, ()):
                raise IllegalMove(f"{one} → {target} is not a move of this thing.", current=one)
        matching = self.filter(pk=pk, **{f"{name}__in": sources})
        if not matching.update(**{name: target}, **facts):
            current = self.filter(pk=pk).values_list(name, flat=True).first()
            raise IllegalMove(_too_late(current, target), current=current)
        row = self.get(pk=pk)
        if history.is_tracked(self.model):
            history.snapshot(row)
        return row


def _too_late(current: str | None, target: str) -> str:
    """Say in words how it is by now, and that the second of two rivals changed nothing."""
    if current is None:
        return _("This is gone.")
    is_now, wanted = current.replace("_", " "), target.replace("_", " ")
    if current == target:
        return _("This is %(state)s already.") % {"state": is_now}
    return _("This is %(state)s now; it can no longer become %(wanted)s.") % {
        "state": is_now,
        "wanted": wanted,
    }
