"""Admin classes for tables that grow with traffic: no page costs more as they grow."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin.classes import GuardedAdmin
from catalog.guarded_admin.links import Text
from catalog.ids import first_of

COUNTED = 5_000  # rows of a big table that its pages count; more are there and found by searching


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Counts no further than `COUNTED`, so that a page costs the same whatever the table holds."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, at most `COUNTED`."""
        rows = cast("QuerySet[models.Model]", self.object_list)
        return rows.order_by()[:COUNTED].count()


class RecentFilter(admin.SimpleListFilter):
    """Rows by the time in their key: prunes partitions and needs no index of its own."""

    title = _("time")
    parameter_name = "since"
    spans: ClassVar[Mapping[str, tuple[Text, timedelta]]] = {
        "hour": (_("Past hour"), timedelta(hours=1)),
        "day": (_("Past day"), timedelta(days=1)),
        "week": (_("Past 7 days"), timedelta(days=7)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the spans to choose from."""
        return [(name, label) for name, (label, _span) in self.spans.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was made within the span."""
        span = self.spans.get(self.value() or "")
        return queryset.filter(pk__gte=first_of(timezone.now() - span[1])) if span else queryset


class BigTableAdmin(GuardedAdmin):
    """For tables that grow with traffic: nothing is counted to its end, order is the key's.

    `found_by` names columns of UUIDs, and `search_fields` columns of text, that are found whole:
    both by an index.
    """

    found_by: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    paginator = BoundedPaginator
    ordering = ("-pk",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.search_fields, *self.found_by)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Keep what has exactly this text or id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = [Q(**{name: term}) for name in self.search_fields]
        with contextlib.suppress(ValueError):
            found += [Q(**{name: UUID(term)}) for name in self.found_by]
        return queryset.filter(reduce(or_, found, Q(pk__in=[]))), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ByKey


class ByKey(ChangeList):
    """A list in the order of the key alone, which every partition has an index for."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-pk"]


class LogAdmin(BigTableAdmin):
    """A big table whose few text columns are searched for parts of what they say."""

    get_search_results = GuardedAdmin.get_search_results
