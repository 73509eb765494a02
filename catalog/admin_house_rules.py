"""What the house's rules weigh, in the Django admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from catalog.guarded_admin import GuardedAdmin, guarded
from catalog.models import RuleWeight, User
from governance import house_rules
from governance.actions import Action


@guarded(RuleWeight)
class RuleWeightAdmin(GuardedAdmin):
    """The weights that somebody has set; every rule with its weight is on the portal's page."""

    view_action = Action.TOPIC_VIEW
    change_action = Action.HOUSE_RULE_CHANGE
    fields_to_change = ("weight",)
    shown = ("rule", "weight")
    list_display = ("rule", "weight")
    list_filter = ("weight",)
    search_fields = ("rule",)

    def write(
        self,
        obj: RuleWeight | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> RuleWeight:
        assert obj is not None  # noqa: S101 - tells the type check: nothing is added here
        house_rules.weigh({obj.rule: values["weight"]}, by=by, now=now)
        obj.refresh_from_db()
        return obj

    def portal_url(self, obj: RuleWeight) -> str:
        return reverse("governance:house-rules")
