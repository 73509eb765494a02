"""The latest events of a type, with payloads masked for those who may not see them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog import referring, schemas
from catalog.models import EventType, SchemaVersion, User
from delivery.models import Event, Payload
from governance import access
from governance.actions import Action

KEPT = 20


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Data to show for an event type: of a real event, or the version's own example."""

    data: object
    at: datetime | None


def events(
    event_type: EventType, *, environment: str, viewer: User, limit: int = KEPT
) -> Sequence[Event]:
    """Return the newest events of a type that the viewer may see, newest first, with names."""
    found = Event.objects.filter(type=event_type, environment=environment)
    seen = access.restrict(found, viewer, Action.EVENT_VIEW)
    return list(seen.with_names().order_by("-id")[:limit])


def sample(
    event_type: EventType, version: SchemaVersion | None, *, environment: str, viewer: User
) -> Sample:
    """Return the newest event's data, masked unless the viewer may see sensitive fields.

    Falls back to the version's example when there is no event, or when the viewer may not see
    payloads; empty data when there is neither.
    """
    event = Event.objects.filter(type=event_type, environment=environment).order_by("-id").first()
    if event is not None and access.allows(viewer, Action.PAYLOAD_VIEW, event):
        payload = Payload.objects.filter(event_id=event.pk).first()
        if payload is not None and payload.data:
            data = json.loads(payload.data)
            if not access.allows(viewer, Action.SENSITIVE_VIEW, event):
                data = schemas.mask(data, event.version.document, resolve=referring.resolve)
            return Sample(data=data, at=event.received_at)
    if version is not None and version.example:
        return Sample(data=json.loads(version.example), at=None)
    return Sample(data=None, at=None)
