"""The form that mends an event: it parses; `corrections` decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from delivery.corrections import Audience, Draft
from governance.forms import ReasonField

AUDIENCES = [
    (Audience.MISSING, _("Only those that have not got the event")),
    (Audience.ALL, _("Everyone who would get a new event, also those that have the old one")),
]


class CorrectionForm(forms.Form):
    """The data and the attributes of an event, to be mended, and why."""

    document = forms.CharField(
        label=_("Data"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 18, "class": "mono", "spellcheck": "false", "aria-required": "true"}
        ),
        help_text=_("JSON. Leave dots (•••) as they are: they stand for values hidden from you."),
    )
    subject = forms.CharField(label=_("Subject"), required=False)
    version = forms.ChoiceField(
        label=_("Contract"),
        required=False,
        widget=forms.Select(attrs={"aria-required": "true"}),
        help_text=_("The version that the mended data is held against."),
    )
    audience = forms.ChoiceField(
        label=_("Who gets it"),
        choices=AUDIENCES,
        initial=Audience.MISSING,
        required=False,
        widget=forms.Select(attrs={"aria-required": "true"}),
    )
    reason = ReasonField()

    def __init__(self, *args: Any, versions: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["version"])
        field.choices = [*versions.items()] or [("", _("the newest one"))]

    def draft(self) -> Draft:
        """Return what is to be published; of a form that is valid."""
        given = self.cleaned_data
        return Draft(
            text=given["document"],
            subject=given["subject"],
            version=given["version"],
            audience=Audience(given["audience"] or Audience.MISSING),
        )
