"""Correcting an event: a new one with mended data takes its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import EnvironmentDoor, read
from delivery import corrections, remaking
from delivery.api.shapes import CorrectionMade, CorrectionWish, EventShape
from delivery.corrections import Audience, Draft
from delivery.models import Delivery, Event
from governance.actions import Action


class Correct(EnvironmentDoor[Event]):
    """Mending an event."""

    queryset = Event.objects.with_names()
    serializer_class = EventShape
    sees = Action.EVENT_VIEW

    @extend_schema(request=CorrectionWish, responses={200: CorrectionMade, 201: CorrectionMade})
    def post(self, request: Request, pk: str) -> Response:
        """Publish a new event in place of this one; with `dry_run`, only hold it to its contract.

        It passes everything that a published event passes. What is dead or still owed of this
        event, where the new one goes, is discarded.
        """
        wish = read(CorrectionWish, request.data)
        event, by, now = self.get_object(), self.person, timezone.now()
        draft = _draft(event, wish)
        if wish["dry_run"]:
            outlook = corrections.outlook(event, draft, by=by, now=now)
            if outlook.faults:
                raise remaking.refusal(outlook.faults)
            return _told(event, deliveries=len(outlook.goes_to))
        made = corrections.correct(event, draft, reason=wish["reason"], by=by, now=now)
        owed = Delivery.objects.filter(event=made).exclude(status="skipped").count()
        return _told(event, deliveries=owed, made=made, status=201)


def _draft(event: Event, wish: Mapping[str, Any]) -> Draft:
    text = json.dumps(wish["data"], ensure_ascii=False)
    return Draft(
        text=text,
        subject=wish.get("subject", event.subject or ""),
        version=wish.get("version", event.version.version),
        audience=Audience(wish["audience"]),
    )


def _told(
    event: Event, *, deliveries: int, made: Event | None = None, status: int = 200
) -> Response:
    answer = {
        "id": made.pk if made else None,
        "event_id": made.event_id if made else "",
        "corrects": event.pk,
        "deliveries": deliveries,
    }
    return Response(CorrectionMade(answer).data, status=status)
