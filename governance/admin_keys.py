"""API keys in the Django admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import Deed, GuardedAdmin, ReasonForm, guarded
from governance import keys
from governance.actions import Action
from governance.models import ApiKey


@guarded(ApiKey)
class ApiKeyAdmin(GuardedAdmin):
    """Keys by what they begin with; a new one is made, and shown once, in the portal."""

    view_action = Action.KEY_VIEW
    hidden = ("digest",)
    list_display = (
        "prefix",
        "application",
        "environment",
        "label",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("environment", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("application",)
    search_fields = ("prefix", "label", "application__name")
    date_hierarchy = "created_at"
    deeds = (
        Deed(
            name="revoke",
            label=_("Revoke"),
            needs=Action.KEY_REVOKE,
            each=keys.revoke,
            form=ReasonForm,
            when=lambda key: key.revoked_at is None,
        ),
    )

    def portal_url(self, obj: ApiKey) -> str:
        return reverse("catalog:application-detail", args=[obj.application.slug])
