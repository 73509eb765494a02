"""Where each kind of row stands: whose it is, which topic it concerns, who wrote it.

Paths are ORM lookups from the model; "self" is the row itself. Labels name models of any app, so
that one rule answers for all of them and no lower app imports a higher one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import models

from catalog.models import Team, User

SELF = "self"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Paths from a row to its owning team, its application, its topic and its author.

    `team` may also be reached over `application`. Empty paths: there is no such thing.
    """

    team: str = ""
    application: str = ""
    topic: str = ""
    author: str = ""

    @property
    def owner(self) -> str:
        """Return the path to the owning team."""
        return self.team or (join(self.application, "team") if self.application else "")

    @property
    def topic_owner(self) -> str:
        """Return the path to the team that owns the topic."""
        return join(self.topic, "owner") if self.topic else ""


def join(path: str, rest: str) -> str:
    """Return the path that goes on with `rest`."""
    return rest if path == SELF else f"{path}__{rest}"


def _subscription(path: str) -> Place:
    return Place(application=join(path, "application"), topic=join(path, "topic"))


PLACES: Mapping[str, Place] = {
    "catalog.region": Place(),
    "catalog.ruleweight": Place(),
    "catalog.user": Place(author=SELF),
    "catalog.team": Place(team=SELF),
    "catalog.domain": Place(team="owner"),
    "catalog.topic": Place(team="owner", topic=SELF),
    "catalog.eventtype": Place(team="topic__owner", topic="topic"),
    "catalog.schemaversion": Place(team="event_type__topic__owner", topic="event_type__topic"),
    "catalog.release": Place(
        team="version__event_type__topic__owner", topic="version__event_type__topic"
    ),
    "catalog.application": Place(application=SELF),
    "governance.apikey": Place(application="application"),
    # Two kinds of grantee: see `owners`.
    "governance.grant": Place(application="application", topic="topic", author="granted_by"),
    "governance.accessrequest": Place(
        application="application", topic="topic", author="requested_by"
    ),
    "governance.changerequest": Place(team="topic__owner", topic="topic", author="proposed_by"),
    "governance.checkresult": Place(
        team="change_request__topic__owner", topic="change_request__topic"
    ),
    "governance.review": Place(
        team="change_request__topic__owner", topic="change_request__topic", author="reviewer"
    ),
    "governance.comment": Place(
        team="change_request__topic__owner", topic="change_request__topic", author="author"
    ),
    "delivery.translation": Place(team="event_type__topic__owner", topic="event_type__topic"),
    "delivery.adapter": Place(application="application"),
    "delivery.endpoint": Place(application="application"),
    "delivery.endpointsecret": Place(application="endpoint__application"),
    "delivery.subscription": _subscription(SELF),
    "delivery.routingrule": Place(team="topic__owner", topic="topic"),
    "delivery.routingdecision": _subscription("subscription"),
    "delivery.circuit": _subscription("subscription"),
    "delivery.event": Place(application="application", topic="type__topic"),
    "delivery.delivery": _subscription("subscription"),
    "delivery.attempt": _subscription("delivery__subscription"),
    "delivery.failuregroup": _subscription("subscription"),
    "delivery.deadletter": _subscription("subscription"),
    "delivery.runbook": Place(application="subscription__application", topic="topic"),
    "delivery.replay": Place(application="subscription__application", author="requested_by"),
    "delivery.replayitem": Place(
        application="subscription__application", author="replay__requested_by"
    ),
}
# Grants and requests go to an application or to a team.
ALSO_OWNED_BY: Mapping[str, str] = {
    "governance.grant": "team",
    "governance.accessrequest": "team",
}


def place_of(model: type[models.Model]) -> Place | None:
    """Return where rows of the model stand; None for a model that the rules don't know."""
    return PLACES.get(model._meta.label_lower)


def owners(model: type[models.Model]) -> list[str]:
    """Return the paths to the owning teams of the model's rows."""
    place = place_of(model)
    paths = [place.owner] if place and place.owner else []
    also = ALSO_OWNED_BY.get(model._meta.label_lower)
    return [*paths, also] if also else paths


def of_teams(model: type[models.Model]) -> list[str]:
    """Return the paths to teams that own a row as such, not through an application of theirs."""
    place = place_of(model)
    paths = [place.team if place else "", ALSO_OWNED_BY.get(model._meta.label_lower, "")]
    return [path for path in paths if path]


def follow(thing: models.Model, path: str) -> models.Model | None:
    """Return what stands at the end of the path from a row; None where a step is empty."""
    if path == SELF:
        return thing
    found: models.Model | None = thing
    for step in path.split("__"):
        found = getattr(found, step) if found is not None else None
    return found


def teams_of(thing: models.Model) -> Iterator[Team]:
    """Yield the teams that own the thing."""
    for path in owners(type(thing)):
        team = follow(thing, path)
        if isinstance(team, Team):
            yield team


def author_of(thing: models.Model) -> User | None:
    """Return who wrote the thing; None where nobody did."""
    place = place_of(type(thing))
    author = follow(thing, place.author) if place and place.author else None
    return author if isinstance(author, User) else None
