"""Row snapshots of what people change, and who is changing it right now.

django-simple-history writes the rows. Here they learn to name the actor without a foreign key (a
person's name must outlive every table), to carry the reason, and to fail closed: a tracked row
that is saved outside a governed transaction is refused, because no ledger entry would name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.ids import uuid7

if TYPE_CHECKING:
    from catalog.models import User


class NotGoverned(RuntimeError):
    """Change tracked things inside `governance.governed.governed(…)`, so that the ledger has it."""


@dataclass(kw_only=True)
class Acting:
    """Who changes things in this transaction, why, and the snapshots taken so far."""

    actor: User | None
    reason: str
    at: datetime
    snapshots: list[models.Model] = field(default_factory=list)


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def acting() -> Acting | None:
    """Return who is changing things now; None outside a governed transaction."""
    return _acting.get()


@contextmanager
def act(who: Acting) -> Iterator[Acting]:
    """Make `who` the author of every snapshot that is taken inside."""
    token = _acting.set(who)
    try:
        yield who
    finally:
        _acting.reset(token)


class Snapshot(models.Model):
    """What every historical row has beside the copied fields."""

    history_user_name = models.CharField(max_length=200, default="", editable=False)

    class Meta:
        abstract = True


def _get_user(row: Any) -> User | None:
    from catalog.models import User  # noqa: PLC0415 - models import this module

    return User.objects.filter(pk=row.history_user_id).first()


def _set_user(row: Any, user: User | None) -> None:
    if user is not None:
        row.history_user_id = user.pk
        row.history_user_name = user.display_name


class History(HistoricalRecords):  # type: ignore[misc]  # the library has no types
    """`history = History()` on a model: snapshots by whoever is acting, with the reason."""

    def __init__(self, *, excluded_fields: list[str] | None = None) -> None:
        super().__init__(
            bases=[Snapshot],
            history_id_field=models.UUIDField(default=uuid7, editable=False),
            history_change_reason_field=models.TextField(null=True),
            history_user_id_field=models.UUIDField(null=True),
            history_user_getter=_get_user,
            history_user_setter=_set_user,
            excluded_fields=excluded_fields or [],
        )

    def contribute_to_class(self, cls: type[models.Model], name: str) -> None:
        super().contribute_to_class(cls, name)
        cls._snapshots = self  # type: ignore[attr-defined]  # read by `snapshot`

    def post_save(
        self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any
    ) -> None:
        fields = kwargs.get("update_fields")
        if fields and not created and set(fields) <= set(self.excluded_fields):
            return
        super().post_save(instance, created, using=using, **kwargs)

    def get_history_user(self, instance: models.Model) -> User | None:
        who = acting()
        return who.actor if who else None

    def get_change_reason_for_object(
        self, instance: models.Model, history_type: str, using: str | None
    ) -> str | None:
        who = acting()
        return who.reason if who else None

    def create_historical_record(
        self, instance: models.Model, history_type: str, using: str | None = None
    ) -> None:
        who = acting()
        if who is None:
            raise NotGoverned(
                f"{instance._meta.label} is tracked: change it inside governed(…), "
                "so that the ledger has it."
            )
        instance._history_date = who.at  # type: ignore[attr-defined]  # the library reads it
        super().create_historical_record(instance, history_type, using=using)


def snapshot(instance: models.Model) -> None:
    """Write the historical row of a tracked instance that an UPDATE statement changed."""
    instance._snapshots.create_historical_record(instance, "~")  # type: ignore[attr-defined]


def is_tracked(model: type[models.Model]) -> bool:
    """Tell whether the model's changes leave snapshots."""
    return hasattr(model, "_snapshots")
