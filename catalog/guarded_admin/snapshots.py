"""Registering an admin class, with one for the historical rows of its model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog import history
from catalog.guarded_admin.big_tables import LogAdmin
from catalog.guarded_admin.classes import GuardedAdmin, answer
from catalog.models import User
from governance import access

A = TypeVar("A", bound="GuardedAdmin")
NAMES = ("number", "username", "name", "title", "version", "url", "prefix", "code")


class SnapshotAdmin(LogAdmin):
    """The historical rows of one model; the database refuses to change them."""

    tracked: ClassVar[type[models.Model]]
    list_display = ("what", "history_date", "history_type", "who", "why")
    list_filter = ("history_type",)
    search_fields = ("history_user_name", "history_change_reason")
    list_display_links = ("what",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        seen = access.restrict(
            self.tracked._default_manager.all(), cast(User, request.user), self.view_action
        )
        rows: QuerySet[Any] = admin.ModelAdmin.get_queryset(self, request)
        return rows.filter(**{f"{self.tracked._meta.pk.attname}__in": seen.values("pk")})

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return answer(request, self.view_action, None)

    @admin.display(description=_("thing"))
    def what(self, row: Any) -> str:
        # No `str(row.instance)`: it may follow relations, with a query for each row.
        own = {field.name for field in row._meta.fields if not field.is_relation}
        found = next((getattr(row, one) for one in NAMES if one in own), "")
        return str(found or getattr(row, self.tracked._meta.pk.attname))

    @admin.display(description=_("by"))
    def who(self, row: Any) -> str:
        return row.history_user_name or "Signalbox"

    @admin.display(description=_("reason"))
    def why(self, row: Any) -> str:
        return (row.history_change_reason or "")[:120]


def guarded(model: type[models.Model]) -> Callable[[type[A]], type[A]]:
    """Register an admin class for the model, and one for its history where it has one."""

    def register(made: type[A]) -> type[A]:
        admin.site.register(model, made)
        if history.is_tracked(model):
            rows = model.history.model  # type: ignore[attr-defined]  # `is_tracked` says so
            of_rows = {
                "tracked": model,
                "view_action": made.view_action,
                "hidden": made.hidden,
                "__module__": made.__module__,
            }
            admin.site.register(rows, type(f"{rows.__name__}Admin", (SnapshotAdmin,), of_rows))
        return made

    return register
