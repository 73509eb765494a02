"""Change passwords; the ledger says that it happened, never to what."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.words import UserKind
from governance import access
from governance.actions import Action
from governance.governed import governed, record


def change(user: User, *, password: str, now: datetime) -> None:
    """Give a person the new password that they chose and have had validated."""
    with governed(by=user, now=now):
        user.set_password(password)
        user.save(update_fields=["password"])
        record(Action.USER_CHANGE, user, after={"password": "changed"})


def set_for(person: User, *, password: str, by: User, now: datetime) -> None:
    """Give somebody else a password to begin with.

    Raises PermissionDenied, and ValidationError for a weak one or for a service account.
    """
    with governed(by=by, now=now):
        access.require(by, Action.USER_CHANGE, person, now=now)
        if person.kind != UserKind.PERSON:
            raise ValidationError({"password": _("An application signs in by its keys.")})
        validate_password(password, person)
        person.set_password(password)
        person.save(update_fields=["password"])
        record(Action.USER_CHANGE, person, after={"password": "set"})
