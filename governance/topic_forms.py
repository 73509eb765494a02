"""The form that proposes other promises of a topic: what stands is filled in, what differs goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.forms.models import fields_for_model
from django.utils.translation import gettext_lazy as _

from catalog.house_rule_forms import WeightsField
from catalog.models import Team, Topic
from governance.differences import plain

PROMISES = (
    "title",
    "description",
    "owner",
    "kind",
    "batch_max_events",
    "batch_max_bytes",
    "batch_max_wait_seconds",
    "batch_times",
    "batch_time_zone",
    "ordering_key",
    "regions",
    "is_restricted",
    "criticality",
    "retention_days",
    "payload_ceiling_bytes",
    "field_case",
    "house_rules",
)

_OWN_FIELDS = ("owner", "house_rules")


class PromiseFields(forms.Form):
    """Every promise that a request may change."""

    topic = forms.ModelChoiceField(queryset=Topic.objects.none(), widget=forms.HiddenInput())
    owner = forms.ModelChoiceField(
        queryset=Team.objects.order_by("name"),
        to_field_name="slug",
        label=_("Owner"),
        empty_label=_("Choose one"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        made = fields_for_model(Topic, fields=[one for one in PROMISES if one not in _OWN_FIELDS])
        self.fields.update({name: made[name] for name in PROMISES if name in made})
        self.fields["house_rules"] = WeightsField()

    def differences(self) -> dict[str, Any]:
        """Return the promises whose value is another than the one that stands."""
        standing = self.initial["standing"]
        given = {name: _value(self.cleaned_data[name]) for name in PROMISES}
        return {name: value for name, value in given.items() if value != standing[name]}


def standing(topic: Topic) -> dict[str, Any]:
    """Return what the topic promises now, by field; the owner by their short name."""
    values: dict[str, Any] = {name: plain(getattr(topic, name)) for name in PROMISES}
    return {**values, "owner": topic.owner.slug}


def initial(topic: Topic, proposed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form starts from: what stands, under what was proposed before."""
    now = standing(topic)
    return {**now, **proposed, "topic": topic.pk, "standing": now}


def _value(given: Any) -> Any:
    return given.slug if isinstance(given, Team) else plain(given)
