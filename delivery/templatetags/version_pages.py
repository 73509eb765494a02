"""What delivery knows of versions, for pages of the catalog and of governance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import template
from django.db.models import Count

from catalog.models import EventType
from delivery import simulating, translation_trials
from delivery.models import Subscription, Translation
from delivery.translation_trials import Shown
from governance import access
from governance.actions import Action
from governance.models import ChangeRequest

register = template.Library()


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """A conversion in force, with how many subscriptions of the environment it serves."""

    translation: Translation
    subscribers: int


@register.simple_tag(takes_context=True)
def conversion_trials(context: template.Context, change: ChangeRequest) -> Sequence[Shown]:
    """Return the latest recorded events before and after a proposed conversion."""
    return translation_trials.shown(change, viewer=context["request"].user)


@register.simple_tag(takes_context=True)
def conversions_of(
    context: template.Context, event_type: EventType, environment: str
) -> Sequence[Way]:
    """Return the conversions in force between the versions of a type."""
    rows = access.restrict(
        Translation.objects.filter(event_type=event_type),
        context["request"].user,
        Action.EVENT_TYPE_VIEW,
    )
    wanting = (
        Subscription.objects.standing()
        .wanting(event_type)
        .filter(environment=environment, version_pin__isnull=False)
    )
    pinned = dict(wanting.order_by().values_list("version_pin").annotate(n=Count("pk")))
    return [
        Way(translation=row, subscribers=pinned.get(row.to_major, 0))
        for row in rows.select_related("change_request")
    ]


@register.simple_tag(takes_context=True)
def simulation_of(context: template.Context, change: ChangeRequest) -> dict[str, object]:
    """Return where a draft may be tried, with which events, and how the last try went."""
    request = context["request"]
    where = list(simulating.subscriptions(change, by=request.user))
    last = request.session.get("simulation")
    if last is not None and last.get("change") == change.number:
        del request.session["simulation"]
    else:
        last = None
    return {
        "subscriptions": where,
        "events": simulating.events(change, by=request.user) if where else [],
        "last": last,
    }
