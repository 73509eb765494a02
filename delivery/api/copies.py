"""Copying a production event to staging, with invented values in place of sensitive ones."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import EnvironmentDoor, read
from catalog.models import User
from catalog.words import Environment
from delivery import copies, remaking
from delivery.api.shapes import CopyMade, CopyWish, EventShape
from delivery.copies import Copying, Wish
from delivery.models import Delivery, Event, Subscription
from governance import access
from governance.actions import Action


class Copy(EnvironmentDoor[Event]):
    """A copy of an event."""

    queryset = Event.objects.with_names()
    serializer_class = EventShape
    sees = Action.EVENT_VIEW

    @extend_schema(request=CopyWish, responses={200: CopyMade, 201: CopyMade})
    def post(self, request: Request, pk: str) -> Response:
        """Publish a copy in staging; with `dry_run`, only tell what it would be.

        The copy passes everything that a published event passes there, and names this one in its
        attribute `copyof`. The same wish again answers with the same copy.
        """
        wanted = read(CopyWish, request.data)
        event, by, now = self.get_object(), self.person, timezone.now()
        wish = Wish(version=wanted["version"], to=_target(event, wanted["to"], by))
        found = copies.preview(event, wish, by=by, now=now)
        if wanted["dry_run"]:
            if found.outlook.faults:
                raise remaking.refusal(found.outlook.faults)
            return _told(event, found, deliveries=len(found.outlook.goes_to))
        made = copies.copy(event, wish, reason=wanted["reason"], by=by, now=now)
        owed = Delivery.objects.filter(event=made).exclude(status="skipped").count()
        return _told(event, found, deliveries=owed, made=made, status=201)


def _target(event: Event, pk: UUID | None, by: User) -> Subscription | None:
    if pk is None:
        return None
    there = Subscription.objects.standing().filter(
        topic=event.type.topic, environment=Environment.STAGING
    )
    found = access.restrict(there, by, Action.SUBSCRIPTION_VIEW).filter(pk=pk).first()
    if found is None:
        raise ValidationError({"to": _("There is no such subscription of its topic in staging.")})
    return found


def _told(
    event: Event, copying: Copying, *, deliveries: int, made: Event | None = None, status: int = 200
) -> Response:
    answer = {
        "id": made.pk if made else None,
        "event_id": made.event_id if made else "",
        "copy_of": event.pk,
        "deliveries": deliveries,
        "replaced": [asdict(one) for one in copying.stand_ins],
        "left_out": copying.left_out,
    }
    return Response(CopyMade(answer).data, status=status)
