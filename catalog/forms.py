"""Forms of the catalog's pages: they parse; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import Application, Region, Team, User
from catalog.words import ApplicationKind, Environment
from governance import access
from governance.actions import Action


class ApplicationForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Register a system, or change what is said of it."""

    class Meta:
        model = Application
        fields = ["name", "kind", "team", "region", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "name": _("As your team calls it, such as Order sheet."),
            "team": _("It owns the application, and is told when something fails."),
            "region": _("Where it runs; some events may not leave their region."),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = access.restrict(Team.objects.all(), user, Action.APPLICATION_REGISTER)
        self.fields["team"] = forms.ModelChoiceField(
            queryset=teams,
            label=_("Team"),
            help_text=_("It owns the application, and is told when something fails."),
            empty_label=None if teams.count() == 1 else _("Choose a team"),
        )
        kinds = [("", _("Choose one")), *ApplicationKind.choices]
        self.fields["kind"].choices = kinds  # type: ignore[attr-defined]
        self.fields["region"] = forms.ModelChoiceField(
            queryset=Region.objects.all(),
            label=_("Region"),
            help_text=_("Where it runs; some events may not leave their region."),
            empty_label=None if Region.objects.count() == 1 else _("Choose a region"),
        )


class KeyForm(forms.Form):
    """Make an API key."""

    environment = forms.ChoiceField(label=_("Environment"), choices=Environment.choices)
    once = forms.UUIDField(widget=forms.HiddenInput)
    label = forms.CharField(
        label=_("Label"),
        max_length=80,
        required=False,
        help_text=_("Where this key is used, so that you know which one to revoke."),
    )


class DeployForm(forms.Form):
    """What went live, and where."""

    what = forms.CharField(
        label=_("What was deployed"),
        max_length=120,
        help_text=_("A version, a commit, a sentence. From a pipeline: POST …/deploys."),
    )
    environment = forms.ChoiceField(
        label=_("Environment"), choices=Environment.choices, initial=Environment.PRODUCTION
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=400)
