"""Change requests: proposing, reviewing, applying."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Door, ListDoor, read
from catalog.models import Application, EventType, SchemaVersion, Topic
from governance import access, proposals, reviews
from governance.actions import Action
from governance.api.change_shapes import (
    Approval,
    ChangeEdit,
    ChangeQuery,
    ChangeShape,
    ChangeWish,
    CommentShape,
    CommentWish,
    Emergency,
    Objection,
    SignOffWish,
    WholeChangeShape,
    Withdrawal,
)
from governance.governed import governed
from governance.models import ChangeRequest, Comment

# Members of the request itself; every other fault is in its proposal.
_OWN_MEMBERS = ("/kind", "/topic", "/event_type", "/base", "/reason")


class _Door(Door[ChangeRequest]):
    """A door to change requests; one is answered whole."""

    queryset = ChangeRequest.objects.select_related(
        "topic__owner", "event_type", "base", "proposed_by"
    )
    serializer_class: type[ChangeShape] = WholeChangeShape
    sees = Action.CHANGE_VIEW

    def now_as(self, change: ChangeRequest, *, status: int = 200) -> Response:
        """Answer with the request as it is after a verb."""
        return self.tell(_Door.queryset.get(pk=change.pk), status=status)


class Changes(_Door, ListDoor[ChangeRequest]):
    """The change requests that the person may see, newest first."""

    serializer_class = ChangeShape
    query_class = ChangeQuery

    def narrowed(self, rows: QuerySet[ChangeRequest]) -> QuerySet[ChangeRequest]:
        """Keep what the parameters ask for."""
        asked = self.asked
        columns = {
            "state": "state",
            "kind": "kind",
            "topic": "topic__name",
            "event_type": "event_type__name",
            "proposed_by": "proposed_by__username",
        }
        rows = rows.filter(**{columns[name]: asked[name] for name in columns if name in asked})
        if "search" in asked:
            words = asked["search"]
            rows = rows.filter(Q(title__icontains=words) | Q(reason__icontains=words))
        return rows

    @extend_schema(request=ChangeWish, responses={201: WholeChangeShape})
    def post(self, request: Request) -> Response:
        """Propose a change and open it for review: the checks run, and their answers come back."""
        wish = read(ChangeWish, request.data)
        event_type, base = self._about(wish)
        now, by = timezone.now(), self.person
        with _in_proposal(), governed(by=by, now=now, reason=wish["reason"]):
            change = reviews.propose(
                wish["kind"],
                topic=self._topic(wish),
                event_type=event_type,
                base=base,
                title=wish["title"],
                reason=wish["reason"],
                proposal=wish["proposal"],
                by=by,
                now=now,
            )
            if not wish["draft"]:
                change = reviews.open_(change, by=by, now=now)
        row = _Door.queryset.get(pk=change.pk)
        return Response(WholeChangeShape(row).data, status=201)

    def _topic(self, wish: dict[str, Any]) -> Topic | None:
        if "topic" not in wish:
            return None
        topics = access.restrict(Topic.objects.all(), self.person, Action.TOPIC_VIEW)
        found = topics.filter(name=wish["topic"]).first()
        if found is None:
            raise ValidationError({"topic": _("There is no such topic.")})
        return found

    def _about(self, wish: dict[str, Any]) -> tuple[EventType | None, SchemaVersion | None]:
        """Return the event type and the version that the request names."""
        if "event_type" not in wish:
            if "base" in wish:
                raise ValidationError({"event_type": _("Say of which event type this version is.")})
            return None, None
        types = access.restrict(EventType.objects.all(), self.person, Action.EVENT_TYPE_VIEW)
        event_type = types.select_related("topic__owner").filter(name=wish["event_type"]).first()
        if event_type is None:
            raise ValidationError({"event_type": _("There is no such event type.")})
        if "base" not in wish:
            return event_type, None
        base = SchemaVersion.objects.filter(event_type=event_type, version=wish["base"]).first()
        if base is None:
            raise ValidationError({"base": _("There is no such version.")})
        return event_type, base


class OneChange(_Door):
    """One change request."""

    @extend_schema(responses=WholeChangeShape)
    def get(self, request: Request, pk: str) -> Response:
        """Show the request with its proposal, checks and reviews."""
        return self.tell(self.get_object())

    @extend_schema(request=ChangeEdit, responses=WholeChangeShape)
    def patch(self, request: Request, pk: str) -> Response:
        """Change the proposal: approvals given before are void."""
        given = read(ChangeEdit, request.data)
        change = self.get_object()
        with _in_proposal():
            return self.now_as(reviews.edit(change, by=self.person, now=timezone.now(), **given))


class Open(_Door):
    """Asking for review."""

    @extend_schema(request=None, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Open a draft, or what was sent back; the checks run."""
        return self.now_as(reviews.open_(self.get_object(), by=self.person, now=timezone.now()))


class Approve(_Door):
    """Approving."""

    @extend_schema(request=Approval, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Approve the proposal as it stands; never one's own."""
        given = read(Approval, request.data)
        and_apply = given.pop("apply")
        return self.now_as(
            reviews.approve(
                self.get_object(),
                by=self.person,
                now=timezone.now(),
                and_apply=and_apply,
                **given,
            )
        )


class Recheck(_Door):
    """Checking again."""

    @extend_schema(request=None, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Run the checks again: what is live, or what traffic says, may have changed."""
        return self.now_as(reviews.recheck(self.get_object(), by=self.person, now=timezone.now()))


class Reject(_Door):
    """Refusing for good."""

    @extend_schema(request=Objection, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Reject the request, saying why."""
        given = read(Objection, request.data)
        return self.now_as(
            reviews.reject(self.get_object(), by=self.person, now=timezone.now(), **given)
        )


class RequestChanges(_Door):
    """Sending back."""

    @extend_schema(request=Objection, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Return the request to its author, saying what is wished for."""
        given = read(Objection, request.data)
        return self.now_as(
            reviews.send_back(self.get_object(), by=self.person, now=timezone.now(), **given)
        )


class Withdraw(_Door):
    """Taking back."""

    @extend_schema(request=Withdrawal, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Withdraw the request for good."""
        given = read(Withdrawal, request.data)
        return self.now_as(
            reviews.withdraw(self.get_object(), by=self.person, now=timezone.now(), **given)
        )


class Apply(_Door):
    """Carrying out."""

    @extend_schema(request=None, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Do what was approved, all of it or nothing."""
        return self.now_as(reviews.apply(self.get_object(), by=self.person, now=timezone.now()))


class MakeEmergency(_Door):
    """Carrying out without a review."""

    @extend_schema(request=Emergency, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Make the change now; it is marked as an emergency for ever. For admins."""
        given = read(Emergency, request.data)
        return self.now_as(
            reviews.emergency(self.get_object(), by=self.person, now=timezone.now(), **given)
        )


class SignOff(_Door):
    """The word of a subscriber that breaks."""

    @extend_schema(request=SignOffWish, responses=WholeChangeShape)
    def post(self, request: Request, pk: str) -> Response:
        """Say for an application of one's team whether it can live with the change."""
        given = read(SignOffWish, request.data)
        change = self.get_object()
        mine = access.restrict(Application.objects.all(), self.person, Action.CHANGE_SIGN_OFF)
        application = mine.filter(slug=given.pop("application")).first()
        if application is None:
            raise ValidationError({"application": _("There is no such application of yours.")})
        reviews.sign_off(
            change, application=application, by=self.person, now=timezone.now(), **given
        )
        return self.now_as(change)


class Comments(ListDoor[Comment]):
    """The discussion of a request, oldest first."""

    queryset = Comment.objects.select_related("author")
    serializer_class = CommentShape
    sees = Action.CHANGE_VIEW
    orders_by = "pk"

    def get_queryset(self) -> QuerySet[Comment]:
        """Return what was said of the request, if the person may see that."""
        return Comment.objects.select_related("author").filter(change_request=self._change())

    def _change(self) -> ChangeRequest:
        return OneChange(request=self.request, kwargs=self.kwargs).get_object()

    @extend_schema(request=CommentWish, responses={201: CommentShape})
    def post(self, request: Request, pk: str) -> Response:
        """Say something in the discussion."""
        given = read(CommentWish, request.data)
        made = reviews.comment(self._change(), by=self.person, now=timezone.now(), **given)
        return Response(CommentShape(made).data, status=201)


@contextmanager
def _in_proposal() -> Iterator[None]:
    """Say a proposal's faults at its place in the request."""
    try:
        yield
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            raise
        raise ValidationError([_placed(one) for one in error.error_list]) from error


def _placed(error: ValidationError) -> ValidationError:
    given = error.params if isinstance(error.params, dict) else {}
    pointer = str(given.get("pointer", ""))
    if pointer in _OWN_MEMBERS or not given:
        return error
    place = "/proposal/document" if error.code == "schema" else "/proposal"
    return proposals.at(error.messages[0], f"{place}{pointer}", code=error.code or "invalid")
