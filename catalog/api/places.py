"""Domains, topics, applications and teams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from catalog.api.doors import Door, ListDoor, OneDoor
from catalog.api.shapes import (
    ApplicationQuery,
    ApplicationShape,
    DomainQuery,
    DomainShape,
    TeamQuery,
    TeamShape,
    TopicQuery,
    TopicShape,
)
from catalog.models import Application, Domain, Team, Topic
from governance.actions import Action


class _Teams(Door[Team]):
    queryset = Team.objects.order_by("slug")
    serializer_class = TeamShape
    sees = Action.TOPIC_VIEW
    lookup_field = "slug"
    orders_by = "slug"


class Teams(_Teams, ListDoor[Team]):
    """The teams that own things."""

    query_class = TeamQuery

    def narrowed(self, rows: QuerySet[Team]) -> QuerySet[Team]:
        """Keep those of the words."""
        return with_words(rows, self.asked, "slug", "name")


class OneTeam(_Teams, OneDoor[Team]):
    """One team."""


class _Domains(Door[Domain]):
    queryset = Domain.objects.select_related("owner")
    serializer_class = DomainShape
    sees = Action.TOPIC_VIEW
    lookup_field = "slug"
    orders_by = "slug"


class Domains(_Domains, ListDoor[Domain]):
    """The business areas."""

    query_class = DomainQuery

    def narrowed(self, rows: QuerySet[Domain]) -> QuerySet[Domain]:
        """Keep what the parameters ask for."""
        rows = with_words(rows, self.asked, "slug", "name", "description")
        return by_columns(rows, self.asked, {"owner": "owner__slug"})


class OneDomain(_Domains, OneDoor[Domain]):
    """One business area."""


class _Topics(Door[Topic]):
    queryset = Topic.objects.with_owners()
    serializer_class = TopicShape
    sees = Action.TOPIC_VIEW
    lookup_field = "name"
    orders_by = "name"


class Topics(_Topics, ListDoor[Topic]):
    """The topics that the person may see."""

    query_class = TopicQuery

    def narrowed(self, rows: QuerySet[Topic]) -> QuerySet[Topic]:
        """Keep what the parameters ask for."""
        asked = self.asked
        columns = {
            "domain": "domain__slug",
            "owner": "owner__slug",
            "kind": "kind",
            "criticality": "criticality",
        }
        rows = by_columns(with_words(rows, asked, "name", "title", "description"), asked, columns)
        return rows.filter(goes_to(asked["region"])) if "region" in asked else rows


class OneTopic(_Topics, OneDoor[Topic]):
    """One topic."""


class _Applications(Door[Application]):
    queryset = Application.objects.select_related("team")
    serializer_class = ApplicationShape
    sees = Action.APPLICATION_VIEW
    lookup_field = "slug"
    orders_by = "slug"


class Applications(_Applications, ListDoor[Application]):
    """The applications that the person may see."""

    query_class = ApplicationQuery

    def narrowed(self, rows: QuerySet[Application]) -> QuerySet[Application]:
        """Keep what the parameters ask for."""
        asked = self.asked
        columns = {"owner": "team__slug", "kind": "kind", "region": "region_id"}
        return by_columns(with_words(rows, asked, "slug", "name", "description"), asked, columns)


class OneApplication(_Applications, OneDoor[Application]):
    """One application."""


def by_columns(
    rows: QuerySet[Any], asked: Mapping[str, Any], columns: Mapping[str, str]
) -> QuerySet[Any]:
    """Keep rows whose columns have the values of the parameters that were given."""
    return rows.filter(**{columns[name]: asked[name] for name in columns if name in asked})


def with_words(rows: QuerySet[Any], asked: Mapping[str, Any], *columns: str) -> QuerySet[Any]:
    """Keep rows that have each word of `?search=` in one of the columns."""
    for word in asked.get("search", "").split():
        somewhere = Q()
        for column in columns:
            somewhere |= Q(**{f"{column}__icontains": word})
        rows = rows.filter(somewhere)
    return rows


def goes_to(region: str, path: str = "") -> Q:
    """Match topics whose events may be delivered to a region: bound to it, or to none."""
    return Q(**{f"{path}regions__contains": [region]}) | Q(**{f"{path}regions": []})
