"""What delivery knows, for pages of the catalog: traffic, who sends, who receives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django import template
from django.utils import timezone

from catalog.models import EventType
from delivery import traffic
from delivery.models import Subscription
from delivery.standing import standing as standing_of

register = template.Library()


@register.simple_tag
def traffic_of(
    event_types: Collection[EventType], environment: str
) -> Mapping[UUID, traffic.Traffic]:
    """Return each type's traffic by its id: `{% traffic_of types environment as traffic %}`."""
    return traffic.of_types(list(event_types), environment=environment, now=timezone.now())


@register.simple_tag
def publishers_of(event_type: EventType, environment: str) -> list[traffic.Publisher]:
    """Return who sends a type: `{% publishers_of type environment as publishers %}`."""
    return traffic.publishers(event_type, environment=environment, now=timezone.now())


@register.filter
def at(mapping: Mapping[Any, object], key: Any) -> object:
    """Look a key up; nothing where there is none."""
    return mapping.get(key)


@register.filter
def standing(subscription: Subscription) -> str:
    """Return how a subscription fares: `{% status "subscription" subscription|standing %}`."""
    return standing_of(subscription)
