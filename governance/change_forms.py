"""Forms of change requests, one a kind: they parse; the verbs decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import EventType, SchemaVersion, Topic, User
from governance import access, topic_forms
from governance.actions import Action
from governance.forms import DayField, end_of_day
from governance.pages import contract_editor
from governance.states import ChangeKind


class ProposalForm(forms.Form):
    """What every request has: a title and a reason. Subclasses add what is proposed."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Why the business needs it. Kept in the ledger."),
    )
    own: tuple[str, ...] = ()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "topic" in self.fields:
            topics = access.restrict(Topic.objects.all(), user, Action.CHANGE_PROPOSE)
            self.fields["topic"].queryset = topics  # type: ignore[attr-defined]
        self.order_fields([name for name in self.fields if name != "reason"])

    def proposal(self) -> dict[str, Any]:
        """Return the values of the kind, for the verb."""
        return {name: self.cleaned_data[name] for name in self.own}

    def allow_unfinished(self) -> None:
        """Take what there is: a draft is finished when it is opened."""
        for name, field in self.fields.items():
            field.required = name == "topic"

    @classmethod
    def initial_of(cls, proposal: Mapping[str, Any], topic: Topic) -> dict[str, Any]:
        """Return what was proposed, for editing it."""
        return dict(proposal)

    @classmethod
    def initial_for(
        cls, event_type: EventType | None, base: SchemaVersion | None
    ) -> dict[str, Any]:
        """Return what to start from."""
        return {}


class ContractFields(ProposalForm):
    """A schema with its number, sample and what changed."""

    version = forms.CharField(
        label=_("Version"),
        required=False,
        help_text=_("MAJOR.MINOR.PATCH. Empty takes the number that fits the change."),
    )
    document = forms.CharField(
        label=_("JSON Schema"),
        widget=forms.Textarea(attrs={"rows": 22, "class": "mono", "spellcheck": "false"}),
    )
    example = forms.CharField(
        label=_("Sample data, as JSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
    )
    changes = forms.CharField(
        label=_("What changes"),
        required=False,
        help_text=_("One sentence for the list of versions."),
    )
    own: tuple[str, ...] = ("version", "document", "example", "changes")
    # Stand below the contract; what the editor draws itself stands in neither list.
    closing: tuple[str, ...] = ("version", "changes", "reason")
    edited: tuple[str, ...] = ("document", "example")

    def subject_fields(self) -> list[forms.BoundField]:
        """Return the fields above the contract: what it is about."""
        below = (*self.closing, *self.edited)
        return [self[name] for name in self.fields if name not in below]

    def closing_fields(self) -> list[forms.BoundField]:
        """Return the fields below the contract."""
        return [self[name] for name in self.closing]


class SchemaVersionForm(ContractFields):
    """A new version of an event type that exists."""

    @classmethod
    def initial_for(
        cls, event_type: EventType | None, base: SchemaVersion | None
    ) -> dict[str, Any]:
        """Start from the version that was chosen."""
        return {"document": base.document, "example": base.example} if base else {}


class NewEventTypeForm(ContractFields):
    """An event type with its first version."""

    topic = forms.ModelChoiceField(
        queryset=Topic.objects.none(), label=_("Topic"), empty_label=_("Choose one")
    )
    name = forms.CharField(label=_("Name"), help_text=_("Such as com.acme.sales.order.created."))
    title = forms.CharField(label=_("Title"), help_text=_("What happened, as people say it."))
    description = forms.CharField(
        label=_("What it means"), widget=forms.Textarea(attrs={"rows": 3})
    )
    happens_when = forms.CharField(label=_("When it happens"), required=False)
    own: tuple[str, ...] = (*ContractFields.own, "name", "title", "description", "happens_when")

    field_order = ("topic", "name", "title", "description", "happens_when", "version")

    @classmethod
    def initial_for(
        cls, event_type: EventType | None, base: SchemaVersion | None
    ) -> dict[str, Any]:
        """Start from an empty object."""
        return {"document": contract_editor.EMPTY, "version": "1.0.0"}


class PromotionForm(ProposalForm):
    """Take a version that is live in staging to production."""


class DeprecationForm(ProposalForm):
    """Say when a version ends and what takes its place."""

    sunset = DayField(label=_("Ends on"))
    replacement = forms.CharField(label=_("Use instead"), required=False)
    notice = forms.CharField(
        label=_("What users should do"),
        required=False,
        help_text=_("Told to everybody who still uses the version, beside the date."),
    )
    own = ("replacement", "notice")

    def proposal(self) -> dict[str, Any]:
        """Return the values of the kind, the end as an instant."""
        return {**super().proposal(), "sunset_at": end_of_day(self.cleaned_data["sunset"])}

    @classmethod
    def initial_for(
        cls, event_type: EventType | None, base: SchemaVersion | None
    ) -> dict[str, Any]:
        """Start from three months ahead and the newest version."""
        newest = event_type.versions.newest_first().first() if event_type else None
        return {
            "sunset": timezone.localdate() + timedelta(days=90),
            "replacement": newest.version if newest and newest != base else "",
        }


class RetirementForm(ProposalForm):
    """Refuse a version from now on."""

    override = forms.CharField(label=_("Although it is still used, because"), required=False)
    own = ("override",)


class TranslationForm(ProposalForm):
    """How events of one major version become events of another."""

    from_major = forms.IntegerField(
        label=_("Events of version"), min_value=0, help_text=_("The major version, such as 2.")
    )
    to_major = forms.IntegerField(
        label=_("Become events of version"),
        min_value=0,
        help_text=_("Subscribers that pinned this major version receive them so."),
    )
    mapping = forms.CharField(
        label=_("Mapping, JMESPath"),
        widget=forms.Textarea(attrs={"rows": 8, "class": "mono", "spellcheck": "false"}),
        help_text=_(
            "From the data as it is published to the data as the other version has it, such as "
            "{order_id: order_id, amount: total.amount}. Fields that it leaves out are not sent; "
            "merge(@, {…}) keeps all the others."
        ),
    )
    own = ("from_major", "to_major", "mapping")

    @classmethod
    def initial_for(
        cls, event_type: EventType | None, base: SchemaVersion | None
    ) -> dict[str, Any]:
        """Start from the newest major version and the one before it."""
        found = set(event_type.versions.values_list("major", flat=True)) if event_type else set()
        majors = sorted(found, reverse=True)
        return dict(zip(("from_major", "to_major"), majors, strict=False))


class TopicPolicyForm(topic_forms.PromiseFields, ProposalForm):
    """Other promises of a topic."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.order_fields([*topic_forms.PROMISES, "reason"])

    def proposal(self) -> dict[str, Any]:
        """Return the promises that change."""
        return {"values": self.differences()}

    @classmethod
    def initial_of(cls, proposal: Mapping[str, Any], topic: Topic) -> dict[str, Any]:
        """Return what stands, under what was proposed."""
        return topic_forms.initial(topic, proposal.get("values", {}))


FORMS: dict[str, type[ProposalForm]] = {
    ChangeKind.SCHEMA_VERSION: SchemaVersionForm,
    ChangeKind.NEW_EVENT_TYPE: NewEventTypeForm,
    ChangeKind.PROMOTION: PromotionForm,
    ChangeKind.DEPRECATION: DeprecationForm,
    ChangeKind.RETIREMENT: RetirementForm,
    ChangeKind.TRANSLATION: TranslationForm,
    ChangeKind.TOPIC_POLICY: TopicPolicyForm,
}


def put_errors(form: ProposalForm, error: ValidationError) -> None:
    """Hang each fault at its field, with its place in the schema; the rest stands on top."""
    for one in error.error_list if not hasattr(error, "error_dict") else [error]:
        params = one.params if isinstance(one.params, dict) else {}
        pointer = str(params.get("pointer", ""))
        name = pointer.strip("/").split("/")[0]
        is_field = name in form.fields
        is_place = bool(pointer) and "document" in form.fields
        field = name if is_field else "document" if is_place else None
        for message in one.messages:
            is_elsewhere = is_place and not is_field
            form.add_error(field, f"{pointer}: {message}" if is_elsewhere else message)
