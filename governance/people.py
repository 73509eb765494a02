"""People: adding, deactivating, and the roles that they hold. Nobody is ever deleted."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.words import UserKind
from governance import access, differences, roles, signals
from governance.actions import Action
from governance.governed import governed, record

CHANGEABLE = frozenset({"name", "email", "is_active"})


def create(
    *, username: str, name: str, email: str = "", password: str | None, by: User, now: datetime
) -> User:
    """Add a person; without a password they cannot sign in until one is set."""
    with governed(by=by, now=now):
        access.require(by, Action.USER_CHANGE, now=now)
        person = User(username=username, name=name.strip(), email=email, kind=UserKind.PERSON)
        person.full_clean(exclude=["password"])
        if password is None:
            person.set_unusable_password()
        else:
            validate_password(password, person)
            person.set_password(password)
        person.save()
        signals.person_changed.send(sender=User, thing=person, by=by, now=now)
        record(Action.USER_CHANGE, person, after={"username": username, "name": person.name})
    return person


def change(person: User, *, by: User, now: datetime, **values: object) -> User:
    """Set any of name, email and is_active. Nobody deactivates themself."""
    unknown = values.keys() - CHANGEABLE
    if unknown:
        raise TypeError(f"A person has no {', '.join(sorted(unknown))} to change.")
    with governed(by=by, now=now):
        access.require(by, Action.USER_CHANGE, person, now=now)
        if person.pk == by.pk and values.get("is_active") is False:
            raise ValidationError({"is_active": _("Ask another admin to deactivate you.")})
        person = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
        before, after = differences.take(person, values)
        if not after:
            return person
        person.clean_fields(exclude=["password"])
        person.save()
        signals.person_changed.send(sender=User, thing=person, by=by, now=now)
        record(Action.USER_CHANGE, person, before=before, after=after)
    return person


def give_role(person: User, role: str, *, by: User, now: datetime) -> None:
    """Let a person act in one of `roles.ROLES`."""
    _change_role(person, role, by=by, now=now, is_held=True)


def take_role(person: User, role: str, *, by: User, now: datetime) -> None:
    """Take a role from a person. Nobody takes the Admin role from themself."""
    if role == roles.ADMIN and person.pk == by.pk:
        raise ValidationError(_("Ask another admin to take the role from you."))
    _change_role(person, role, by=by, now=now, is_held=False)


def _change_role(person: User, role: str, *, by: User, now: datetime, is_held: bool) -> None:
    with governed(by=by, now=now):
        access.require(by, Action.ROLE_CHANGE, now=now)
        if role not in roles.ROLES or person.kind != UserKind.PERSON:
            raise ValidationError(_("Only people hold roles, and only the roles that there are."))
        if person.groups.filter(name=role).exists() == is_held:
            return
        group = Group.objects.get(name=role)
        if is_held:
            person.groups.add(group)
        else:
            person.groups.remove(group)
        before, after = _keep_staff_in_step(person, role, is_held=is_held)
        signals.person_changed.send(sender=User, thing=person, by=by, now=now)
        record(
            Action.ROLE_CHANGE,
            person,
            before=before if is_held else {"role": role, **before},
            after={"role": role, **after} if is_held else after,
        )


def _keep_staff_in_step(
    person: User, role: str, *, is_held: bool
) -> tuple[dict[str, object], dict[str, object]]:
    """Let who holds a role of `roles.STAFF` enter the Django admin; return what changed."""
    if role not in roles.STAFF:
        return {}, {}
    is_staff = is_held or person.groups.filter(name__in=roles.STAFF).exists()
    locked = User.objects.select_for_update(of=("self",)).get(pk=person.pk)
    person.is_staff = is_staff
    before, after = differences.take(locked, {"is_staff": is_staff})
    if after:
        locked.save(update_fields=["is_staff"])
    return before, after
