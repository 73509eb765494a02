"""The data of events: who may see how much of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from catalog import referring, schemas
from catalog.models import User
from delivery.models import Event, Expunction, Payload
from governance import access
from governance.actions import Action


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A payload as far as a person may see it; `data` is None where they see nothing of it."""

    data: object = None
    is_masked: bool = False
    is_hidden: bool = False
    is_gone: bool = False
    # Why it is gone, where a person took it away.
    expunction: Expunction | None = None


def seen_by(event: Event, *, viewer: User) -> Seen:
    """Return an event's data as far as the viewer may see it, sensitive fields masked."""
    can = access.can(viewer, event, [Action.PAYLOAD_VIEW, Action.SENSITIVE_VIEW])
    if Action.PAYLOAD_VIEW not in can:
        return Seen(is_hidden=True)
    text = Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()
    if text is None:
        taken = Expunction.objects.select_related("expunged_by").filter(pk=event.pk).first()
        return Seen(is_gone=True, expunction=taken)
    if not text:
        return Seen()
    data = json.loads(text)
    if Action.SENSITIVE_VIEW in can:
        return Seen(data=data)
    masked = schemas.mask(data, event.version.document, resolve=referring.resolve)
    return Seen(data=masked, is_masked=masked != data)
