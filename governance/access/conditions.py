"""The rules of `governance.roles` as query conditions: one meaning for a row and for a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import cast

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import Team, Topic, User
from catalog.words import Environment, UserKind
from governance import ledger, ownership, roles
from governance.access.codenames import CODENAMES, VERB_OF
from governance.actions import Action
from governance.models import Grant, TopicGroupPermission, TopicUserPermission
from governance.roles import Rule, Side
from governance.states import ChangeState

ALL = Q(pk__isnull=False)  # an empty Q would vanish from an OR instead of winning it
NONE = Q(pk__in=[])
SKIPPED = "skipped"  # of a delivery that a rule ended (`delivery.states.DeliveryStatus`)


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Who asks, and when."""

    user: User
    now: datetime

    @property
    def is_service(self) -> bool:
        """Tell whether an application asks."""
        return self.user.kind == UserKind.SERVICE

    def holds(self, permission: str) -> bool:
        """Tell whether the user has the model permission, by role or directly."""
        return bool(permission) and self.user.has_perm(permission)

    def teams(self) -> QuerySet[Team]:
        """Return the teams that the user is on."""
        return Team.objects.filter(group__user=self.user)


def condition(model: type[models.Model], viewer: Viewer, action: str, environment: str | None) -> Q:
    """Return which rows of `model` the viewer may do `action` with; unknown actions: none."""
    if action not in roles.RULES:
        return NONE
    action = Action(action)
    rule = roles.RULES[action]
    if viewer.user.is_superuser and action is not Action.GRANT_EXPIRE:
        return ~_own(model, viewer) if rule.not_own else ALL
    if viewer.is_service and action not in roles.SERVICE_ACTIONS:
        return NONE
    if action in VERB_OF:
        return _granted(model, viewer, action, environment)
    if action is Action.LEDGER_VIEW:
        return _ledger(model, viewer)
    return _by_rule(model, viewer, rule)


def _by_rule(model: type[models.Model], viewer: Viewer, rule: Rule) -> Q:
    sides = set(rule.sides) | {
        side for side, needed in (rule.with_permission or {}).items() if viewer.holds(needed)
    }
    ways = [_side(model, viewer, side) for side in sides]
    if viewer.holds(rule.may):
        ways.append(seen(model, viewer))
    found = reduce(or_, ways, NONE)
    return found & ~_own(model, viewer) if rule.not_own else found


def _side(model: type[models.Model], viewer: Viewer, side: Side) -> Q:  # noqa: PLR0911 - one a side
    place = ownership.place_of(model)
    if place is None:
        return NONE
    if side is Side.ANYONE:
        return seen(model, viewer) & _public(model, viewer)
    if side is Side.AUTHOR:
        return _at(place.author, viewer.user) if place.author else NONE
    if side in (Side.CONCERNED, Side.RECEIVER):
        return _received(model, viewer, is_sent=side is Side.RECEIVER)
    if side is Side.SENDER:
        return _sent(model, viewer)
    if viewer.is_service:
        return _own_application(model, place, viewer) if side is Side.OWNER else NONE
    paths = ownership.owners(model) if side is Side.OWNER else [place.topic_owner]
    return reduce(or_, [_in(path, viewer.teams()) for path in paths if path], NONE)


def _own_application(model: type[models.Model], place: ownership.Place, viewer: Viewer) -> Q:
    """Return what is the application's own; what is a team's as such is all its applications'."""
    ways = [_in(path, viewer.teams()) for path in ownership.of_teams(model)]
    if place.application:
        ways.append(_at(ownership.join(place.application, "service_account"), viewer.user))
    return reduce(or_, ways, NONE)


def _own(model: type[models.Model], viewer: Viewer) -> Q:
    """What the viewer made, also through a service account of a team of theirs."""
    place = ownership.place_of(model)
    if place is None or not place.author:
        return NONE
    through = _in(ownership.join(place.author, "application__team"), viewer.teams())
    return _at(place.author, viewer.user) | Q(
        pk__in=model._default_manager.filter(through).values("pk")
    )


def _received(model: type[models.Model], viewer: Viewer, *, is_sent: bool) -> Q:
    """Keep events of which there is a delivery for an application of the viewer's.

    With `is_sent` none that a rule ended before it was made: whoever may not have an event, for
    want of a grant or of another region, does not read its data here instead.
    """
    if model._meta.label_lower != "delivery.event":
        return NONE
    # Relations by name, so that no higher app is imported.
    deliveries = _related(model, "deliveries")
    subscriptions = _related(deliveries, "subscription")
    to_us = _side(deliveries, viewer, Side.OWNER)
    ours = subscriptions._default_manager.filter(_side(subscriptions, viewer, Side.OWNER))
    theirs = deliveries._default_manager.filter(to_us, event=OuterRef("pk"))
    if is_sent:
        theirs = theirs.exclude(status=SKIPPED)
    # The topics first: few read a topic, and only for those are its deliveries looked through.
    return Q(type__topic__in=ours.values("topic")) & Q(Exists(theirs))


def _sent(model: type[models.Model], viewer: Viewer) -> Q:
    """Keep deliveries of events that an application of the viewer's published."""
    if model._meta.label_lower != "delivery.delivery":
        return NONE
    events = _related(model, "event")
    return Q(event__in=events._default_manager.filter(_side(events, viewer, Side.OWNER)))


def _related(model: type[models.Model], name: str) -> type[models.Model]:
    return cast(type[models.Model], model._meta.get_field(name).related_model)


def seen(model: type[models.Model], viewer: Viewer) -> Q:
    """Return which rows the viewer may see as far as their topic goes."""
    place = ownership.place_of(model)
    if place is None or not place.topic or viewer.holds(roles.SEE_RESTRICTED):
        return ALL
    if place.topic == ownership.SELF:
        return visible_topics(viewer)
    return Q(**{f"{place.topic}__in": Topic.objects.filter(visible_topics(viewer))})


def visible_topics(viewer: Viewer) -> Q:
    """Return which topics the viewer may see (design, section 5b)."""
    if viewer.holds(roles.SEE_RESTRICTED):
        return ALL
    user = viewer.user
    return (
        Q(is_restricted=False)
        | Q(owner__in=viewer.teams())
        | Q(pk__in=TopicUserPermission.objects.filter(user=user).values("content_object"))
        | Q(pk__in=TopicGroupPermission.objects.filter(group__user=user).values("content_object"))
    )


# What everybody may see who can see its topic. Other kinds are nobody's by being visible, so that a
# page that asks with the wrong word shows nothing instead of everything.
_PUBLIC = frozenset(
    {
        "catalog.domain",
        "catalog.eventtype",
        "catalog.region",
        "catalog.release",
        "catalog.ruleweight",
        "catalog.schemaversion",
        "catalog.team",
        "catalog.topic",
        "catalog.user",
        "delivery.translation",
    }
)


def _public(model: type[models.Model], viewer: Viewer) -> Q:
    """Return what of a kind is for everybody who can see its topic."""
    label = model._meta.label_lower
    if label == "governance.changerequest":
        return ~Q(state=ChangeState.DRAFT)
    if label in ("governance.checkresult", "governance.review", "governance.comment"):
        return ~Q(change_request__state=ChangeState.DRAFT)
    if label == "catalog.application":
        topics = Topic.objects.filter(visible_topics(viewer))
        in_force = Grant.objects.in_force(viewer.now).filter(topic__in=topics)
        return Q(pk__in=in_force.filter(application__isnull=False).values("application")) | Q(
            team__in=in_force.filter(team__isnull=False).values("team")
        )
    return ALL if label in _PUBLIC else NONE


def _granted(
    model: type[models.Model], viewer: Viewer, action: Action, environment: str | None
) -> Q:
    """Keep topics with a guardian permission *and* a grant that has not run out."""
    if model is not Topic:
        return NONE
    verb = VERB_OF[action]
    asked: Iterable[str] = Environment.values if environment is None else [environment]
    ways = [_granted_in(viewer, verb, one) for one in asked if one in Environment.values]
    return reduce(or_, ways, NONE)


def _granted_in(viewer: Viewer, verb: str, environment: str) -> Q:
    user = viewer.user
    codename = CODENAMES[verb, environment]
    permission = Q(
        pk__in=TopicUserPermission.objects.filter(user=user, permission__codename=codename).values(
            "content_object"
        )
    ) | Q(
        pk__in=TopicGroupPermission.objects.filter(
            group__user=user, permission__codename=codename
        ).values("content_object")
    )
    grants = Grant.objects.in_force(viewer.now).filter(
        Q(application__service_account=user) | Q(team__in=viewer.teams()),
        verb=verb,
        environment=environment,
    )
    allowed = permission & Q(pk__in=grants.values("topic"))
    if environment == Environment.STAGING and viewer.is_service:
        allowed |= Q(is_restricted=False)
    return allowed


def _ledger(model: type[models.Model], viewer: Viewer) -> Q:
    """All entries for who may read the ledger, else what concerns one's teams or oneself."""
    if model._meta.label_lower != "governance.ledgerentry":
        return NONE
    if viewer.holds(roles.RULES[Action.LEDGER_VIEW].may):
        if viewer.holds(roles.SEE_RESTRICTED):
            return ALL
        hidden = Topic.objects.exclude(visible_topics(viewer))
        return ~Q(related__has_any_keys=[ledger.reference(topic) for topic in hidden])
    teams = list(viewer.teams())
    applications = [app for team in teams for app in team.applications.all()]
    topics = Topic.objects.filter(owner__in=teams)
    things: list[models.Model] = [*teams, *applications, *topics]
    return Q(related__has_any_keys=[ledger.reference(thing) for thing in things]) | Q(
        actor_id=viewer.user.pk
    )


def _at(path: str, value: models.Model) -> Q:
    return Q(pk=value.pk) if path == ownership.SELF else Q(**{path: value})


def _in(path: str, rows: QuerySet[Team]) -> Q:
    return Q(pk__in=rows) if path == ownership.SELF else Q(**{f"{path}__in": rows})
