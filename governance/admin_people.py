"""People in the Django admin: roles and passwords by the verbs, nobody is deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import Deed, GuardedAdmin, LogAdmin, guarded
from catalog.models import User
from catalog.words import UserKind
from governance import passwords, people, roles
from governance.actions import Action
from governance.governed import governed

ROLE_CHOICES = [(role, role.removeprefix("role:")) for role in roles.ROLES]


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A person, with the roles that they hold."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=ROLE_CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Admins and support may enter this administration."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "roles" in self.fields and not self.instance._state.adding:
            self.initial["roles"] = held(self.instance)


class PasswordForm(forms.Form):
    """A password to begin with."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Tell it to them in person; they change it in their profile."),
    )


def held(person: User) -> list[str]:
    """Return the roles that a person holds."""
    return [one.name for one in person.groups.all() if one.name in roles.ROLES]


def set_password(person: User, *, password: str, by: User, now: datetime) -> None:
    """Set the password of one person."""
    passwords.set_for(person, password=password, by=by, now=now)


@guarded(User)
class UserAdmin(GuardedAdmin):
    """People and service accounts; a password's hash is shown to nobody."""

    view_action = Action.USER_CHANGE
    add_action = change_action = Action.USER_CHANGE
    form = PersonForm
    fields_to_add = ("username", "name", "email", "roles")
    fields_to_change = ("name", "email", "is_active", "roles")
    shown = (
        "username",
        "name",
        "email",
        "kind",
        "is_active",
        "is_staff",
        "is_superuser",
        "in_groups",
        "time_zone",
        "language",
        "last_login",
        "date_joined",
    )
    list_display = ("username", "name", "email", "kind", "role_names", "is_staff", "is_active")
    list_filter = ("kind", "is_active", "is_staff", "groups")
    search_fields = ("username", "name", "email")
    deeds = (
        Deed(
            name="set_password",
            label=_("Set password"),
            needs=Action.USER_CHANGE,
            each=set_password,
            form=PasswordForm,
            most=1,
            when=lambda person: person.kind == UserKind.PERSON,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leave service accounts to their applications."""
        is_service = obj is not None and obj.kind != UserKind.PERSON
        return not is_service and super().has_change_permission(request, obj)

    def write(
        self,
        obj: User | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> User:
        wanted = set(values.pop("roles", ()))
        with governed(by=by, now=now):
            if obj is None:
                person = people.create(password=None, by=by, now=now, **values)
            else:
                person = people.change(obj, by=by, now=now, **values)
            if "roles" in changed:
                standing = set(held(person))
                for role in sorted(wanted - standing):
                    people.give_role(person, role, by=by, now=now)
                for role in sorted(standing - wanted):
                    people.take_role(person, role, by=by, now=now)
        return person

    @admin.display(description=_("roles"))
    def role_names(self, person: User) -> str:
        return ", ".join(role.removeprefix("role:") for role in held(person))

    @admin.display(description=_("roles and teams"))
    def in_groups(self, person: User) -> str:
        return ", ".join(one.name for one in person.groups.all())


class SignInAdmin(LogAdmin):
    """What the throttling of sign-ins remembers; a lock ends by itself."""

    view_action = Action.USER_CHANGE
    hidden = ("session_hash", "get_data", "post_data")
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address")


@guarded(AccessAttempt)
class AccessAttemptAdmin(SignInAdmin):
    """Names and addresses with wrong passwords of late."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")


@guarded(AccessFailureLog)
class AccessFailureAdmin(SignInAdmin):
    """Sign-ins that were refused."""

    list_display = ("attempt_time", "username", "ip_address", "locked_out")


@guarded(AccessLog)
class AccessLogAdmin(SignInAdmin):
    """Sign-ins and sign-outs."""

    list_display = ("attempt_time", "username", "ip_address", "logout_time")
