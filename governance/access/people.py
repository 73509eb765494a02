"""Who could? For mails, and for the sentence that tells whom to ask."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, QuerySet

from catalog.models import Team, Topic, User
from catalog.words import UserKind
from governance import ownership, roles
from governance.access.conditions import NONE
from governance.actions import Action
from governance.roles import Rule, Side

_BACKEND = "django.contrib.auth.backends.ModelBackend"


def people_who_can(action: Action, thing: models.Model | None = None) -> QuerySet[User]:
    """Return the active people whom `allows` lets do `action` with `thing`.

    For actions that a role or a team gives; what grants give applications names no people, and an
    action that is anyone's (viewing, commenting) is not asked here: everybody is not worth a list.
    """
    people = User.objects.filter(is_active=True, kind=UserKind.PERSON)
    rule = roles.RULES[action]
    ways = Q(is_superuser=True) | (_holding(rule.may) & _seeing(thing))
    if thing is not None:
        for side in rule.sides:
            ways |= _on(thing, side)
        for side, needed in (rule.with_permission or {}).items():
            ways |= _on(thing, side) & _holding(needed)
    found = people.filter(ways)
    if rule.not_own and thing is not None:
        found = found.exclude(_makers(thing))
    return found.order_by("username")


def is_answerable(rule: Rule) -> bool:
    """Tell whether the rule names people: by a role, a team or authorship."""
    return not rule.sides & {Side.ANYONE, Side.CONCERNED, Side.RECEIVER} and bool(
        rule.may or rule.sides or rule.with_permission
    )


def _holding(permission: str) -> Q:
    if not permission:
        return NONE
    holders = User.objects.with_perm(permission, backend=_BACKEND, include_superusers=False)
    return Q(pk__in=holders.values("pk"))


def _on(thing: models.Model, side: Side) -> Q:
    if side is Side.AUTHOR:
        author = ownership.author_of(thing)
        return Q(pk=author.pk) if author else NONE
    if side is Side.OWNER:
        return _members(list(ownership.teams_of(thing)))
    topic = _topic(thing)
    return _members([topic.owner]) if topic and side is Side.TOPIC_OWNER else NONE


def _members(teams: list[Team]) -> Q:
    groups = [team.group_id for team in teams]
    return Q(pk__in=User.objects.filter(groups__in=groups).values("pk"))


def _topic(thing: models.Model) -> Topic | None:
    place = ownership.place_of(type(thing))
    topic = ownership.follow(thing, place.topic) if place and place.topic else None
    return topic if isinstance(topic, Topic) else None


def _seeing(thing: models.Model | None) -> Q:
    topic = _topic(thing) if thing is not None else None
    if topic is None or not topic.is_restricted:
        return Q(pk__isnull=False)
    shown = User.objects.filter(
        Q(topicuserpermission__content_object=topic)
        | Q(groups__topicgrouppermission__content_object=topic)
    )
    return _holding(roles.SEE_RESTRICTED) | _members([topic.owner]) | Q(pk__in=shown.values("pk"))


def _makers(thing: models.Model) -> Q:
    author = ownership.author_of(thing)
    if author is None:
        return NONE
    if author.kind == UserKind.SERVICE:
        return _members([author.application.team])
    return Q(pk=author.pk)
