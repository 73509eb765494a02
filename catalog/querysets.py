"""The query words of the catalog. Who may see what is asked of `governance.access.restrict`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db import models
from django.db.models import F, Q

from catalog.moves import Movable
from catalog.words import ReleaseState

if TYPE_CHECKING:
    from catalog.models import (  # noqa: F401 - the type arguments below are strings
        Application,
        EventType,
        Release,
        SchemaVersion,
        Topic,
    )


class TopicQuerySet(models.QuerySet["Topic"]):
    def with_owners(self) -> Self:
        """Load domain and owning team in the same query."""
        return self.select_related("domain", "owner")


class EventTypeQuerySet(models.QuerySet["EventType"]):
    def with_places(self) -> Self:
        """Load topic, domain and owning team in the same query."""
        return self.select_related("topic", "topic__domain", "topic__owner")

    def matching(self, words: str) -> Self:
        """Keep what matches every word, by stem or as a part of name or title; best first."""
        words = words.strip()
        if not words:
            return self
        query = SearchQuery(words, search_type="websearch", config="english")
        parts = Q()
        for word in words.split():
            parts &= Q(name__icontains=word) | Q(title__icontains=word)
        return (
            self.annotate(rank=SearchRank(F("search"), query))
            .filter(Q(search=query) | parts)
            .order_by(F("rank").desc(nulls_last=True), "name")
        )


class SchemaVersionQuerySet(models.QuerySet["SchemaVersion"]):
    def newest_first(self) -> Self:
        """Order by MAJOR.MINOR.PATCH, the highest first."""
        return self.order_by("-major", "-minor", "-patch")

    def accepted_in(self, environment: str) -> Self:
        """Keep versions that a publisher may use in the environment: live or deprecated."""
        return self.filter(
            releases__environment=environment,
            releases__state__in=[ReleaseState.LIVE, ReleaseState.DEPRECATED],
        )

    def live_in(self, environment: str) -> Self:
        """Keep versions that are live in the environment."""
        return self.filter(releases__environment=environment, releases__state=ReleaseState.LIVE)


class ReleaseQuerySet(Movable["Release"]):
    def accepted(self) -> Self:
        """Keep releases that publishers may use."""
        return self.filter(state__in=[ReleaseState.LIVE, ReleaseState.DEPRECATED])


class ApplicationQuerySet(models.QuerySet["Application"]):
    def active(self) -> Self:
        """Keep applications that may act."""
        return self.filter(is_active=True)
