"""Conversions between versions in the Django admin: read only, they come with their requests."""

from __future__ import annotations

from catalog.guarded_admin import GuardedAdmin, guarded
from delivery.models import Translation
from governance.actions import Action


@guarded(Translation)
class TranslationAdmin(GuardedAdmin):
    """Conversions in force; each earlier one stands in the history."""

    view_action = Action.EVENT_TYPE_VIEW
    list_display = ("event_type", "from_major", "to_major", "change_request", "since")
    list_select_related = ("event_type", "change_request")
    search_fields = ("event_type__name", "event_type__title")
    date_hierarchy = "since"
