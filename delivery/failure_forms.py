"""Forms of the support desk: they parse; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import User
from delivery.models import FailureGroup
from governance import access
from governance.actions import Action


class NoteForm(forms.Form):
    """What someone found out."""

    text = forms.CharField(
        label=_("Note"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What you find out here helps the next person."),
    )


class ResolveForm(forms.Form):
    """What was done about it."""

    how = forms.CharField(
        label=_("What was done"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Offered to whoever meets this failure next."),
    )


class IgnoreForm(forms.Form):
    """Until when nobody needs to look at it, and why."""

    days = forms.IntegerField(label=_("For how many days"), min_value=1, max_value=90, initial=7)
    reason = forms.CharField(label=_("Reason"))


class AssignForm(forms.Form):
    """Whose name stands on it."""

    to = forms.ModelChoiceField(
        queryset=User.objects.none(),
        to_field_name="username",
        label=_("Give it to"),
        empty_label=_("Choose one"),
    )

    def __init__(self, *args: Any, group: FailureGroup, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = access.people_who_can(Action.FAILURE_HANDLE, group)
        self.fields["to"].queryset = people.order_by("name")  # type: ignore[attr-defined]


class ReopenForm(forms.Form):
    """Why it needs someone again."""

    reason = forms.CharField(label=_("Reason"), required=False)


class ReplayForm(forms.Form):
    """Why, and how fast."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept in the ledger with your name."),
    )
    rate = forms.IntegerField(
        label=_("At most per second"), required=False, min_value=1, max_value=1000
    )
    one_first = forms.BooleanField(
        label=_("Send one first, go on only when it has arrived"), required=False
    )
