"""Trying the draft of a change request in staging, before anybody approves it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Door, read
from delivery import simulating
from delivery.api.order_shapes import PingAnswer
from delivery.models import Event, Subscription
from governance import access
from governance.actions import Action
from governance.models import ChangeRequest


class SimulationWish(serializers.Serializer[Any]):
    """Where to, and what."""

    subscription = serializers.UUIDField(help_text="A webhook of the topic in staging.")
    event = serializers.UUIDField(
        required=False,
        help_text="Our id of an event recorded in staging; without it goes the draft's sample.",
    )


class SimulationAnswer(PingAnswer):
    """What the endpoint answered, and where the data breaks the draft that it was sent under."""

    breaches = serializers.ListField(child=serializers.CharField())


class Simulate(Door[ChangeRequest]):
    """Trying a draft in staging."""

    queryset = ChangeRequest.objects.select_related("topic", "event_type")
    serializer_class = SimulationAnswer
    sees = Action.CHANGE_VIEW

    @extend_schema(request=SimulationWish, responses=SimulationAnswer)
    def post(self, request: Request, pk: str) -> Response:
        """Send the draft's sample, or a recorded event, as the draft version would go."""
        given = read(SimulationWish, request.data)
        change = self.get_object()
        subscription = self._subscription(given["subscription"])
        event = self._event(given["event"]) if "event" in given else None
        result = simulating.simulate(
            change, subscription, event=event, by=self.person, now=timezone.now()
        )
        told = {**asdict(result), "breaches": simulating.breaches(change, event)}
        return Response(SimulationAnswer(told).data)

    def _subscription(self, key: UUID) -> Subscription:
        seen = access.restrict(
            Subscription.objects.standing(), self.person, Action.SUBSCRIPTION_VIEW
        )
        found = seen.with_names().filter(pk=key).first()
        if found is None:
            raise ValidationError({"subscription": _("There is no such subscription.")})
        return found

    def _event(self, key: UUID) -> Event:
        found = access.restrict(Event.objects.all(), self.person, Action.EVENT_VIEW)
        event = found.filter(pk=key).first()
        if event is None:
            raise ValidationError({"event": _("There is no such event.")})
        return event
