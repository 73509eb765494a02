"""Event types and the versions of their contracts."""

from __future__ import annotations

import json

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import lifecycle, referring, schemas
from catalog.api.conditional import AsStored, document
from catalog.api.doors import Door, ListDoor, OneDoor, read
from catalog.api.places import by_columns, goes_to
from catalog.api.shapes import (
    DataToCheck,
    EventTypeQuery,
    EventTypeShape,
    Judgement,
    VersionShape,
)
from catalog.models import EventType, Release, SchemaVersion
from governance import access
from governance.actions import Action

SCHEMA_TYPE = "application/schema+json"


class _Types(Door[EventType]):
    queryset = EventType.objects.with_places()
    serializer_class = EventTypeShape
    sees = Action.EVENT_TYPE_VIEW
    lookup_field = "name"
    orders_by = "name"

    def narrowed(self, rows: QuerySet[EventType]) -> QuerySet[EventType]:
        """Say how far each type is in the environment asked for."""
        return lifecycle.with_lifecycle(
            rows,  # type: ignore[arg-type]  # the manager's own queryset
            self.environment(self.asked.get("environment", "")),
        )


class EventTypes(_Types, ListDoor[EventType]):
    """The event types that the person may see."""

    query_class = EventTypeQuery

    def narrowed(self, rows: QuerySet[EventType]) -> QuerySet[EventType]:
        """Keep what the parameters ask for."""
        asked = self.asked
        words = asked.get("search", "")
        found = EventType.objects.matching(words).order_by().values("pk") if words else None
        rows = super().narrowed(rows if found is None else rows.filter(pk__in=found))
        columns = {
            "topic": "topic__name",
            "domain": "topic__domain__slug",
            "owner": "topic__owner__slug",
            "kind": "topic__kind",
            "criticality": "topic__criticality",
            "lifecycle": "lifecycle",
        }
        rows = by_columns(rows, asked, columns)
        if "tag" in asked:
            rows = rows.filter(tags__contains=[asked["tag"]])
        return rows.filter(goes_to(asked["region"], "topic__")) if "region" in asked else rows


class OneEventType(_Types, OneDoor[EventType]):
    """One event type."""


class _Versions(Door[SchemaVersion]):
    queryset = SchemaVersion.objects.select_related("event_type").prefetch_related(
        Prefetch("releases", Release.objects.select_related("replacement"))
    )
    serializer_class = VersionShape
    sees = Action.EVENT_TYPE_VIEW
    lookup_field = "version"
    orders_by = ("-major", "-minor", "-patch")

    def narrowed(self, rows: QuerySet[SchemaVersion]) -> QuerySet[SchemaVersion]:
        """Keep those of the event type that the address names."""
        return rows.filter(event_type__name=self.kwargs.get("name", ""))


class Versions(_Versions, ListDoor[SchemaVersion]):
    """The versions of an event type, the highest first."""

    def get_queryset(self) -> QuerySet[SchemaVersion]:
        """Return the versions; answers 404 for a type that the person may not see."""
        types = access.restrict(EventType.objects.all(), self.person, Action.EVENT_TYPE_VIEW)
        if not types.filter(name=self.kwargs.get("name", "")).exists():
            raise NotFound
        return super().get_queryset()


class OneVersion(_Versions, OneDoor[SchemaVersion]):
    """One version."""


class RawSchema(_Versions):
    """The schema of a version, as it is stored."""

    content_negotiation_class = AsStored

    @extend_schema(responses={(200, SCHEMA_TYPE): OpenApiTypes.OBJECT})
    def get(self, request: Request, name: str, version: str) -> HttpResponseBase:
        """Return the stored bytes: this address is the `dataschema` of the version's events."""
        row = self.get_object()
        return document(
            request, row.document.encode(), content_type=SCHEMA_TYPE, changed_at=row.created_at
        )


class VersionExample(_Versions):
    """Example data of a version."""

    @extend_schema(responses=OpenApiTypes.ANY)
    def get(self, request: Request, name: str, version: str) -> Response:
        """Return the version's example, else one made of its schema."""
        return Response(example_of(self.get_object()))


class Example(Door[EventType]):
    """Example data of an event type."""

    queryset = EventType.objects.all()
    sees = Action.EVENT_TYPE_VIEW
    lookup_field = "name"
    serializer_class = EventTypeShape

    @extend_schema(responses=OpenApiTypes.ANY)
    def get(self, request: Request, name: str) -> Response:
        """Return the example of the newest version that is accepted, else of the newest."""
        event_type = self.get_object()
        return Response(example_of(newest(event_type, self.environment())))


class Validate(Door[EventType]):
    """Holding data against a contract, without publishing it."""

    queryset = EventType.objects.all()
    serializer_class = DataToCheck
    sees = Action.EVENT_TYPE_VIEW
    lookup_field = "name"

    @extend_schema(request=DataToCheck, responses=Judgement)
    def post(self, request: Request, name: str) -> Response:
        """Say whether the data keeps the contract, and where it does not."""
        wish = read(DataToCheck, request.data)
        event_type = self.get_object()
        environment = self.environment(wish.get("environment", ""))
        version = newest(event_type, environment, named=wish.get("version", ""))
        check = schemas.validator_for(version.document, resolve=referring.resolve)
        errors = [
            {"pointer": problem.pointer, "message": problem.message}
            for problem in check.iter_errors(wish["data"])
        ]
        answer = {"valid": not errors, "version": version.version, "errors": errors}
        return Response(Judgement(answer).data)


def newest(event_type: EventType, environment: str, *, named: str = "") -> SchemaVersion:
    """Return the version of that number, else the newest accepted one, else the newest.

    Raises ValidationError for a number that there is not, and NotFound for a type without versions.
    """
    versions = event_type.versions.newest_first()
    if named:
        found = versions.filter(version=named).first()
        if found is None:
            raise ValidationError({"version": _("There is no version %s.") % named})
        return found
    found = versions.accepted_in(environment).first() or versions.first()
    if found is None:
        raise NotFound(_("This event type has no version yet."))
    return found


def example_of(version: SchemaVersion) -> object:
    """Return example data of a version."""
    if version.example:
        return json.loads(version.example)
    return schemas.sample(version.document, resolve=referring.resolve)
