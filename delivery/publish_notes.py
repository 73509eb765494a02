"""What the publish path remembers and writes later: who was refused, and which keys were used.

Neither is written within a publish request (design, section 5b).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from catalog.models import Application, Topic
from governance import keys, refusals
from governance.actions import Action

Counts = Mapping[tuple[UUID, UUID], int]


class RefusedCounts:
    """Refusals by application and topic that wait to be written."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[UUID, UUID]] = Counter()

    def add(self, application_id: UUID, topic_id: UUID) -> None:
        """Count one refused event."""
        self._counts[application_id, topic_id] += 1

    def take(self) -> Counts:
        """Return what was counted, and start again from nothing."""
        taken, self._counts = self._counts, Counter()
        return taken


# Of this process; every door that publishes counts here, and one writes.
refused = RefusedCounts()


def write(counts: Counts, *, now: datetime) -> None:
    """Store the counts, and when which keys were used last; each group is one governed commit."""
    keys.write_uses()
    applications = Application.objects.select_related("service_account").in_bulk(
        [application_id for application_id, _topic_id in counts]
    )
    topics = Topic.objects.in_bulk([topic_id for _application_id, topic_id in counts])
    for (application_id, topic_id), times in counts.items():
        application, topic = applications.get(application_id), topics.get(topic_id)
        if application is None or topic is None:
            continue
        refusals.note(
            application.service_account,
            Action.TOPIC_PUBLISH,
            f"{topic._meta.label_lower}:{topic.pk} {topic}",
            thing=topic,
            times=times,
            now=now,
        )
