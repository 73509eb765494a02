"""Events for pages of the catalog."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import wording
from catalog.models import EventType, SchemaVersion
from delivery import latest
from delivery.models import Event

register = template.Library()


@register.simple_tag(takes_context=True)
def latest_payload(
    context: template.Context,
    event_type: EventType,
    version: SchemaVersion | None,
    environment: str,
) -> dict[str, object]:
    """Return `data` to show as a sample, and its `title`."""
    viewer = context["request"].user
    found = latest.sample(event_type, version, environment=environment, viewer=viewer)
    title = _("Sample event")
    if found.at:
        title = _("Latest event, %(when)s") % {"when": wording.clock(found.at, now=timezone.now())}
    return {"data": found.data, "title": title}


@register.simple_tag(takes_context=True)
def latest_events(
    context: template.Context, event_type: EventType, environment: str
) -> Sequence[Event]:
    """Return the newest events of a type that the viewer may see."""
    viewer = context["request"].user
    return latest.events(event_type, environment=environment, viewer=viewer)


@register.simple_tag
def retry_promise() -> str:
    """Say how often and for how long a delivery is tried."""
    waits = settings.DELIVERY_RETRY_WAITS_SECONDS
    return _("%(tries)s tries over %(time)s, then a dead letter") % {
        "tries": len(waits) + 1,
        "time": wording.duration(sum(waits)),
    }
