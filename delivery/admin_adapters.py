"""Inbound addresses in the Django admin."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import Deed, GuardedAdmin, ReasonForm, guarded
from delivery import adapters
from delivery.models import Adapter
from governance.actions import Action


@guarded(Adapter)
class AdapterAdmin(GuardedAdmin):
    """Inbound addresses: switched off here, changed in the portal; secrets stay sealed."""

    view_action = Action.ADAPTER_VIEW
    hidden = ("sealed", "sealed_before")
    list_display = ("slug", "name", "application", "event_type", "environment", "is_active")
    list_filter = ("is_active", "environment", "secret_kind")
    list_select_related = ("application", "event_type")
    search_fields = ("slug", "name", "application__name", "event_type__name")
    date_hierarchy = "created_at"
    deeds = (
        Deed(
            name="deactivate",
            label=_("Switch off"),
            needs=Action.ADAPTER_CHANGE,
            each=adapters.deactivate,
            form=ReasonForm,
            when=lambda row: row.is_active,
        ),
    )
