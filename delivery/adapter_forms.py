"""Forms of inbound addresses: they parse; the verbs decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.form_sections import Section
from catalog.models import EventType, User
from catalog.words import Environment
from delivery import arriving
from delivery.adapters import PATHS
from delivery.adapting import Shape
from delivery.models import Adapter
from delivery.states import SecretKind
from delivery.subscription_forms import EventTypeField
from governance import access
from governance.actions import Action


def _expression(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false"}),
    )


class MappingForm(forms.Form):
    """How a body becomes an event, and a sample to try it with."""

    SECTIONS = (
        Section(names=("name", "event_type", "environment", "secret_kind")),
        Section(title=_("What your builder sends"), names=("sample",)),
        Section(title=_("What becomes of it"), names=("data_path", "id_path")),
        Section(
            title=_("Subject, time, source and key"),
            names=("subject_path", "time_path", "source_path", "key_path"),
            is_folded=True,
        ),
    )

    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("As you will look for it when it fails.")
    )
    id_path = _expression(
        _("Expression for the id"),
        _("Such as order.number. Empty: equal bodies within a day are one event."),
    )
    subject_path = _expression(_("Expression for the subject"))
    time_path = _expression(_("Expression for the time"), _("A text with a date, or Unix time."))
    source_path = _expression(
        _("Expression for the source"), _("Empty: this address stands as the source.")
    )
    key_path = _expression(
        _("Expression for the partition key"), _("Events of one key can be delivered in order.")
    )
    data_path = forms.CharField(
        label=_("Expression for the data"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"}),
        help_text=_("JMESPath, such as {order_id: order.number}. Empty: the whole body."),
    )
    sample = forms.CharField(
        label=_("Sample body"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
        help_text=_("Paste what your builder sends and try the mapping. It is not kept."),
    )

    def wishes(self) -> dict[str, Any]:
        """Return what the verb takes."""
        return {k: v for k, v in self.cleaned_data.items() if k == "name" or k in PATHS}

    def shape(self, *, event_type: str) -> Shape:
        """Return the mapping as it stands in the form."""
        data = self.cleaned_data
        paths = {name: data.get(path, "").strip() for name, path in arriving.ATTRIBUTES.items()}
        return Shape(
            event_type=event_type,
            source="/in/address",
            expressions=paths,
            data=data["data_path"].strip(),
        )

    @classmethod
    def initial_of(cls, adapter: Adapter) -> dict[str, Any]:
        """Return the mapping as the form shows it."""
        return {n: getattr(adapter, n) for n in cls.base_fields if n != "sample"}


class AdapterForm(MappingForm):
    """Make an inbound address."""

    event_type = EventTypeField(
        queryset=EventType.objects.none(),
        label=_("Event"),
        to_field_name="name",
        empty_label=_("Choose one"),
    )
    environment = forms.ChoiceField(label=_("Environment"), choices=Environment.choices)
    secret_kind = forms.ChoiceField(
        label=_("How the builder shows its secret"), choices=SecretKind.choices
    )
    field_order = ("name", "event_type", "environment", "secret_kind")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = access.restrict(EventType.objects.all(), user, Action.EVENT_TYPE_VIEW)
        self.fields["event_type"].queryset = types  # type: ignore[attr-defined]
