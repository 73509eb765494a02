"""Forms of the support desk: they parse; the verbs decide."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


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
