"""Forms of a subscription's pages: they parse; the verbs decide."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from catalog.form_sections import Section
from catalog.models import Application, EventType, User
from catalog.words import Environment
from delivery import addresses, collecting_forms, configuration, declared_reads, stand_ins
from delivery.collecting_forms import CollectingFields
from delivery.conditions import Operator, to_filter
from delivery.models import Subscription
from delivery.states import BodyMode
from governance import access
from governance.actions import Action

MOST_NAME = 120

OPERATORS = [
    ("", _("every event")),
    (Operator.IS, _("is")),
    (Operator.IS_NOT, _("is not")),
    (Operator.STARTS_WITH, _("starts with")),
    (Operator.CONTAINS, _("contains")),
    (Operator.ABOVE, _("is above")),
    (Operator.BELOW, _("is below")),
    (Operator.PRESENT, _("is present")),
]


class ConditionFields(forms.Form):
    """Which events are wanted: all, those under one condition, or those of a filter in JSON."""

    field = forms.CharField(
        label=_("Field"),
        required=False,
        help_text=_("As on the event's page, such as total.amount."),
    )
    operator = forms.ChoiceField(label=_("Condition"), required=False, choices=OPERATORS)
    value = forms.CharField(label=_("Value"), required=False)
    filter = forms.CharField(
        label=_("Filter, as JSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono"}),
        help_text=_(
            "For more than one condition: the CloudEvents dialects exact, prefix, suffix, all, any "
            "and not, or a JMESPath condition over the data. It wins over the fields above."
        ),
    )

    def wanted(self) -> object:
        """Return the filter document; an empty one lets every event through."""
        data = self.cleaned_data
        if data.get("filter"):
            return data["filter"]
        if data.get("operator") and data.get("field"):
            return dict(to_filter(data["field"], Operator(data["operator"]), data["value"]))
        return {}

    def clean_filter(self) -> object:
        """Return the filter as a document. Raises ValidationError where it is not JSON."""
        text = self.cleaned_data["filter"].strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValidationError(_("This is not JSON: %s") % error) from error
        except RecursionError as error:
            raise ValidationError(_("This is nested too deeply to be read.")) from error

    def clean(self) -> dict[str, Any]:
        """Check that the one condition is whole."""
        data = super().clean() or {}
        operator = data.get("operator")
        if operator and not data.get("field"):
            self.add_error("field", _("Name the field that the condition looks at."))
        if operator in {Operator.ABOVE, Operator.BELOW}:
            try:
                float(data.get("value") or "")
            except ValueError:
                self.add_error("value", _("This condition compares numbers: give one."))
        return data


class ReadsField(forms.CharField):
    """The fields that the receiver looks at, typed with commas between them."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Fields that you read"),
            required=False,
            help_text=_(
                "As on the event's page, such as order_id, lines[].sku. You are asked only about "
                "changes of these; empty means everything."
            ),
        )

    def clean(self, value: Any) -> list[str]:
        """Return the fields, each once."""
        return declared_reads.parse(super().clean(value))


class IdempotentField(forms.BooleanField):
    """What the receiver's team says of repeated events."""

    def __init__(self) -> None:
        super().__init__(
            label=_("The receiver leaves out a repeated event"),
            required=False,
            help_text=_(
                "It keeps each webhook-id for a few days and does nothing at one that it has "
                "seen. Who replays is warned as long as this is not so."
            ),
        )


class EventTypeField(forms.ModelChoiceField):  # type: ignore[type-arg]  # nor at run time
    """Event types by what people call them, with the name that systems know."""

    def label_from_instance(self, obj: EventType) -> str:
        """Return title and name."""
        return f"{obj.title} ({obj.name})"


class SubscriptionForm(CollectingFields, ConditionFields):
    """Everything that the wizard asks, one step at a time."""

    event_type = EventTypeField(
        queryset=EventType.objects.none(),
        label=_("Event"),
        to_field_name="name",
        empty_label=_("Choose one"),
    )
    environment = forms.ChoiceField(label=_("Environment"), choices=Environment.choices)
    application = forms.ModelChoiceField(
        queryset=Application.objects.none(),
        label=_("Application"),
        to_field_name="slug",
        empty_label=_("Choose one"),
        help_text=_("The flow or service that receives it."),
    )
    endpoint_url = forms.CharField(
        label=_("Address"),
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text=_("The production URL of your flow's webhook trigger."),
    )
    body = forms.ChoiceField(
        label=_("What is sent"), choices=BodyMode.choices, initial=BodyMode.BINARY
    )
    mapping = forms.CharField(
        label=_("Mapping, JMESPath"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text=_("Only for “what the mapping makes of it”."),
    )
    version_pin = forms.TypedChoiceField(
        label=_("Version"),
        required=False,
        coerce=int,
        empty_value=None,
        help_text=_("A pinned major version keeps coming until it is retired."),
    )
    reads = ReadsField()
    is_idempotent = IdempotentField()
    name = forms.CharField(
        label=_("Name"), max_length=MOST_NAME, help_text=_("As you will look for it when it fails.")
    )

    STEPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (_("Event"), ("event_type", "environment")),
        (_("Application"), ("application",)),
        (_("Address"), ("endpoint_url", "body", "mapping")),
        (
            _("Choice"),
            (
                *("version_pin", "field", "operator", "value", "reads", "filter"),
                *(*collecting_forms.NAMES, "is_idempotent", "name"),
            ),
        ),
    )
    SECTIONS = (
        Section(title=_("Mapping, JMESPath"), names=("mapping",), is_folded=True),
        Section(
            title=_("Which events"), names=("version_pin", "field", "operator", "value", "reads")
        ),
        Section(title=_("More than one condition"), names=("filter",), is_folded=True),
        collecting_forms.SECTION,
        Section(names=("is_idempotent", "name")),
    )

    def __init__(self, *args: Any, user: User, majors: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = access.restrict(EventType.objects.all(), user, Action.EVENT_TYPE_VIEW)
        mine = access.restrict(Application.objects.active(), user, Action.SUBSCRIPTION_CREATE)
        for name in collecting_forms.NAMES:
            self.fields[name].required = False
        self.fields["event_type"].queryset = types  # type: ignore[attr-defined]
        self.fields["application"].queryset = mine  # type: ignore[attr-defined]
        self.fields["version_pin"].choices = [  # type: ignore[attr-defined]
            ("", _("Follow the latest")),
            *((major, f"{major}.x") for major in majors),
        ]

    def clean_endpoint_url(self) -> str:
        """Say at its own step what the verb would say of the address at the end."""
        url: str = self.cleaned_data["endpoint_url"].strip()
        reason = addresses.check_url(url, allowed_networks=configuration.allowed_networks())
        if reason:
            raise ValidationError(reason)
        return url

    def wishes(self) -> dict[str, Any]:
        """Return what the verb takes."""
        data = self.cleaned_data
        collects = {name: data[name] for name in collecting_forms.NAMES}
        return {
            **{name: value for name, value in collects.items() if value not in (None, "")},
            "name": data["name"],
            "event_types": [data["event_type"].name],
            "endpoint_url": data["endpoint_url"],
            "body": data["body"],
            "mapping": data["mapping"],
            "version_pin": data["version_pin"],
            "reads": data["reads"],
            "is_idempotent": data["is_idempotent"],
            "filter": self.wanted(),
        }


class EditForm(CollectingFields, ConditionFields):
    """Change a standing order."""

    SECTIONS = (
        Section(title=_("Where it goes"), names=("name", "endpoint_url", "body")),
        Section(title=_("Mapping, JMESPath"), names=("mapping",), is_folded=True),
        Section(title=_("Which events"), names=("field", "operator", "value", "reads")),
        Section(title=_("More than one condition"), names=("filter",), is_folded=True),
        collecting_forms.SECTION,
        Section(
            title=_("Who takes over"),
            names=("fallback_url", "fallback_subscription"),
            is_folded=True,
        ),
        Section(
            title=_("Pace"),
            names=("concurrency", "rate_per_second", "timeout_seconds"),
            is_folded=True,
        ),
        Section(names=("is_idempotent", "reason")),
    )

    name = forms.CharField(label=_("Name"), max_length=120)
    endpoint_url = forms.CharField(
        label=_("Address"), max_length=2000, widget=forms.URLInput(), required=False
    )
    fallback_url = forms.CharField(
        label=_("Second address"),
        max_length=2000,
        widget=forms.URLInput(),
        required=False,
        help_text=_(
            "Gets what comes while the circuit is open, and once what the first address gave up."
        ),
    )
    fallback_subscription = forms.ModelChoiceField(
        queryset=Subscription.objects.none(),
        label=_("Stand-in"),
        required=False,
        empty_label=_("Nobody: what comes waits"),
        help_text=_(
            "In place of a second address: another subscription of your team to this topic takes "
            "over, by its own settings and whatever its filter says."
        ),
    )
    body = forms.ChoiceField(label=_("What is sent"), choices=BodyMode.choices)
    mapping = forms.CharField(
        label=_("Mapping, JMESPath"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
    )
    reads = ReadsField()
    is_idempotent = IdempotentField()
    concurrency = forms.IntegerField(
        label=_("Requests at once"),
        min_value=1,
        initial=16,
        help_text=_("Up to 4 count over all workers; more are what each worker process may send."),
    )
    rate_per_second = forms.IntegerField(
        label=_("Most per second"),
        min_value=1,
        required=False,
        help_text=_("Empty means as fast as it answers."),
    )
    timeout_seconds = forms.IntegerField(label=_("Time-out, seconds"), min_value=1, initial=15)
    reason = forms.CharField(label=_("Reason"), help_text=_("Kept in the ledger with your name."))

    def __init__(self, data: Any = None, *, subscription: Subscription) -> None:
        super().__init__(data, initial=self.initial_of(subscription))
        self.fields["fallback_subscription"].queryset = stand_ins.possible(  # type: ignore[attr-defined]
            subscription.application,
            subscription.topic,
            subscription.environment,
            itself=subscription.pk,
        )

    @classmethod
    def initial_of(cls, subscription: Subscription) -> dict[str, Any]:
        """Return the order as the form shows it."""
        endpoint, fallback = subscription.endpoint, subscription.fallback_endpoint
        return {
            "name": subscription.name,
            "endpoint_url": endpoint.url if endpoint else "",
            "fallback_url": fallback.url if fallback else "",
            "fallback_subscription": subscription.fallback_subscription_id,
            "body": subscription.body,
            "mapping": subscription.mapping,
            "reads": ", ".join(subscription.reads),
            "is_ordered": subscription.is_ordered,
            "poison": subscription.poison,
            "is_idempotent": subscription.is_idempotent,
            "batching": subscription.batching,
            "batch_max_events": subscription.batch_max_events,
            "batch_max_bytes": subscription.batch_max_bytes,
            "batch_max_wait_seconds": subscription.batch_max_wait_seconds,
            "concurrency": subscription.concurrency,
            "rate_per_second": subscription.rate_per_second,
            "timeout_seconds": subscription.timeout_seconds,
            "filter": json.dumps(subscription.filter) if subscription.filter else "",
        }

    def wishes(self) -> dict[str, Any]:
        """Return what the verb takes."""
        names = (
            "name",
            "fallback_url",
            "body",
            "mapping",
            "reads",
            *collecting_forms.NAMES,
            "is_idempotent",
            "concurrency",
            "rate_per_second",
            "timeout_seconds",
        )
        wanted = {name: self.cleaned_data[name] for name in names}
        if self.cleaned_data["endpoint_url"]:
            wanted["endpoint_url"] = self.cleaned_data["endpoint_url"]
        stand_in = self.cleaned_data["fallback_subscription"]
        wanted["fallback_subscription"] = None if stand_in is None else stand_in.pk
        return {**wanted, "filter": self.wanted()}
