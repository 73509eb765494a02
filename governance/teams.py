"""Teams and who is on them."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import Team, User
from catalog.words import UserKind
from governance import access, differences, signals
from governance.actions import Action
from governance.governed import governed, record

GROUP_PREFIX = "team:"
CHANGEABLE = frozenset({"name", "description", "email"})


def create(
    *, slug: str, name: str, description: str = "", email: str = "", by: User, now: datetime
) -> Team:
    """Add a team with its group."""
    with governed(by=by, now=now):
        access.require(by, Action.TEAM_CHANGE, now=now)
        team = Team(slug=slug, name=name.strip(), description=description, email=email)
        team.full_clean(exclude=["group"])
        team.group = Group.objects.create(name=f"{GROUP_PREFIX}{slug}")
        team.save()
        signals.team_created.send(sender=Team, thing=team, by=by, now=now)
        record(Action.TEAM_CHANGE, team, after={"slug": slug, "name": team.name})
    return team


def change(team: Team, *, by: User, now: datetime, **values: object) -> Team:
    """Set any of name, description and email."""
    unknown = values.keys() - CHANGEABLE
    if unknown:
        raise TypeError(f"A team has no {', '.join(sorted(unknown))} to change.")
    with governed(by=by, now=now):
        access.require(by, Action.TEAM_CHANGE, team, now=now)
        team = Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
        before, after = differences.take(team, values)
        if not after:
            return team
        team.full_clean()
        team.save()
        signals.team_changed.send(sender=Team, thing=team, by=by, now=now)
        record(Action.TEAM_CHANGE, team, before=before, after=after)
    return team


def add_member(team: Team, person: User, *, by: User, now: datetime) -> None:
    """Put a person on the team; they share what it owns from now on."""
    with governed(by=by, now=now):
        access.require(by, Action.TEAM_CHANGE, team, now=now)
        if person.kind != UserKind.PERSON:
            raise ValidationError(_("Only people are on teams; an application changes its team."))
        if person.groups.filter(pk=team.group_id).exists():
            return
        person.groups.add(team.group)
        _record_members(team, person, by=by, now=now, is_member=True)


def remove_member(team: Team, person: User, *, by: User, now: datetime) -> None:
    """Take a person off the team."""
    with governed(by=by, now=now):
        access.require(by, Action.TEAM_CHANGE, team, now=now)
        if not person.groups.filter(pk=team.group_id, user__kind=UserKind.PERSON).exists():
            return
        person.groups.remove(team.group)
        _record_members(team, person, by=by, now=now, is_member=False)


def _record_members(team: Team, person: User, *, by: User, now: datetime, is_member: bool) -> None:
    signals.team_changed.send(sender=Team, thing=team, by=by, now=now)
    record(
        Action.TEAM_CHANGE,
        team,
        before={} if is_member else {"member": person.username},
        after={"member": person.username} if is_member else {},
        related=(person,),
    )
