"""Grants, and requests for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Asking, Door, ListDoor, OneDoor, pointing, read
from catalog.models import Application, Team, Topic
from governance import access, access_requests, grants
from governance.actions import Action
from governance.api.access_shapes import (
    GrantQuery,
    GrantShape,
    GrantWish,
    RequestApproval,
    RequestQuery,
    RequestRefusal,
    RequestShape,
    RequestWish,
    Revocation,
)
from governance.models import AccessRequest, Grant

M = TypeVar("M", bound=Model)
_COLUMNS = {
    "application": "application__slug",
    "team": "team__slug",
    "topic": "topic__name",
    "verb": "verb",
    "environment": "environment",
    "state": "state",
}


class _Grants(Door[Grant]):
    queryset = Grant.objects.with_names().select_related("granted_by")
    serializer_class = GrantShape
    sees = Action.GRANT_VIEW

    def now_as(self, grant: Grant, *, status: int = 200) -> Response:
        """Answer with the grant as it is after a verb."""
        return self.tell(_Grants.queryset.get(pk=grant.pk), status=status)


class Grants(_Grants, ListDoor[Grant]):
    """The grants that the person may see, newest first."""

    query_class = GrantQuery

    def narrowed(self, rows: QuerySet[Grant]) -> QuerySet[Grant]:
        """Keep what the parameters ask for."""
        return _by_columns(rows, self.asked)

    @extend_schema(request=GrantWish, responses={201: GrantShape})
    def post(self, request: Request) -> Response:
        """Give a grant; it holds at once."""
        wish = read(GrantWish, request.data)
        made = grants.give(
            _grantee(self, wish),
            topic=_topic(self, wish),
            by=self.person,
            now=timezone.now(),
            **{name: wish[name] for name in ("verb", "environment", "until", "reason")},
        )
        return self.now_as(made, status=201)


class OneGrant(_Grants, OneDoor[Grant]):
    """One grant."""


class Revoke(_Grants):
    """Taking a grant back."""

    @extend_schema(request=Revocation, responses=GrantShape)
    def post(self, request: Request, pk: str) -> Response:
        """Take it back, saying why: it ends at once."""
        given = read(Revocation, request.data)
        return self.now_as(
            grants.revoke(self.get_object(), by=self.person, now=timezone.now(), **given)
        )


class _Requests(Door[AccessRequest]):
    queryset = AccessRequest.objects.with_names().select_related("decided_by")
    serializer_class = RequestShape
    sees = Action.ACCESS_REQUEST_VIEW

    def now_as(self, pk: UUID, *, status: int = 200) -> Response:
        """Answer with the request as it is after a verb."""
        return self.tell(_Requests.queryset.get(pk=pk), status=status)


class Requests(_Requests, ListDoor[AccessRequest]):
    """The requests for access that the person may see, newest first."""

    query_class = RequestQuery

    def narrowed(self, rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
        """Keep what the parameters ask for."""
        return _by_columns(rows, self.asked)

    @extend_schema(request=RequestWish, responses={201: RequestShape})
    def post(self, request: Request) -> Response:
        """Ask for a grant for an application or team of one's own."""
        wish = read(RequestWish, request.data)
        with pointing({"until": "wanted_until"}):
            made = access_requests.make(
                _grantee(self, wish),
                topic=_topic(self, wish),
                by=self.person,
                now=timezone.now(),
                **{name: wish[name] for name in ("verb", "environment", "wanted_until", "reason")},
            )
        return self.now_as(made.pk, status=201)


class OneRequest(_Requests, OneDoor[AccessRequest]):
    """One request for access."""


class ApproveRequest(_Requests):
    """Giving what was asked for."""

    @extend_schema(request=RequestApproval, responses=RequestShape)
    def post(self, request: Request, pk: str) -> Response:
        """Give the grant, until the end that is said, else the one that was asked for."""
        given = read(RequestApproval, request.data)
        wanted = self.get_object()
        access_requests.approve(
            wanted,
            by=self.person,
            until=given.get("until", wanted.wanted_until),
            note=given["note"],
            now=timezone.now(),
        )
        return self.now_as(wanted.pk)


class RejectRequest(_Requests):
    """Refusing what was asked for."""

    @extend_schema(request=RequestRefusal, responses=RequestShape)
    def post(self, request: Request, pk: str) -> Response:
        """Refuse the request, saying why."""
        given = read(RequestRefusal, request.data)
        done = access_requests.reject(
            self.get_object(), by=self.person, now=timezone.now(), **given
        )
        return self.now_as(done.pk)


class WithdrawRequest(_Requests):
    """Taking a request back."""

    @extend_schema(request=None, responses=RequestShape)
    def post(self, request: Request, pk: str) -> Response:
        """Take it back before somebody decides."""
        done = access_requests.withdraw(self.get_object(), by=self.person, now=timezone.now())
        return self.now_as(done.pk)


def _by_columns(rows: QuerySet[M], asked: Mapping[str, Any]) -> QuerySet[M]:
    return rows.filter(**{_COLUMNS[name]: asked[name] for name in _COLUMNS if name in asked})


def _grantee(door: Asking, wish: Mapping[str, Any]) -> Application | Team:
    """Return the application or the team that the request names; one of the two."""
    if ("application" in wish) == ("team" in wish):
        raise ValidationError({"application": _("Name an application or a team, one of the two.")})
    found: Application | Team | None
    if "team" in wish:
        found = Team.objects.filter(slug=wish["team"]).first()
    else:
        seen = access.restrict(Application.objects.all(), door.person, Action.APPLICATION_VIEW)
        found = seen.select_related("team").filter(slug=wish["application"]).first()
    if found is None:
        name = "team" if "team" in wish else "application"
        raise ValidationError({name: _("There is none of that name.")})
    return found


def _topic(door: Asking, wish: Mapping[str, Any]) -> Topic:
    seen = access.restrict(Topic.objects.all(), door.person, Action.TOPIC_VIEW)
    found = seen.filter(name=wish["topic"]).first()
    if found is None:
        raise ValidationError({"topic": _("There is no such topic.")})
    return found
