"""Applications in the Django admin, and what their keys begin with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from catalog.guarded_admin import GuardedAdmin, GuardedInline, guarded, only
from catalog.models import Application, User
from governance import applications
from governance.actions import Action
from governance.models import ApiKey


class KeyInline(GuardedInline):
    """The keys of an application, by what they begin with."""

    model = ApiKey
    view_action = Action.KEY_VIEW
    shown = ("prefix", "environment", "label", "expires_at", "revoked_at", "last_used_at")


@guarded(Application)
class ApplicationAdmin(GuardedAdmin):
    """Applications; registering one makes its service account."""

    view_action = Action.APPLICATION_VIEW
    add_action = Action.APPLICATION_REGISTER
    change_action = Action.APPLICATION_CHANGE
    fields_to_add = ("name", "kind", "team", "region", "description")
    fields_to_change = (*fields_to_add, "is_active")
    shown = ("slug", *fields_to_change, "service_account", "created_at")
    list_display = ("name", "kind", "team", "region", "is_active", "created_at")
    list_filter = ("kind", "is_active", "region", "team")
    list_select_related = ("team", "region")
    search_fields = ("name", "slug", "description", "team__name")
    autocomplete_fields = ("team", "region")
    inlines = (KeyInline,)

    def write(
        self,
        obj: Application | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> Application:
        if obj is None:
            return applications.register(by=by, now=now, **values)
        return applications.change(obj, by=by, now=now, **only(values, changed))

    def portal_url(self, obj: Application) -> str:
        return reverse("catalog:application-detail", args=[obj.slug])
