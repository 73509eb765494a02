"""Forms of the pages of events: they parse; `searching` and the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from delivery.searching import Wish
from delivery.states import DeliveryStatus

_BY_BROWSER = {"type": "datetime-local"}


class EventSearchForm(forms.Form):
    """What someone remembers of an event; every field may be empty."""

    q = forms.CharField(label=_("Id, subject, correlation or trace"), required=False)
    value = forms.CharField(
        label=_("A value in the data"), required=False, max_length=200, strip=True
    )
    type = forms.CharField(label=_("Event type"), required=False)
    source = forms.CharField(label=_("Source"), required=False)
    application = forms.CharField(label=_("Published by"), required=False)
    subscription = forms.IntegerField(
        label=_("Number of the subscription"), required=False, min_value=1
    )
    status = forms.ChoiceField(
        label=_("Deliveries"),
        required=False,
        choices=[("", _("Any")), *DeliveryStatus.choices],
    )
    since = forms.DateTimeField(
        label=_("From"),
        required=False,
        widget=forms.DateTimeInput(attrs=_BY_BROWSER, format="%Y-%m-%dT%H:%M"),
    )
    until = forms.DateTimeField(
        label=_("To"),
        required=False,
        widget=forms.DateTimeInput(attrs=_BY_BROWSER, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"

    def wish(self) -> Wish:
        """Return what was asked for, as far as it can be read."""
        data: dict[str, Any] = getattr(self, "cleaned_data", {})
        return Wish(
            words=data.get("q") or "",
            value=data.get("value") or "",
            type=data.get("type") or "",
            source=data.get("source") or "",
            application=data.get("application") or "",
            status=data.get("status") or "",
            subscription=data.get("subscription"),
            since=data.get("since"),
            until=data.get("until"),
        )


class ExpungeForm(forms.Form):
    """Why an event's data must go."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=2_000,
        required=False,  # asked for by the verb
        widget=forms.Textarea(attrs={"rows": 3, "aria-required": "true"}),
        help_text=_("Shown with your name wherever the data was. Do not repeat the data here."),
    )


class DiscardForm(forms.Form):
    """Why a delivery is not needed."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Kept in the ledger with your name.")
    )
