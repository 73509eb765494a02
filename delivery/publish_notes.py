"""What the publish path remembers and writes later: who was refused, and which keys were used.

None of it is written within a publish request (design, section 5b).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection

from catalog.models import Application, Topic
from delivery.edge import Kind, Refused
from delivery.known import Publisher
from governance import keys, refusals
from governance.actions import Action

# (application, topic) → how many events it may not publish there.
Refusals = Mapping[tuple[UUID, UUID], int]
# (version, environment, application) → how many events broke the contract.
Breaches = Mapping[tuple[UUID, str, UUID], int]

_FORBIDDEN = (Kind.NO_GRANT, Kind.RESIDENCY)
_ADD = """
INSERT INTO delivery_contractbreach (version_id, environment, application_id, day, count)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT one_breach_count_per_day
DO UPDATE SET count = delivery_contractbreach.count + EXCLUDED.count
"""


class RefusedCounts:
    """Refused events that wait to be counted in the database."""

    def __init__(self) -> None:
        self._forbidden: Counter[tuple[UUID, UUID]] = Counter()
        self._broken: Counter[tuple[UUID, str, UUID]] = Counter()

    def add(self, refused: Refused, *, publisher: Publisher, topic_id: UUID) -> None:
        """Count an event, if it is of the refusals that people are to hear of."""
        if refused.kind in _FORBIDDEN:
            self._forbidden[publisher.application_id, topic_id] += 1
        if refused.version_id is not None:
            key = (refused.version_id, publisher.environment, publisher.application_id)
            self._broken[key] += 1

    def take(self) -> tuple[Refusals, Breaches]:
        """Return what was counted, and start again from nothing."""
        taken = self._forbidden, self._broken
        self._forbidden, self._broken = Counter(), Counter()
        return taken


# Of this process; every door that publishes counts here, and one writes.
refused = RefusedCounts()


def write(*, now: datetime) -> None:
    """Store what was counted, and when which keys were used last."""
    forbidden, broken = refused.take()
    keys.write_uses()
    _write_breaches(broken, now)
    for application, topic, times in _known(forbidden):
        # Each group is one governed commit.
        refusals.note(
            application.service_account,
            Action.TOPIC_PUBLISH,
            f"{topic._meta.label_lower}:{topic.pk} {topic}",
            thing=topic,
            times=times,
            now=now,
        )


def _write_breaches(broken: Breaches, now: datetime) -> None:
    # In one order, so that two processes never wait for each other's rows.
    rows = [(*key, now.date(), count) for key, count in sorted(broken.items())]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, rows)


def _known(forbidden: Refusals) -> Iterator[tuple[Application, Topic, int]]:
    applications = Application.objects.select_related("service_account").in_bulk(
        [application_id for application_id, _topic_id in forbidden]
    )
    topics = Topic.objects.in_bulk([topic_id for _application_id, topic_id in forbidden])
    for (application_id, topic_id), times in forbidden.items():
        application, topic = applications.get(application_id), topics.get(topic_id)
        if application is not None and topic is not None:
            yield application, topic, times
