"""Atom feeds of contract changes: of an event type, a domain, or all that the person may see."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from catalog import documents
from catalog.api.conditional import AsStored, document
from catalog.api.doors import Door
from catalog.api.shapes import EventTypeShape
from catalog.models import Domain, EventType, SchemaVersion
from governance.actions import Action

ATOM_TYPE = "application/atom+xml"
_ANSWERS = {(200, ATOM_TYPE): OpenApiTypes.STR}


class _Feed(Door[EventType]):
    queryset = EventType.objects.all()
    serializer_class = EventTypeShape
    sees = Action.EVENT_TYPE_VIEW
    content_negotiation_class = AsStored

    def feed(
        self, request: Request, types: QuerySet[EventType], *, title: str, page: str
    ) -> HttpResponseBase:
        """Answer with the changes of these types."""
        feed = documents.feed(
            types, title=title, path=request.path, page_path=page, page_of=_page, now=_since(types)
        )
        return document(
            request,
            documents.atom(feed),
            content_type=documents.ATOM_TYPE,
            changed_at=feed.updated,
        )


def _page(version: SchemaVersion) -> str:
    """Return the page that compares a version with others."""
    page = reverse("catalog:event-type-versions", args=[version.event_type.name])
    return f"{page}?new={version.version}"


def _since(types: QuerySet[EventType]) -> datetime:
    """Return what dates a feed without entries: nothing has changed since the youngest type."""
    youngest: datetime | None = types.aggregate(at=Max("created_at"))["at"]
    return youngest or timezone.now()


class OfEverything(_Feed):
    """Changes of all contracts."""

    @extend_schema(responses=_ANSWERS, operation_id="feed_retrieve")
    def get(self, request: Request) -> HttpResponseBase:
        """Return the latest changes of the contracts that the person may see, as Atom."""
        page = reverse("catalog:event-type-list")
        return self.feed(request, self.get_queryset(), title=_("Contract changes"), page=page)


class OfDomain(_Feed):
    """Changes of one domain's contracts."""

    @extend_schema(responses=_ANSWERS, operation_id="domain_feed_retrieve")
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Return the latest changes of the domain's contracts that the person may see, as Atom."""
        domain = get_object_or_404(Domain, slug=slug)
        types = self.get_queryset().filter(topic__domain=domain)
        page = reverse("catalog:domain-detail", args=[slug])
        title = _("Contract changes in %s") % domain.name
        return self.feed(request, types, title=title, page=page)


class OfEventType(_Feed):
    """Changes of one contract."""

    lookup_field = "name"

    @extend_schema(responses=_ANSWERS, operation_id="event_type_feed_retrieve")
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Return the latest changes of the event type's contract, as Atom."""
        event_type = self.get_object()
        types = self.get_queryset().filter(pk=event_type.pk)
        page = reverse("catalog:event-type-versions", args=[name])
        title = _("Contract changes of %s") % event_type.title
        return self.feed(request, types, title=title, page=page)
