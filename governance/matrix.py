"""Who may do what with which topic, as the rows and cells of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from catalog.models import Application, Topic
from governance.models import AccessRequest, Grant

ENDS_SOON = timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One grant or request in a cell; `state` is a word of the status vocabulary."""

    verb: str
    state: str
    until: datetime | None
    grant: Grant | None = None
    request: AccessRequest | None = None
    days_left: int | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A topic, and for each column (application) its marks, in the columns' order."""

    topic: Topic
    cells: tuple[tuple[Application, tuple[Mark, ...]], ...]


def mark_of(grant: Grant, *, now: datetime) -> Mark:
    """Return how a grant looks at `now`: in_force, ending within 14 days, expired or revoked."""
    state: str = grant.state
    days = None
    if state == "in_force" and grant.until is not None:
        if grant.until <= now:
            state = "expired"
        elif grant.until - now <= ENDS_SOON:
            state, days = "ending", (grant.until - now).days
    return Mark(
        verb=grant.get_verb_display(), state=state, until=grant.until, grant=grant, days_left=days
    )


def build(
    topics: Sequence[Topic],
    applications: Sequence[Application],
    grants: Iterable[Grant],
    requests: Iterable[AccessRequest],
    *,
    now: datetime,
) -> list[Row]:
    """Lay grants and open requests out; a team's grant stands in each of its applications."""
    cells: dict[tuple[UUID, UUID], list[Mark]] = defaultdict(list)
    by_team: dict[UUID, list[UUID]] = defaultdict(list)
    for one in applications:
        by_team[one.team_id].append(one.pk)

    def holders(thing: Grant | AccessRequest) -> list[UUID]:
        if thing.application_id is not None:
            return [thing.application_id]
        return by_team[thing.team_id] if thing.team_id is not None else []

    for grant in grants:
        for holder in holders(grant):
            cells[grant.topic_id, holder].append(mark_of(grant, now=now))
    for request in requests:
        mark = Mark(
            verb=request.get_verb_display(),
            state="requested",
            until=request.wanted_until,
            request=request,
        )
        for holder in holders(request):
            cells[request.topic_id, holder].append(mark)
    return [
        Row(topic=topic, cells=tuple((a, tuple(cells[topic.pk, a.pk])) for a in applications))
        for topic in topics
    ]
