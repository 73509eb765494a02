"""What a person was told, and how they want to be told."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Asking, Instant, ListDoor, read
from catalog.models import User
from catalog.words import UserKind
from delivery import notifications
from delivery.models import Notification
from delivery.news_kinds import MailTime, NewsKind
from delivery.notifications import Choice


class NewsQuery(serializers.Serializer[Any]):
    """Which news."""

    unread = serializers.BooleanField(required=False, allow_null=True, default=None)


class NewsShape(serializers.Serializer[Notification]):
    """One sentence, and the page where the person can act."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    text = serializers.CharField()
    path = serializers.CharField(help_text="A page of this portal; empty for none.")
    created_at = Instant()
    read_at = Instant(allow_null=True)


class ChoiceShape(serializers.Serializer[Any]):
    """How the person hears of one kind of news."""

    kind = serializers.ChoiceField(choices=NewsKind.choices)
    portal = serializers.BooleanField()
    mail = serializers.ChoiceField(choices=MailTime.choices)


class ChoicesShape(serializers.Serializer[Any]):
    """The kinds of news, each with how the person hears of it."""

    choices = ChoiceShape(many=True)


class News(ListDoor[Notification]):
    """What the person was told in the portal, newest first."""

    query_class = NewsQuery
    queryset = Notification.objects.all()
    serializer_class = NewsShape
    orders_by = ("-created_at", "-pk")

    def get_queryset(self) -> QuerySet[Notification]:
        """Return the person's own, read or not as asked."""
        found = notifications.of(self.person)
        unread = self.asked["unread"]
        return found if unread is None else found.filter(read_at__isnull=unread)


class Read(Asking):
    """One of the person's news."""

    @extend_schema(request=None, responses={200: NewsShape})
    def post(self, request: Request, pk: Any) -> Response:
        """Mark it as read; again is as good."""
        notifications.mark_read(self.person, now=timezone.now(), pk=pk)
        return Response(NewsShape(get_object_or_404(notifications.of(self.person), pk=pk)).data)


class Choices(Asking):
    """How the person wants to be told."""

    @extend_schema(responses={200: ChoicesShape})
    def get(self, request: Request) -> Response:
        """Show how the person hears of each kind."""
        return Response(_told(_reader(self.person)))

    @extend_schema(request=ChoicesShape, responses={200: ChoicesShape})
    def patch(self, request: Request) -> Response:
        """Change the kinds that are named; the others stay as they are."""
        person = _reader(self.person)
        wanted = read(ChoicesShape, request.data)["choices"]
        notifications.choose(
            person,
            {
                NewsKind(one["kind"]): Choice(is_shown=one["portal"], mail=MailTime(one["mail"]))
                for one in wanted
            },
        )
        return Response(_told(person))


def _reader(user: User) -> User:
    if user.kind != UserKind.PERSON:
        raise PermissionDenied(_("Only people are told anything: a key has nothing to choose."))
    return user


def _told(person: User) -> object:
    chosen = notifications.choices(person)
    return ChoicesShape(
        {
            "choices": [
                {"kind": kind, "portal": one.is_shown, "mail": one.mail}
                for kind, one in chosen.items()
            ]
        }
    ).data
