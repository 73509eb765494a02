"""What the house's rules weigh in the whole portal, and which topics have weights of their own."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.house_rules import HouseRule, Weight
from catalog.models import RuleWeight, Topic
from catalog.requests import PortalRequest
from governance import access, house_rules
from governance.actions import Action
from governance.models import LedgerEntry

SHOWN_CHANGES = 10


class WeightsForm(forms.Form):
    """A weight for every rule, and why."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for told in house_rules.listed(house_rules.portal_policy()):
            self.fields[told.rule.value] = forms.ChoiceField(
                label=told.label,
                choices=Weight.choices,
                initial=told.weight,
                help_text=_("Signalbox comes with: %s") % told.shipped.label,
            )
        self.fields["reason"] = forms.CharField(
            label=gettext_lazy("Reason"),
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=gettext_lazy("Kept in the ledger with your name."),
        )

    def weights(self) -> dict[str, str]:
        """Return what was chosen, by rule."""
        return {rule: self.cleaned_data[rule] for rule in HouseRule.values}


@login_required
def house_rules_page(request: PortalRequest) -> HttpResponse:
    """Say what each rule weighs and where a topic has it otherwise; admins set it."""
    may_change = access.allows(request.user, Action.HOUSE_RULE_CHANGE)
    form = WeightsForm(request.POST or None)
    if request.method == "POST":
        access.require(request.user, Action.HOUSE_RULE_CHANGE)
        if form.is_valid():
            reason, now = form.cleaned_data["reason"], timezone.now()
            house_rules.weigh(form.weights(), by=request.user, reason=reason, now=now)
            messages.success(request, _("The rules weigh that from now on."))
            return redirect("governance:house-rules")
    seen = access.restrict(Topic.objects.all(), request.user, Action.TOPIC_VIEW)
    topics = list(seen.exclude(house_rules={}).order_by("title"))
    own = Counter(rule for topic in topics for rule in topic.house_rules)
    context = {
        "rules": [(one, own[one.rule]) for one in house_rules.listed(house_rules.portal_policy())],
        "topics": topics,
        "form": form if may_change else None,
        "entries": list(_changes(request)),
    }
    return render(request, "governance/house_rules.html", context)


def _changes(request: PortalRequest) -> QuerySet[LedgerEntry]:
    about = LedgerEntry.objects.filter(subject_type=RuleWeight._meta.label_lower)
    seen = access.restrict(about, request.user, Action.LEDGER_VIEW)
    return seen.order_by("-number")[:SHOWN_CHANGES]
