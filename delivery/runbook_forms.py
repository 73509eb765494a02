"""The form of a runbook: it parses; `runbooks` decides."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import Topic, User
from delivery import runbook_steps
from delivery.diagnosis import kinds
from delivery.models import Runbook, Subscription
from delivery.runbooks import Content
from governance import access
from governance.actions import Action


class RunbookForm(forms.Form):
    """What to do, and about which failures."""

    title = forms.CharField(label=_("Title"), max_length=120)
    text = forms.CharField(
        label=_("Steps"),
        widget=forms.Textarea(attrs={"rows": 18, "class": "mono"}),
        help_text=_(
            "Markdown. Each ## heading is a step; a link such as [Send a test](do:test) becomes a "
            "button. There are: %(verbs)s."
        )
        % {"verbs": ", ".join(runbook_steps.Deed)},
    )
    error_class = forms.ChoiceField(  # type: ignore[assignment]  # a declared field, taken off
        label=_("Kind of failure"), required=False
    )
    status_code = forms.IntegerField(
        label=_("Answer"), required=False, help_text=_("A status such as 404; empty for all.")
    )
    topic = forms.ModelChoiceField(
        queryset=Topic.objects.none(),
        to_field_name="name",
        label=_("Topic"),
        required=False,
        empty_label=_("Every topic"),
    )
    subscription = forms.ModelChoiceField(
        queryset=Subscription.objects.none(),
        to_field_name="number",
        label=_("Subscription"),
        required=False,
        empty_label=_("Every subscription"),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        topics = access.restrict(Topic.objects.all(), user, Action.TOPIC_VIEW)
        standing = Subscription.objects.standing()
        seen = access.restrict(standing, user, Action.SUBSCRIPTION_VIEW)
        self.fields["topic"].queryset = topics.order_by("name")  # type: ignore[attr-defined]
        self.fields["subscription"].queryset = seen.order_by("name")  # type: ignore[attr-defined]
        self.fields["error_class"].choices = [  # type: ignore[attr-defined]
            ("", _("Every kind")),
            *kinds(),
        ]

    @staticmethod
    def initial_of(runbook: Runbook) -> dict[str, Any]:
        """Return what the form starts with."""
        return {
            "title": runbook.title,
            "text": runbook.text,
            "error_class": runbook.error_class,
            "status_code": runbook.status_code,
            "topic": runbook.topic.name if runbook.topic else None,
            "subscription": runbook.subscription.number if runbook.subscription else None,
            "version": runbook.version,
        }

    def content(self) -> Content:
        """Return what was written; of a form that is valid."""
        given = dict(self.cleaned_data)
        del given["version"]
        return Content(**given)
