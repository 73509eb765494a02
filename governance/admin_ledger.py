"""The ledger, and what was refused, in the Django admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import GuardedAdmin, LogAdmin, guarded, pretty
from governance.actions import Action
from governance.models import LedgerEntry, LedgerHead, Refusal


@guarded(LedgerEntry)
class LedgerEntryAdmin(LogAdmin):
    """The ledger, as the database keeps it: it can only be read."""

    view_action = Action.LEDGER_VIEW
    shown = (
        "number",
        "at",
        "actor_name",
        "action",
        "subject_type",
        "subject_label",
        "reason",
        "values_before",
        "values_after",
        "previous_hash",
        "hash",
    )
    list_display = ("number", "at", "actor_name", "action", "subject_label", "reason")
    list_filter = ("action", "subject_type")
    search_fields = ("number__exact", "actor_name", "subject_label", "reason")

    @admin.display(description=_("before"))
    def values_before(self, row: LedgerEntry) -> str:
        return pretty(row.before)

    @admin.display(description=_("after"))
    def values_after(self, row: LedgerEntry) -> str:
        return pretty(row.after)

    def portal_url(self, obj: LedgerEntry) -> str:
        return reverse("governance:ledger-entry", args=[obj.number])


@guarded(LedgerHead)
class LedgerHeadAdmin(GuardedAdmin):
    """The last link of the chain."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("number", "hash")


@guarded(Refusal)
class RefusalAdmin(LogAdmin):
    """What people and applications were refused."""

    view_action = Action.ROLE_CHANGE
    list_display = ("minute", "who_name", "action", "subject", "count")
    list_display_links = ("minute", "who_name")
    list_filter = ("action",)
    search_fields = ("who_name", "subject", "action")
