"""Subscriptions: making, changing, stopping and testing them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Asking, Door, ListDoor, OneDoor, pointing, read
from catalog.models import EventType, Topic
from delivery import filters, orders, signing_secrets, standing_orders, subscriptions, tryouts
from delivery.api.asking import application_of
from delivery.api.order_shapes import (
    OrderWish,
    PingAnswer,
    PublicKeys,
    Rotated,
    Rotation,
    SubscriptionMade,
    SubscriptionQuery,
    SubscriptionShape,
    SubscriptionWish,
    TryOutAnswer,
    TryOutWish,
)
from delivery.api.shapes import Reason
from delivery.endpoints import Credentials
from delivery.models import Subscription
from delivery.transports import Auth, Basic, Bearer, ClientCredentials
from governance import access
from governance.actions import Action

_AUTH_KINDS: Mapping[str, type[Auth]] = {
    "basic": Basic,
    "bearer": Bearer,
    "client_credentials": ClientCredentials,
}


class _Door(Door[Subscription]):
    """A door to the subscriptions that were not ended."""

    queryset = Subscription.objects.standing().with_names().select_related("fallback_endpoint")
    serializer_class = SubscriptionShape
    sees = Action.SUBSCRIPTION_VIEW

    def narrowed(self, rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
        """Keep those of the key's environment."""
        own = self.key_environment
        return rows.filter(environment=own) if own else rows

    def now_as(self, row: Subscription, *, status: int = 200) -> Response:
        """Answer with the subscription as it is after a verb."""
        return self.tell(_Door.queryset.get(pk=row.pk), status=status)


class Subscriptions(_Door, ListDoor[Subscription]):
    """The standing orders that the person may see."""

    query_class = SubscriptionQuery

    def narrowed(self, rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
        """Keep what the parameters ask for."""
        asked = self.asked
        columns = {
            "environment": "environment",
            "application": "application__slug",
            "topic": "topic__name",
            "state": "state",
            "mode": "mode",
        }
        rows = super().narrowed(rows)
        rows = rows.filter(**{columns[name]: asked[name] for name in columns if name in asked})
        if "event_type" in asked:
            rows = rows.filter(_takes(asked["event_type"]))
        if "search" in asked:
            words = asked["search"]
            rows = rows.filter(
                Q(name__icontains=words)
                | Q(application__name__icontains=words)
                | Q(topic__name__icontains=words)
            )
        return rows

    @extend_schema(request=SubscriptionWish, responses={201: SubscriptionMade})
    def post(self, request: Request) -> Response:
        """Make a subscription; its signing secret is in the answer."""
        wish = _with_credentials(read(SubscriptionWish, request.data))
        application = application_of(self, wish.pop("application", ""))
        environment = self.environment(wish.pop("environment", ""))
        topic = self._topic(wish.pop("topic", ""), wish.get("event_types", []))
        made, secret = subscriptions.create(
            application=application,
            topic=topic,
            environment=environment,
            by=self.person,
            now=timezone.now(),
            **wish,
        )
        row = _Door.queryset.get(pk=made.pk)
        said = {"secret": secret, "advice": orders.advice(standing_orders.order_of(row))}
        return Response({**SubscriptionShape(row).data, **said}, status=201)

    def _topic(self, name: str, event_types: list[str]) -> Topic:
        """Return the topic that is named, else that of the first event type."""
        topics = access.restrict(Topic.objects.all(), self.person, Action.TOPIC_VIEW)
        if name:
            found = topics.filter(name=name).first()
            otherwise = {"topic": _("There is no such topic.")}
        else:
            found = topics.filter(event_types__name__in=event_types[:1]).first()
            otherwise = {"event_types": _("Name a topic, or an event type that there is.")}
        if found is None:
            raise ValidationError(otherwise)
        return found


class TryOut(Asking):
    """Trying a choice on recorded events."""

    @extend_schema(request=TryOutWish, responses=TryOutAnswer)
    def post(self, request: Request) -> Response:
        """Say which of the latest events it would let through, and why; nothing is saved.

        Of the events whose data the person may see; fields that they may not see are masked first.
        """
        wish = read(TryOutWish, request.data)
        topics = access.restrict(Topic.objects.all(), self.person, Action.TOPIC_VIEW)
        topic = topics.filter(name=wish["topic"]).first()
        if topic is None:
            raise ValidationError({"topic": _("There is no such topic.")})
        choice = tryouts.Choice(
            topic=topic,
            environment=self.environment(wish["environment"]),
            event_types=tuple(wish["event_types"]),
            version_pin=wish["version_pin"],
            filter=wish["filter"],
        )
        try:
            tried = tryouts.of(choice, viewer=self.person, limit=wish["limit"], now=timezone.now())
        except filters.InvalidFilter as error:
            raise ValidationError({f"filter{error.pointer}": error.message}) from error
        return Response(TryOutAnswer(tryouts.told(tried)).data)


class OneSubscription(_Door, OneDoor[Subscription]):
    """One standing order."""

    @extend_schema(request=OrderWish, responses=SubscriptionShape)
    def patch(self, request: Request, pk: str) -> Response:
        """Change what it asks for; what is left out stays."""
        wish: Any = _with_credentials(read(OrderWish, request.data))
        row = self.get_object()
        return self.now_as(subscriptions.change(row, by=self.person, now=timezone.now(), **wish))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """End it for good; what it is still owed is discarded."""
        subscriptions.end(self.get_object(), by=self.person, now=timezone.now())
        return Response(status=204)


class Pause(_Door):
    """Stopping for a while."""

    @extend_schema(request=Reason, responses=SubscriptionShape)
    def post(self, request: Request, pk: str) -> Response:
        """Stop sending; what arrives meanwhile is kept."""
        given = read(Reason, request.data)
        return self.now_as(
            subscriptions.pause(self.get_object(), by=self.person, now=timezone.now(), **given)
        )


class Resume(_Door):
    """Going on."""

    @extend_schema(request=Reason, responses=SubscriptionShape)
    def post(self, request: Request, pk: str) -> Response:
        """Send again, what waits first."""
        given = read(Reason, request.data)
        return self.now_as(
            subscriptions.resume(self.get_object(), by=self.person, now=timezone.now(), **given)
        )


class Ping(_Door):
    """A test event."""

    @extend_schema(request=None, responses=PingAnswer)
    def post(self, request: Request, pk: str) -> Response:
        """Send a signed test event and say what the endpoint answered."""
        result = subscriptions.ping(self.get_object(), by=self.person, now=timezone.now())
        return Response(PingAnswer(result).data)


class RotateSecret(_Door):
    """A new signing secret."""

    @extend_schema(request=Rotation, responses=Rotated)
    def post(self, request: Request, pk: str) -> Response:
        """Sign with a new secret at once; the old one stays valid for a while."""
        given = read(Rotation, request.data)
        now, overlap = timezone.now(), timedelta(seconds=given["overlap_seconds"])
        with pointing({"overlap": "overlap_seconds"}):
            secret = signing_secrets.rotate(
                self.get_object(), by=self.person, now=now, overlap=overlap, reason=given["reason"]
            )
        return Response(Rotated({"secret": secret, "old_valid_until": now + overlap}).data)


class KeyPair(_Door):
    """The second signature, by a key pair."""

    @extend_schema(responses=PublicKeys)
    def get(self, request: Request, pk: str) -> Response:
        """Show what `v1a` signatures are verified with; empty where there are none."""
        return self._keys(timezone.now())

    @extend_schema(request=Rotation, responses=PublicKeys)
    def post(self, request: Request, pk: str) -> Response:
        """Sign with a new key pair at once; the old one stays valid for a while."""
        given = read(Rotation, request.data)
        now, overlap = timezone.now(), timedelta(seconds=given["overlap_seconds"])
        with pointing({"overlap": "overlap_seconds"}):
            signing_secrets.rotate_key_pair(
                self.get_object(), by=self.person, now=now, overlap=overlap, reason=given["reason"]
            )
        return self._keys(now)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Sign with the secret alone."""
        signing_secrets.end_key_pairs(self.get_object(), by=self.person, now=timezone.now())
        return Response(status=204)

    def _keys(self, now: datetime) -> Response:
        found = signing_secrets.public_keys(self.get_object(), now=now)
        return Response(PublicKeys({"public_keys": found}).data)


def _with_credentials(wish: dict[str, Any]) -> dict[str, Any]:
    """Return the wish with its credentials as the verbs take them."""
    if "credentials" not in wish:
        return wish
    given = wish["credentials"] or {}
    auth = dict(given.get("auth", {}))
    kind = _AUTH_KINDS.get(auth.pop("kind", ""))
    credentials = Credentials(
        headers=given.get("headers", {}), auth=kind(**auth) if kind is not None else None
    )
    return {**wish, "credentials": credentials}


def _takes(name: str) -> Q:
    """Match orders that get events of a type: by its name, or with all of its topic."""
    whole = Q(event_types=[], topic__in=EventType.objects.filter(name=name).values("topic"))
    return Q(event_types__contains=[name]) | whole
