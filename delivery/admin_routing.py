"""Routing rules and what they decided in the Django admin: only read, a change request writes."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import BigTableAdmin, GuardedAdmin, guarded
from delivery import rule_words
from delivery.models import RoutingDecision, RoutingRule
from governance.actions import Action


@guarded(RoutingRule)
class RoutingRuleAdmin(GuardedAdmin):
    """The rules in the order in which they are asked, in plain words."""

    view_action = Action.ROUTING_RULE_VIEW
    list_display = ("number", "name", "topic", "environment", "position", "action", "is_active")
    list_display_links = ("number", "name")
    list_filter = ("is_active", "environment", "action")
    list_select_related = (
        "topic",
        "concerns_application",
        "concerns_subscription__application",
        "to_application",
        "to_subscription__application",
        "change_request",
    )
    search_fields = ("name", "topic__name")
    date_hierarchy = "changed_at"

    def columns(self) -> list[str]:
        return ["in_words", *super().columns()]

    @admin.display(description=_("in words"))
    def in_words(self, rule: RoutingRule) -> str:
        return rule_words.sentence(rule)


@guarded(RoutingDecision)
class RoutingDecisionAdmin(BigTableAdmin):
    """What rules decided, event by event."""

    view_action = Action.DELIVERY_VIEW
    list_display = ("event", "subscription", "rule", "rule_version", "effect")
    list_display_links = ("event",)
    list_select_related = ("event", "subscription", "rule")
    found_by = ("id", "event_id")
    search_help_text = _("Our id of the event, whole.")
