"""Forms of governance's pages: they parse; the verbs decide."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Application, Topic, User
from catalog.words import Environment
from governance import access, grants
from governance.actions import Action
from governance.states import Verb


def end_of_day(day: Any) -> datetime | None:
    """Return the last moment of a date in the viewer's zone; None for none."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day, time(23, 59, 59)))


class DayField(forms.DateField):
    """A date that must lie ahead, by the browser's own picker."""

    widget = forms.DateInput(attrs={"type": "date"})

    def clean(self, value: Any) -> Any:
        """Return the date. Raises ValidationError for a day that is over, or absurdly far."""
        day = super().clean(value)
        if day is not None and day < timezone.localdate():
            raise ValidationError(_("This day is over. Choose a later one."))
        if day is not None and day > timezone.localdate() + grants.LONGEST:
            raise ValidationError(_("Choose a day within 50 years, or leave this empty."))
        return day


class WantedForm(forms.Form):
    """Who may do what with which topic, where, why and until when."""

    application = forms.ModelChoiceField(
        queryset=Application.objects.none(), label=_("Application"), empty_label=_("Choose one")
    )
    topic = forms.ModelChoiceField(
        queryset=Topic.objects.none(), label=_("Topic"), empty_label=_("Choose one")
    )
    verb = forms.ChoiceField(label=_("May"), choices=Verb.choices, initial=Verb.SUBSCRIBE)
    environment = forms.ChoiceField(label=_("Environment"), choices=Environment.choices)
    until = DayField(label=_("Until"), required=False, help_text=_("Empty means without an end."))
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it is for. Kept in the ledger."),
    )

    def __init__(self, *args: Any, user: User, action: Action, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        applications = access.restrict(Application.objects.active(), user, action)
        topics = access.restrict(Topic.objects.all(), user, Action.TOPIC_VIEW)
        self.fields["application"].queryset = applications  # type: ignore[attr-defined]
        self.fields["topic"].queryset = topics  # type: ignore[attr-defined]


class DecisionForm(forms.Form):
    """Say yes or no to an access request."""

    until = DayField(label=_("Until"), required=False, help_text=_("Empty means without an end."))
    note = forms.CharField(
        label=_("Note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Shown to who asked, and kept in the ledger. A refusal needs one."),
    )


class ReasonField(forms.CharField):
    """Why, for the ledger: the verb refuses to do without, so that a preview needs none."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Reason"),
            widget=forms.Textarea(attrs={"rows": 2}),
            help_text=_("Kept in the ledger with your name."),
        )

    def validate(self, value: object) -> None:
        """Let an empty one pass."""


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept in the ledger with your name."),
    )
