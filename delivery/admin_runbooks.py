"""Runbooks in the Django admin: read there, written in the portal."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import Deed, GuardedAdmin, ReasonForm, guarded
from delivery import runbooks
from delivery.models import Runbook
from governance.actions import Action


@guarded(Runbook)
class RunbookAdmin(GuardedAdmin):
    """Runbooks with what they are bound to; taken out of use and put back here too."""

    view_action = Action.RUNBOOK_VIEW
    list_display = ("title", "error_class", "status_code", "topic", "subscription", "is_active")
    list_filter = ("is_active", "error_class")
    list_select_related = ("topic", "subscription")
    search_fields = ("title", "text", "topic__name", "subscription__name")
    date_hierarchy = "changed_at"
    deeds = (
        Deed(
            name="retire",
            label=_("Take out of use"),
            needs=Action.RUNBOOK_CHANGE,
            each=runbooks.retire,
            form=ReasonForm,
            when=lambda row: row.is_active,
        ),
        Deed(
            name="restore",
            label=_("Use again"),
            needs=Action.RUNBOOK_CHANGE,
            each=runbooks.restore,
            form=ReasonForm,
            when=lambda row: not row.is_active,
        ),
    )
