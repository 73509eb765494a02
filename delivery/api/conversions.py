"""Conversions between major versions as they hold; change requests of kind `translation` make them.

Each goes one way, and none is chained with another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from catalog.api.doors import Door, Instant, ListDoor, OneDoor
from delivery.models import Translation
from governance.actions import Action


class ConversionQuery(serializers.Serializer[Any]):
    """Which conversions."""

    event_type = serializers.CharField(required=False)
    from_major = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    to_major = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class ConversionShape(serializers.Serializer[Any]):
    """How events of one major version become events of another."""

    id = serializers.UUIDField()
    event_type = serializers.CharField()
    from_major = serializers.IntegerField()
    to_major = serializers.IntegerField()
    mapping = serializers.CharField(help_text="JMESPath, from the published data.")
    change_request = serializers.UUIDField(help_text="In which it was approved.")
    since = Instant()


class _Door(Door[Translation]):
    """A door to conversions: those of the event types that the person may see."""

    queryset = Translation.objects.select_related("event_type")
    serializer_class = ConversionShape
    sees = Action.EVENT_TYPE_VIEW

    def told(self, rows: Sequence[Translation]) -> Sequence[object]:
        """Return the conversions with the names of their types."""
        return [
            {
                "id": row.pk,
                "event_type": row.event_type.name,
                "from_major": row.from_major,
                "to_major": row.to_major,
                "mapping": row.mapping,
                "change_request": row.change_request_id,
                "since": row.since,
            }
            for row in rows
        ]


class Conversions(_Door, ListDoor[Translation]):
    """The conversions in force that the person may see, newest first."""

    query_class = ConversionQuery

    def narrowed(self, rows: QuerySet[Translation]) -> QuerySet[Translation]:
        """Keep what the parameters ask for."""
        asked = self.asked
        columns = {
            "event_type": "event_type__name",
            "from_major": "from_major",
            "to_major": "to_major",
        }
        return rows.filter(**{columns[name]: asked[name] for name in columns if name in asked})


class OneConversion(_Door, OneDoor[Translation]):
    """One conversion."""
