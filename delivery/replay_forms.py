"""Forms of replays: which deliveries or events, to whom, why and how fast; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import EventType, User
from delivery.models import Subscription
from delivery.replay_selections import Selection
from delivery.states import DeliveryStatus
from delivery.subscription_forms import EventTypeField
from governance import access
from governance.actions import Action

_BY_BROWSER = {"type": "datetime-local"}


class What(models.TextChoices):
    """Which part of the past is meant."""

    DEAD = "dead", _("What could not be delivered")
    NEVER = "never", _("What was never sent to it, such as before it was connected")
    LACKED = "lacked", _("Everything of its topic that it has not got (backfill)")
    DELIVERED = "delivered", _("What it has received already, once more")


class Subscriptions(forms.ModelChoiceField):  # type: ignore[type-arg]  # nor at run time
    """Subscriptions by name, with the topic."""

    def label_from_instance(self, obj: Subscription) -> str:
        """Return name, application and topic."""
        return f"{obj.name} ({obj.application.name}, {obj.topic.name})"


class TargetForm(forms.Form):
    """To whom a replay goes, and whether also what has arrived there."""

    to = Subscriptions(
        queryset=Subscription.objects.none(),
        to_field_name="number",
        label=_("Send to"),
        required=False,
        empty_label=_("Where each was to go"),
    )
    again = forms.BooleanField(label=_("Also what has arrived there since"), required=False)

    def __init__(self, *args: Any, user: User, environment: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        standing = Subscription.objects.standing().filter(environment=environment)
        mine = access.restrict(standing, user, Action.SUBSCRIPTION_TEST)
        self.mine = mine.select_related("application", "topic").order_by("name")
        self.fields["to"].queryset = self.mine  # type: ignore[attr-defined]


class RangeForm(TargetForm):
    """A part of the past, by subscription and time."""

    what = forms.ChoiceField(label=_("What"), choices=What.choices, initial=What.DEAD)
    source = Subscriptions(
        queryset=Subscription.objects.none(),
        to_field_name="number",
        label=_("Taken from"),
        required=False,
        empty_label=_("The same subscription"),
        help_text=_("Another one whose deliveries are to be sent; not for a backfill."),
    )
    event_type = EventTypeField(
        queryset=EventType.objects.none(),
        to_field_name="name",
        label=_("Event type"),
        required=False,
        empty_label=_("Every type of the topic"),
    )
    since = forms.DateTimeField(
        label=_("From"),
        widget=forms.DateTimeInput(attrs=_BY_BROWSER, format="%Y-%m-%dT%H:%M"),
        help_text=_("In the time zone of your profile."),
    )
    until = forms.DateTimeField(
        label=_("To"),
        required=False,
        widget=forms.DateTimeInput(attrs=_BY_BROWSER, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty means up to now."),
    )
    field_order = ("to", "what", "source", "event_type", "since", "until", "again")

    def __init__(self, *args: Any, user: User, environment: str, **kwargs: Any) -> None:
        super().__init__(*args, user=user, environment=environment, **kwargs)
        types = access.restrict(EventType.objects.all(), user, Action.EVENT_TYPE_VIEW)
        self.fields["source"].queryset = self.mine  # type: ignore[attr-defined]
        self.fields["event_type"].queryset = types.order_by("name")  # type: ignore[attr-defined]
        self.fields["to"].required = True
        self.fields["to"].empty_label = _("Choose one")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Check that the parts fit together."""
        data = super().clean() or {}
        target, source = data.get("to"), data.get("source")
        since, until = data.get("since"), data.get("until")
        if since and until and until <= since:
            self.add_error("until", _("Choose a time after the first one."))
        if source and data.get("what") in (What.NEVER, What.LACKED):
            self.add_error("source", _("A backfill takes the events of the topic: leave it empty."))
        elif source and target and source.topic_id != target.topic_id:
            self.add_error("source", _("It is of another topic, so its events do not fit."))
        return data

    def selection(self) -> Selection:
        """Return what is meant; of a form that is valid."""
        given = self.cleaned_data
        event_type, target = given["event_type"], given["to"]
        common: dict[str, Any] = {
            "event_type": event_type.name if event_type else "",
            "since": given["since"],
            "until": given["until"],
        }
        if given["what"] in (What.NEVER, What.LACKED):
            is_never = given["what"] == What.NEVER
            return Selection(topic=target.topic_id, never_tried=is_never, **common)
        status = (
            DeliveryStatus.DELIVERED if given["what"] == What.DELIVERED else DeliveryStatus.DEAD
        )
        source = given["source"] or target
        return Selection(subscription=source.pk, status=status, **common)

    @property
    def includes_arrived(self) -> bool:
        """Tell whether to send also what has arrived there."""
        return bool(self.cleaned_data["again"]) or self.cleaned_data["what"] == What.DELIVERED
