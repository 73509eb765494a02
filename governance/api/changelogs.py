"""What a version of a contract changed, in plain sentences."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Door
from catalog.models import SchemaVersion
from governance import changelogs
from governance.actions import Action
from governance.api.compatibility import told
from governance.api.compatibility_shapes import ChangelogShape
from governance.compatibility import Verdict


class OfVersion(Door[SchemaVersion]):
    """The changelog of one version."""

    queryset = SchemaVersion.objects.select_related("event_type")
    serializer_class = ChangelogShape
    sees = Action.EVENT_TYPE_VIEW
    lookup_field = "version"

    def narrowed(self, rows: QuerySet[SchemaVersion]) -> QuerySet[SchemaVersion]:
        """Keep those of the event type that the address names."""
        return rows.filter(event_type__name=self.kwargs.get("name", ""))

    @extend_schema(responses=ChangelogShape)
    def get(self, request: Request, name: str, version: str) -> Response:
        """Return every change since the version before it, breaking ones first."""
        found = changelogs.of(self.get_object())
        report = (
            told(found.report)
            if found.report
            else {
                "verdict": Verdict.COMPATIBLE,
                "findings": [],
            }
        )
        return Response(
            {
                "version": found.version.version,
                "since": found.since.version if found.since else None,
                "changes": found.version.changes,
                **report,
            }
        )
