"""The catalog as files, as far as one person may see it."""

from __future__ import annotations

from datetime import datetime

from catalog import files
from catalog.models import Application, EventType, Topic, User
from governance import access
from governance.actions import Action

FILE_NAME = "catalog.zip"


def of(by: User, *, now: datetime) -> dict[str, bytes]:
    """Return the files of everything that the person may see."""
    return files.write(
        event_types=access.restrict(EventType.objects.all(), by, Action.EVENT_TYPE_VIEW, now=now),
        topics=access.restrict(Topic.objects.all(), by, Action.TOPIC_VIEW, now=now),
        applications=access.restrict(
            Application.objects.all(), by, Action.APPLICATION_VIEW, now=now
        ),
    )
