"""The part of a subscription's form that says how events come: one by one, together, in order."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog import collecting
from catalog.form_sections import Section
from delivery.states import Batching, Poison

NAMES = (
    "batching",
    "batch_max_events",
    "batch_max_bytes",
    "batch_max_wait_seconds",
    "is_ordered",
    "poison",
)
SECTION = Section(title=_("In batches, or in order"), names=NAMES, is_folded=True)


class CollectingFields(forms.Form):
    """Batches and the order of a key; what is left empty keeps its default."""

    batching = forms.ChoiceField(
        label=_("One by one or together"),
        choices=Batching.choices,
        initial=Batching.TOPIC,
        help_text=_("A batch is one request with many events; Help, “Receive”, says more."),
    )
    batch_max_events = forms.IntegerField(
        label=_("Events in a batch, at most"),
        min_value=1,
        max_value=collecting.MAX_EVENTS,
        initial=collecting.DEFAULT_EVENTS,
    )
    batch_max_bytes = forms.IntegerField(
        label=_("Data in a batch, bytes"),
        min_value=1,
        max_value=collecting.MAX_BYTES,
        initial=collecting.DEFAULT_BYTES,
    )
    batch_max_wait_seconds = forms.IntegerField(
        label=_("Longest wait for a batch, seconds"),
        min_value=1,
        max_value=collecting.MAX_WAIT_SECONDS,
        required=False,
        help_text=_("Empty means a minute. These three count only for “in batches”."),
    )
    is_ordered = forms.BooleanField(
        label=_("In order per key"),
        required=False,
        help_text=_("Of each key of the topic one event is out at a time, the oldest first."),
    )
    poison = forms.ChoiceField(
        label=_("If an event of a key fails for good"),
        choices=Poison.choices,
        initial=Poison.SKIP,
        help_text=_("Counts only for “in order per key”."),
    )
