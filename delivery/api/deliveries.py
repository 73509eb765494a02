"""Deliveries: what is owed, what arrived, what died; and what a person does about one."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import EnvironmentDoor, ListDoor, OneDoor, read
from delivery import failures, replay_selections, replays
from delivery.api import telling
from delivery.api.events import within
from delivery.api.shapes import (
    RETRYING,
    AttemptShape,
    DeliveryQuery,
    DeliveryShape,
    Discard,
    Reason,
    ReplayMade,
)
from delivery.models import Attempt, Delivery, QueueRow
from delivery.states import DeliveryStatus
from governance import access
from governance.actions import Action

_COLUMNS = {
    "subscription": "subscription_id",
    "event_type": "event__type__name",
    "failure_group": "failure_group_id",
    "replay": "replay_id",
}


class _Door(EnvironmentDoor[Delivery]):
    """A door to deliveries."""

    queryset = Delivery.objects.with_names()
    serializer_class = DeliveryShape
    sees = Action.DELIVERY_VIEW

    def told(self, rows: Sequence[Delivery]) -> Sequence[object]:
        """Return the deliveries as they stand."""
        return telling.deliveries(rows)


class Deliveries(_Door, ListDoor[Delivery]):
    """The deliveries that the person may see, newest first."""

    query_class = DeliveryQuery

    def narrowed(self, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
        """Keep what the parameters ask for, in one environment."""
        asked = self.asked
        named = {_COLUMNS[name]: asked[name] for name in _COLUMNS if name in asked}
        environment = self.environment(asked.get("environment", ""))
        rows = rows.filter(environment=environment, **named)
        status = asked.get("status")
        if status in (RETRYING, DeliveryStatus.PENDING):
            tried = QueueRow.objects.filter(attempts__gt=0).values("delivery_id")
            rows = rows.filter(status=DeliveryStatus.PENDING)
            is_retrying = status == RETRYING
            rows = rows.filter(pk__in=tried) if is_retrying else rows.exclude(pk__in=tried)
        elif status:
            rows = rows.filter(status=status)
        return within(rows, asked)


class OneDelivery(_Door, OneDoor[Delivery]):
    """One delivery."""


class Attempts(ListDoor[Attempt]):
    """Every try at a delivery, oldest first."""

    queryset = Attempt.objects.order_by("pk")
    serializer_class = AttemptShape
    sees = Action.DELIVERY_VIEW
    orders_by = "pk"

    def get_queryset(self) -> QuerySet[Attempt]:
        """Return the tries of the delivery, if the person may see that."""
        delivery = OneDelivery(request=self.request, kwargs=self.kwargs).get_object()
        return Attempt.objects.filter(delivery=delivery)


class ReplayOne(_Door):
    """Delivering one again."""

    @extend_schema(request=Reason, responses={201: ReplayMade})
    def post(self, request: Request, pk: str) -> Response:
        """Order the same event once more for the same subscription."""
        given = read(Reason, request.data)
        row = self.get_object()
        access.require(self.person, Action.DELIVERY_REPLAY, row)
        made = replays.start(
            replay_selections.of_deliveries([row]),
            environment=row.environment,
            by=self.person,
            now=timezone.now(),
            reason=given["reason"],
        )
        answer = {"id": made.pk, "matched": made.matched, "status": made.state}
        return Response(ReplayMade(answer).data, status=201)


class DiscardOne(_Door):
    """Ending one without delivering it."""

    @extend_schema(request=Discard, responses=DeliveryShape)
    def post(self, request: Request, pk: str) -> Response:
        """End a delivery that is owed or dead, because a person says so."""
        given = read(Discard, request.data)
        row = self.get_object()
        failures.discard(row, by=self.person, now=timezone.now(), **given)
        return self.tell(self.get_object())
