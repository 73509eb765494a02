"""Parked keys of an ordered subscription: what waits behind an event that failed for good."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Door, Instant, ListDoor, read
from delivery import parking
from delivery.api.shapes import Discard, Reason
from delivery.api.subscriptions import OneSubscription
from delivery.models import ParkedKey
from governance.actions import Action


class ParkedKeyShape(serializers.Serializer[ParkedKey]):
    """A key whose events wait for someone to decide."""

    id = serializers.UUIDField()
    key = serializers.CharField(source="order_key")
    delivery = serializers.UUIDField(source="delivery_id", help_text="The one that failed.")
    parked_at = Instant()
    waiting = serializers.IntegerField(help_text="How many deliveries wait behind it.")


class KeyDone(serializers.Serializer[Any]):
    """How many deliveries go on, or are discarded."""

    deliveries = serializers.IntegerField()


class _Keys(Door[ParkedKey]):
    """A door to the keys of one subscription."""

    queryset = ParkedKey.objects.order_by("pk")
    serializer_class = ParkedKeyShape
    sees = Action.SUBSCRIPTION_VIEW

    def get_queryset(self) -> QuerySet[ParkedKey]:
        """Return the keys of the subscription, if the person may see that."""
        door = OneSubscription(request=self.request, kwargs={"pk": self.kwargs["pk"]})
        rows = ParkedKey.objects.filter(subscription=door.get_object())
        return parking.with_waiting(rows.select_related("subscription")).order_by("pk")

    def key(self) -> ParkedKey:
        """Return the key that is named; 404 where there is none."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["key"])


class ParkedKeys(_Keys, ListDoor[ParkedKey]):
    """The keys that wait for someone to decide."""

    orders_by = "pk"


class Release(_Keys):
    """Letting a key go."""

    @extend_schema(request=Reason, responses=KeyDone)
    def post(self, request: Request, pk: str, key: str) -> Response:
        """Send what waits of the key, the oldest first."""
        given = read(Reason, request.data)
        count = parking.release(self.key(), by=self.person, now=timezone.now(), **given)
        return Response(KeyDone({"deliveries": count}).data)


class DiscardKey(_Keys):
    """Ending what waits of a key."""

    @extend_schema(request=Discard, responses=KeyDone)
    def post(self, request: Request, pk: str, key: str) -> Response:
        """Discard what waits of the key, at most 500 at once, and let it go when none is left."""
        given = read(Discard, request.data)
        count = parking.discard(self.key(), by=self.person, now=timezone.now(), **given)
        return Response(KeyDone({"deliveries": count}).data)
