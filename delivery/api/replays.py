"""Replays: previewed, ordered, watched and stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import EnvironmentDoor, ListDoor, OneDoor, pointing, read
from catalog.models import Topic
from delivery import replay_plans, replays
from delivery.api.shapes import Reason, ReplayMade, ReplayQuery, ReplayShape, ReplayWish
from delivery.models import FailureGroup, Replay, Subscription
from delivery.replay_selections import Selection
from delivery.states import DeliveryStatus
from governance import access
from governance.actions import Action


class _Door(EnvironmentDoor[Replay]):
    """A door to replays."""

    queryset = Replay.objects.select_related("requested_by")
    serializer_class = ReplayShape
    sees = Action.REPLAY_VIEW

    def narrowed(self, rows: QuerySet[Replay]) -> QuerySet[Replay]:
        """Count the items with the rows, and keep those of the key's environment."""
        return super().narrowed(rows).annotate(**_counts())

    def told(self, rows: Sequence[Replay]) -> Sequence[object]:
        """Return the replays with how far they have come."""
        return [_told(row) for row in rows]


class Replays(_Door, ListDoor[Replay]):
    """The replays that the person may see, newest first."""

    query_class = ReplayQuery

    def narrowed(self, rows: QuerySet[Replay]) -> QuerySet[Replay]:
        """Keep what the parameters ask for, in one environment."""
        asked = self.asked
        rows = super().narrowed(rows)
        rows = rows.filter(environment=self.environment(asked.get("environment", "")))
        return rows.filter(state=asked["status"]) if "status" in asked else rows

    @extend_schema(request=ReplayWish, responses={200: ReplayMade, 201: ReplayMade})
    def post(self, request: Request) -> Response:
        """Order a replay; with `dry_run`, count what it would do and answer 200."""
        wish = read(ReplayWish, request.data)
        chosen = cast(dict[str, Any], request.data)["filter"]  # as sent: it may say too much
        access.require(self.person, Action.DELIVERY_REPLAY)
        with pointing({"selection": "filter"}):
            selection = self._selection(chosen)
            target = self._subscription(wish["subscription"])
            what: dict[str, Any] = {
                "environment": self._environment(wish.get("environment", ""), selection, target),
                "subscription": target,
                "rate": wish["rate"],
                "includes_arrived": wish["includes_arrived"],
                "by": self.person,
                "now": timezone.now(),
            }
            if wish["dry_run"]:
                return Response(ReplayMade(_previewed(replays.preview(selection, **what))).data)
            made = replays.start(
                selection, reason=wish["reason"], one_first=wish["one_first"], **what
            )
        answer = {"id": made.pk, "matched": made.matched, "status": made.state}
        return Response(ReplayMade(answer).data, status=201)

    def _selection(self, chosen: Mapping[str, Any]) -> Selection:
        """Read the filter as it was sent, a topic by its name; faults stand under /filter."""
        values = dict(chosen)
        if values.get("topic"):
            topics = access.restrict(Topic.objects.all(), self.person, Action.TOPIC_VIEW)
            found = topics.filter(name=str(values["topic"])).values_list("pk", flat=True).first()
            if found is None:
                raise ValidationError({"filter/topic": _("There is no such topic.")})
            values["topic"] = found
        with pointing({}, under="filter"):
            return Selection.of(values)

    def _subscription(self, pk: UUID | None) -> Subscription | None:
        if pk is None:
            return None
        seen = access.restrict(Subscription.objects.all(), self.person, Action.SUBSCRIPTION_VIEW)
        found = seen.with_names().filter(pk=pk).first()
        if found is None:
            raise ValidationError({"subscription": _("There is no such subscription.")})
        return found

    def _environment(self, wanted: str, selection: Selection, target: Subscription | None) -> str:
        """Return the environment that is said, else the one of what the filter names."""
        if wanted or self.key_environment:
            return self.environment(wanted)
        if target is not None:
            return target.environment
        named: Any = None
        if selection.failure_group:
            named = FailureGroup.objects.filter(pk=selection.failure_group)
        elif selection.subscription:
            named = Subscription.objects.filter(pk=selection.subscription)
        found = named.values_list("environment", flat=True).first() if named is not None else None
        return self.environment(found or "")


class OneReplay(_Door, OneDoor[Replay]):
    """One replay and its progress."""


class Cancel(_Door):
    """Stopping a replay."""

    @extend_schema(request=Reason, responses=ReplayShape)
    def post(self, request: Request, pk: str) -> Response:
        """Stop for good: what is not out yet is not sent."""
        given = read(Reason, request.data)
        replays.cancel(self.get_object(), by=self.person, now=timezone.now(), **given)
        return self.tell(self.get_object())


class Approve(_Door):
    """Letting a large replay begin."""

    @extend_schema(request=None, responses=ReplayShape)
    def post(self, request: Request, pk: str) -> Response:
        """Approve it; never one's own."""
        replays.approve(self.get_object(), by=self.person, now=timezone.now())
        return self.tell(self.get_object())


def _counts() -> dict[str, Count]:
    """Return what `replays.progress` counts, for many replays in their own query."""
    is_sent = Q(items__refused="", items__delivery_id__isnull=False)
    arrived = Q(items__result=DeliveryStatus.DELIVERED)
    ended = ~Q(items__result="")
    return {
        "waiting": Count("items", filter=Q(items__refused="", items__delivery_id__isnull=True)),
        "under_way": Count("items", filter=is_sent & ~ended),
        "arrived": Count("items", filter=is_sent & arrived),
        "failed": Count("items", filter=is_sent & ended & ~arrived),
        "refused_count": Count("items", filter=Q(items__refused__gt="")),
    }


def _told(row: Any) -> dict[str, object]:
    return {
        "id": row.pk,
        "number": row.number,
        "environment": row.environment,
        "status": row.state,
        "filter": row.selection,
        "subscription": row.subscription_id,
        "reason": row.reason,
        "rate": row.rate_per_second,
        "requested_by": row.requested_by.username,
        "requested_at": row.requested_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "matched": row.matched,
        "waiting": row.waiting,
        "under_way": row.under_way,
        "arrived": row.arrived,
        "failed": row.failed,
        "refused": row.refused_count,
    }


def _previewed(preview: replay_plans.Preview) -> dict[str, object]:
    return {
        "id": None,
        "matched": preview.matched,
        "status": "dry_run",
        "preview": {
            "will_send": preview.will_send,
            "arrived": preview.arrived,
            "refused": dict(preview.refused),
            "seconds": preview.seconds,
            "needs_approval": preview.needs_approval,
        },
    }
