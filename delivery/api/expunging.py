"""Taking an event's data away for good."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import EnvironmentDoor, read
from delivery import expunging
from delivery.api.shapes import EventShape, Reason
from delivery.api.telling import events
from delivery.models import Event
from governance.actions import Action


class Expunge(EnvironmentDoor[Event]):
    """The data of one event."""

    queryset = Event.objects.with_names()
    serializer_class = EventShape
    sees = Action.EVENT_VIEW

    @extend_schema(request=Reason, responses=EventShape)
    def post(self, request: Request, pk: str) -> Response:
        """Delete the data wherever it stands, with that of corrections and copies; the event stays.

        What webhooks are still owed of it is discarded. It cannot be undone.
        """
        given = read(Reason, request.data)
        row = self.get_object()
        expunging.expunge(row, by=self.person, now=timezone.now(), **given)
        [told] = events([row], viewer=self.person)
        return Response(EventShape(told).data)
