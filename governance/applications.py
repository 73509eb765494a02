"""Applications: registering one makes the service account that it acts through."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.models import Application, Region, Team, User
from catalog.words import UserKind
from governance import access, differences, signals
from governance.actions import Action
from governance.governed import governed, record

CHANGEABLE = frozenset({"name", "kind", "description", "region", "team", "is_active"})


def register(
    *,
    name: str,
    kind: str,
    team: Team,
    region: Region,
    description: str = "",
    by: User,
    now: datetime,
) -> Application:
    """Add an application of the team, with its service account in the team's group."""
    with governed(by=by, now=now):
        access.require(by, Action.APPLICATION_REGISTER, team, now=now)
        slug = _free_slug(name)
        application = Application(
            slug=slug,
            name=name.strip(),
            kind=kind,
            description=description,
            team=team,
            region=region,
        )
        application.clean_fields(exclude=["service_account"])
        _refuse_second_of_name(application)
        application.service_account = _make_account(slug, application.name, team)
        application.save()
        signals.application_registered.send(sender=Application, thing=application, by=by, now=now)
        record(
            Action.APPLICATION_REGISTER,
            application,
            after={"name": application.name, "kind": kind, "team": team.slug, "region": region.pk},
            related=(team,),
        )
    return application


def change(application: Application, *, by: User, now: datetime, **values: object) -> Application:
    """Set any of name, kind, description, region, team and is_active.

    A new team takes the service account into its group, so the old team's grants stop reaching it.
    An inactive application can do nothing: its account is inactive too.
    """
    unknown = values.keys() - CHANGEABLE
    if unknown:
        raise TypeError(f"An application has no {', '.join(sorted(unknown))} to change.")
    with governed(by=by, now=now):
        access.require(by, Action.APPLICATION_CHANGE, application, now=now)
        application = Application.objects.select_for_update(of=("self",)).get(pk=application.pk)
        old_team = application.team
        before, after = differences.take(application, values)
        if not after:
            return application
        if application.team != old_team:
            access.require(by, Action.APPLICATION_REGISTER, application.team, now=now)
        application.clean_fields()
        if after.keys() & {"name", "team"}:
            _refuse_second_of_name(application)
        application.save()
        _keep_account_in_step(application, old_team)
        signals.application_changed.send(sender=Application, thing=application, by=by, now=now)
        record(
            Action.APPLICATION_CHANGE,
            application,
            before=before,
            after=after,
            related=(application.team, old_team),
        )
    return application


def _make_account(slug: str, name: str, team: Team) -> User:
    account = User(username=f"app-{slug}", name=name, kind=UserKind.SERVICE)
    account.set_unusable_password()
    account.save()
    account.groups.add(team.group)
    return account


def _keep_account_in_step(application: Application, old_team: Team) -> None:
    account = application.service_account
    if application.team != old_team:
        account.groups.remove(old_team.group)
        account.groups.add(application.team.group)
    if (account.name, account.is_active) != (application.name, application.is_active):
        account.name, account.is_active = application.name, application.is_active
        account.save()


def _refuse_second_of_name(application: Application) -> None:
    """Keep a form that is sent twice from registering twice, and people from guessing which."""
    team, name = application.team, application.name
    same = Application.objects.filter(team=team, name__iexact=name, is_active=True)
    if application.is_active and same.exclude(pk=application.pk).exists():
        message = _("%(team)s has an application called %(name)s already.")
        raise ValidationError({"name": message % {"team": team.name, "name": name}})


def _free_slug(name: str) -> str:
    base = slugify(name)[:50]
    if not base:
        raise ValidationError({"name": _("Use some letters or digits in the name.")})
    taken = set(Application.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(
        slug
        for slug in (base if number == 1 else f"{base}-{number}" for number in range(1, 10_000))
        if slug not in taken
    )
