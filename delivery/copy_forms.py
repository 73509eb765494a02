"""The form that copies an event to staging: it parses; `copies` decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import Topic, User
from catalog.words import Environment
from delivery.copies import Wish
from delivery.models import Subscription
from delivery.replay_forms import Subscriptions
from governance import access
from governance.actions import Action
from governance.forms import ReasonField


class CopyForm(forms.Form):
    """Under which contract, to whom, and why."""

    version = forms.ChoiceField(
        label=_("Contract"),
        required=False,
        help_text=_("The version in staging that the copy is held against."),
    )
    to = Subscriptions(
        queryset=Subscription.objects.none(),
        to_field_name="number",
        label=_("Who gets it"),
        required=False,
        empty_label=_("Everyone in staging who would get a new event"),
    )
    reason = ReasonField()

    def __init__(
        self, *args: Any, versions: Mapping[str, str], topic: Topic, user: User, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ChoiceField, self.fields["version"])
        field.choices = [*versions.items()] or [("", _("its own"))]
        there = Subscription.objects.standing().filter(topic=topic, environment=Environment.STAGING)
        mine = access.restrict(there, user, Action.SUBSCRIPTION_TEST)
        target = cast("forms.ModelChoiceField[Subscription]", self.fields["to"])
        target.queryset = mine.select_related("application", "topic").order_by("name")

    def wish(self) -> Wish:
        """Return what is wanted; of a form that is valid."""
        given = self.cleaned_data
        return Wish(version=given["version"], to=given["to"])
