"""Runbooks: what to do about a kind of failure, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Door, Instant, ListDoor, OneDoor, read
from catalog.models import Topic
from delivery import runbooks
from delivery.models import Runbook, Subscription
from delivery.runbooks import Content
from delivery.transports import ErrorClass
from governance import access
from governance.actions import Action

_KINDS = [one.value for one in ErrorClass]


class RunbookQuery(serializers.Serializer[Any]):
    """Which runbooks."""

    error_class = serializers.CharField(required=False)
    topic = serializers.CharField(required=False)
    subscription = serializers.UUIDField(required=False)


class RunbookShape(serializers.Serializer[Runbook]):
    """A runbook; an empty binding fits every failure."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField(help_text="Markdown; links to do:verb are buttons.")
    error_class = serializers.CharField(allow_blank=True)
    status_code = serializers.IntegerField(allow_null=True)
    topic = serializers.CharField(source="topic.name", default=None, allow_null=True)
    subscription = serializers.UUIDField(source="subscription_id", allow_null=True)
    version = serializers.IntegerField()
    is_active = serializers.BooleanField()
    changed_at = Instant()


class RunbookWish(serializers.Serializer[Any]):
    """What somebody writes."""

    title = serializers.CharField(max_length=120)
    text = serializers.CharField(max_length=runbooks.MOST_CHARACTERS)
    error_class = serializers.ChoiceField(
        choices=_KINDS, required=False, allow_blank=True, default=""
    )
    status_code = serializers.IntegerField(
        min_value=100, max_value=599, required=False, allow_null=True, default=None
    )
    topic = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="Its name."
    )
    subscription = serializers.UUIDField(required=False, allow_null=True, default=None)


class RunbookChange(RunbookWish):
    """The whole of another version, and which one it was written upon."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class _Door(Door[Runbook]):
    """A door to runbooks."""

    queryset = Runbook.objects.select_related("topic", "subscription")
    serializer_class = RunbookShape
    sees = Action.RUNBOOK_VIEW

    def content(self, wish: Mapping[str, Any]) -> Content:
        """Return what is to be written; raises ValidationError for what is not there."""
        topic = subscription = None
        if wish["topic"]:
            topics = access.restrict(Topic.objects.all(), self.person, Action.TOPIC_VIEW)
            topic = topics.filter(name=wish["topic"]).first()
            if topic is None:
                raise ValidationError({"topic": _("There is no such topic.")})
        if wish["subscription"]:
            seen = access.restrict(
                Subscription.objects.standing(), self.person, Action.SUBSCRIPTION_VIEW
            )
            subscription = seen.filter(pk=wish["subscription"]).first()
            if subscription is None:
                raise ValidationError({"subscription": _("There is no such subscription.")})
        return Content(
            title=wish["title"],
            text=wish["text"],
            error_class=wish["error_class"],
            status_code=wish["status_code"],
            topic=topic,
            subscription=subscription,
        )


class Runbooks(_Door, ListDoor[Runbook]):
    """The runbooks that the person may read."""

    query_class = RunbookQuery

    def narrowed(self, rows: QuerySet[Runbook]) -> QuerySet[Runbook]:
        """Keep what the parameters ask for."""
        columns = {"error_class": "error_class", "topic": "topic__name"}
        asked = self.asked
        named = {columns.get(name, name): value for name, value in asked.items()}
        return rows.filter(**named)

    @extend_schema(request=RunbookWish, responses={201: RunbookShape})
    def post(self, request: Request) -> Response:
        """Put a new runbook into use."""
        wish = read(RunbookWish, request.data)
        access.require(self.person, Action.RUNBOOK_CHANGE)
        made = runbooks.write(self.content(wish), by=self.person, now=timezone.now())
        return self.tell(made, status=201)


class OneRunbook(_Door, OneDoor[Runbook]):
    """One runbook."""

    @extend_schema(request=RunbookChange, responses=RunbookShape)
    def patch(self, request: Request, pk: str) -> Response:
        """Save another version of the whole; what was saved meanwhile is not overwritten."""
        row = self.get_object()
        wish = read(RunbookChange, request.data)
        made = runbooks.change(
            row,
            self.content(wish),
            version=wish["version"],
            reason=wish["reason"],
            by=self.person,
            now=timezone.now(),
        )
        return self.tell(made)
