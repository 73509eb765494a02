"""The query words of delivery. Who may see what is asked of `governance.access.restrict`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from catalog.models import EventType
from catalog.moves import Movable
from delivery.states import DeliveryStatus, FailureGroupState, ReplayState, SubscriptionState

if TYPE_CHECKING:
    from delivery.models import (  # noqa: F401 - the type arguments below are strings
        Delivery,
        Event,
        FailureGroup,
        QueueRow,
        Replay,
        Subscription,
    )


class SubscriptionQuerySet(Movable["Subscription"]):
    def standing(self) -> Self:
        """Keep subscriptions that were not ended."""
        return self.filter(ended_at__isnull=True)

    def active(self) -> Self:
        """Keep standing subscriptions that are neither paused nor disabled."""
        return self.standing().filter(state=SubscriptionState.ACTIVE)

    def wanting(self, event_type: EventType) -> Self:
        """Keep subscriptions that asked for the type, or for all of its topic."""
        return self.filter(
            Q(event_types=[]) | Q(event_types__contains=[event_type.name]),
            topic=event_type.topic_id,
        )

    def with_names(self) -> Self:
        """Load who, what and the circuit in the same query."""
        return self.select_related(
            "application", "application__team", "topic", "endpoint", "circuit"
        )


class EventQuerySet(models.QuerySet["Event"]):
    def with_names(self) -> Self:
        """Load type, topic, version and publisher in the same query."""
        return self.select_related("type", "type__topic", "version", "application")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def owed(self) -> Self:
        """Keep deliveries that have not ended."""
        return self.filter(status=DeliveryStatus.PENDING)

    def dead(self) -> Self:
        """Keep deliveries out of retries."""
        return self.filter(status=DeliveryStatus.DEAD)

    def with_names(self) -> Self:
        """Load event, type and subscription in the same query."""
        return self.select_related(
            "event", "event__type", "event__version", "subscription", "subscription__application"
        )


class QueueQuerySet(models.QuerySet["QueueRow"]):
    def due(self, now: datetime) -> Self:
        """Keep rows that may be claimed at `now`."""
        return self.filter(due_at__lte=now)


class FailureGroupQuerySet(Movable["FailureGroup"]):
    def unsettled(self) -> Self:
        """Keep groups that still need someone."""
        return self.filter(state__in=[FailureGroupState.OPEN, FailureGroupState.ASSIGNED])

    def with_names(self) -> Self:
        """Load the subscription, its application and the assignee in the same query."""
        return self.select_related(
            "subscription",
            "subscription__application",
            "subscription__application__team",
            "subscription__topic",
            "assignee",
        )


class ReplayQuerySet(Movable["Replay"]):
    def unfinished(self) -> Self:
        """Keep replays that are neither done nor cancelled."""
        return self.exclude(state__in=[ReplayState.DONE, ReplayState.CANCELLED])
