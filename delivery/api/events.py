"""Events: finding them, and what became of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from catalog.api.doors import Door, EnvironmentDoor, ListDoor, OneDoor
from catalog.ids import first_of
from delivery import decisions, lives, values
from delivery.api import telling
from delivery.api.shapes import EventQuery, EventShape, RoutingShape
from delivery.models import Event
from governance import access
from governance.actions import Action

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_COLUMNS = {
    "id": "event_id",
    "source": "source",
    "type": "type__name",
    "subject": "subject",
    "topic": "type__topic__name",
    "application": "application__slug",
    "correlationid": "correlation_id",
    "causationid": "causation_id",
}


class _Door(Door[Event]):
    """A door to recorded events."""

    queryset = Event.objects.with_names()
    serializer_class: type[Serializer[Any]] = EventShape
    sees = Action.EVENT_VIEW

    def told(self, rows: Sequence[Event]) -> Sequence[object]:
        """Return the events with envelope, deliveries and attempts."""
        return telling.events(rows, viewer=self.person)


class Events(_Door, ListDoor[Event]):
    """The events that the person may see, newest first."""

    query_class = EventQuery

    def narrowed(self, rows: QuerySet[Event]) -> QuerySet[Event]:
        """Keep what the parameters ask for, in one environment."""
        asked = self.asked
        named = {_COLUMNS[name]: asked[name] for name in _COLUMNS if name in asked}
        environment = self.environment(asked.get("environment", ""))
        rows = rows.filter(environment=environment, **named)
        if "value" in asked:
            held = values.events_with(asked["value"], environment=environment)
            rows = access.restrict(rows.filter(pk__in=held), self.person, Action.PAYLOAD_VIEW)
        if "traceparent" in asked:
            rows = rows.filter(_of_trace(asked["traceparent"]))
        return within(rows, asked)


class _OneEvent(_Door, EnvironmentDoor[Event]):
    """A door to one event by our id."""


class OneEvent(_OneEvent, OneDoor[Event]):
    """One event by our id."""


class Routing(_OneEvent):
    """Why an event went where it went."""

    serializer_class = RoutingShape

    def get(self, request: Request, pk: UUID) -> Response:
        """Say what rules decided, and why subscriptions of the topic were left out."""
        event, now = self.get_object(), timezone.now()
        told = {
            "decisions": [telling.decision(one) for one in decisions.of(event, viewer=self.person)],
            "left_out": [
                {"subscription": one.subscription.pk, "sentence": one.sentence}
                for one in lives.left_out(event, viewer=self.person, now=now)
            ],
        }
        return Response(RoutingShape(told).data)


def within(rows: QuerySet[Any], asked: Mapping[str, Any]) -> QuerySet[Any]:
    """Keep rows made from `since` up to, not including, `until`.

    Their key begins with the time, so the bounds leave out whole partitions.
    """
    if "since" in asked:
        rows = rows.filter(pk__gte=first_of(asked["since"]))
    if "until" in asked:
        rows = rows.filter(pk__lt=first_of(asked["until"]))
    return rows


def _of_trace(text: str) -> Q:
    if _TRACE_ID.fullmatch(text):
        return Q(trace_parent__startswith=f"00-{text}-")
    return Q(trace_parent=text)
