"""The form of a routing rule: it parses; the proposal and the verbs decide."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.form_sections import Section
from catalog.models import Application, EventType, Region, Topic, User
from catalog.words import Environment
from delivery.models import Subscription
from delivery.states import RuleAction
from delivery.subscription_forms import ConditionFields
from governance import access
from governance.actions import Action
from governance.change_forms import ProposalForm

MOST_CHOICES = 500
Choices = list[tuple[Any, Any]]


class RuleForm(ConditionFields, ProposalForm):
    """A rule as it shall be; with `rule`, the number of the one that changes."""

    topic = forms.ModelChoiceField(
        queryset=Topic.objects.none(), label=_("Topic"), empty_label=_("Choose one")
    )
    rule = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput())
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("What it is for, as people say it.")
    )
    environment = forms.ChoiceField(label=_("Environment"), choices=Environment.choices)
    action = forms.ChoiceField(label=_("What it does"), choices=RuleAction.choices)
    sends_to = forms.ChoiceField(
        label=_("Where it sends the event"),
        required=False,
        help_text=_(
            "Only for rules that send, and only of this topic. Who gets it still needs a grant."
        ),
    )
    concerns = forms.ChoiceField(label=_("Whom it concerns"), required=False)
    event_types = forms.MultipleChoiceField(
        label=_("Event types"),
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text=_("None chosen means every type of the topic."),
    )
    regions = forms.MultipleChoiceField(
        label=_("Events bound to"),
        required=False,
        widget=forms.CheckboxSelectMultiple(),
        help_text=_("None chosen means wherever they are bound to."),
    )
    position = forms.IntegerField(
        label=_("Position"),
        min_value=0,
        initial=100,
        help_text=_("Lower ones are asked first; the first that speaks of a subscriber decides."),
    )
    condition = forms.CharField(
        label=_("Condition on the data, JMESPath"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono"}),
        help_text=_("For more than one field, such as total > `100` && country == 'DE'."),
    )
    is_active = forms.BooleanField(label=_("In force"), required=False, initial=True)
    SECTIONS = (
        Section(names=("topic", "name", "environment")),
        Section(title=_("What happens to the event"), names=("action", "sends_to", "concerns")),
        Section(
            title=_("Which events"),
            names=("event_types", "regions", "field", "operator", "value"),
        ),
        Section(title=_("More than one condition"), names=("condition", "filter"), is_folded=True),
        Section(title=_("Its place"), names=("position", "is_active")),
        Section(names=("reason",)),
    )
    field_order = (
        *("topic", "name", "environment", "action", "sends_to", "concerns", "event_types"),
        *("regions", "field", "operator", "value", "condition", "filter", "position"),
        *("is_active", "reason"),
    )
    own = (
        *("rule", "name", "environment", "action", "sends_to", "concerns", "event_types"),
        *("regions", "condition", "position", "is_active"),
    )

    def __init__(self, *args: Any, user: User, initial: dict[str, Any], **kwargs: Any) -> None:
        held = initial.get("filter")
        if isinstance(held, dict | list):
            initial = {**initial, "filter": json.dumps(held, ensure_ascii=False) if held else ""}
        super().__init__(*args, user=user, initial=initial, **kwargs)
        self.order_fields(self.field_order)
        topic = initial.get("topic")
        self._offer(user, topic if isinstance(topic, Topic) else None)

    def proposal(self) -> dict[str, Any]:
        """Return the values of the kind, for the verb."""
        return {**super().proposal(), "filter": self.wanted()}

    def _offer(self, user: User, topic: Topic | None) -> None:
        """Fill the lists with what the person may see, of one topic where it is known."""
        subscriptions = access.restrict(
            Subscription.objects.standing(), user, Action.SUBSCRIPTION_VIEW
        ).with_names()
        types = access.restrict(EventType.objects.all(), user, Action.EVENT_TYPE_VIEW)
        if topic is not None:
            subscriptions, types = subscriptions.filter(topic=topic), types.filter(topic=topic)
        parties = _parties(user, subscriptions.order_by("topic__name", "name")[:MOST_CHOICES])
        regions = Region.objects.order_by("code").values_list("code", "name")
        offered: dict[str, Choices] = {
            "sends_to": [("", _("nowhere")), *parties],
            "concerns": [("", _("everybody")), *parties],
            "event_types": list(types.order_by("title").values_list("name", "title")),
            "regions": list(regions),
        }
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)  # noqa: S101 - as declared above
            field.choices = choices


def _parties(user: User, subscriptions: Any) -> Choices:
    applications = access.restrict(Application.objects.active(), user, Action.APPLICATION_VIEW)
    return [
        (
            _("One subscription"),
            [
                (f"subscription:{one.number}", f"{one}, {one.topic.name}, {one.environment}")
                for one in subscriptions
            ],
        ),
        (
            _("All of an application"),
            [
                (f"application:{slug}", name)
                for slug, name in applications.order_by("name").values_list("slug", "name")[
                    :MOST_CHOICES
                ]
            ],
        ),
    ]
