"""Grants, requests for them, and what guardian holds, in the Django admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import Deed, GuardedAdmin, ReasonForm, guarded, in_state
from catalog.models import User
from governance import access_requests, grants
from governance.access.codenames import CODENAMES
from governance.actions import Action
from governance.forms import DayField, DecisionForm, end_of_day
from governance.models import AccessRequest, Grant, TopicGroupPermission, TopicUserPermission
from governance.states import GrantState, RequestState


class NoteForm(forms.Form):
    """Why a request is refused."""

    note = forms.CharField(
        label=_("Why not"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Shown to who asked, and kept in the ledger."),
    )


class ExtendForm(ReasonForm):
    """Until when a grant holds from now on."""

    until = DayField(label=_("Until"), required=False, help_text=_("Empty means without an end."))


def approve(row: AccessRequest, *, by: User, now: datetime, until: Any, note: str) -> None:
    """Give what was asked for."""
    access_requests.approve(row, by=by, until=end_of_day(until), note=note, now=now)


def extend(row: Grant, *, by: User, now: datetime, until: Any, reason: str) -> None:
    """Move the end of a grant."""
    grants.extend(row, until=end_of_day(until), by=by, reason=reason, now=now)


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Who may do what with which topic, where, why and until when."""

    def clean(self) -> dict[str, Any]:
        """Require one grantee, in words."""
        values = super().clean() or self.cleaned_data
        if bool(values.get("application")) == bool(values.get("team")):
            raise ValidationError(_("Choose an application or a team, not both."))
        return values


@guarded(Grant)
class GrantAdmin(GuardedAdmin):
    """Grants are given, extended and revoked; their words stay as they were."""

    view_action = Action.GRANT_VIEW
    add_action = Action.GRANT_GIVE
    form = GrantForm
    fields_to_add = ("application", "team", "topic", "verb", "environment", "until", "reason")
    shown = (
        "number",
        *fields_to_add,
        "state",
        "granted_by",
        "granted_at",
        "ended_by",
        "ended_at",
        "end_reason",
    )
    list_display = (
        "__str__",
        "application",
        "team",
        "verb",
        "topic",
        "environment",
        "state",
        "until",
        "granted_by",
    )
    list_filter = ("state", "verb", "environment", "topic")
    list_select_related = ("application", "team", "topic", "granted_by")
    search_fields = ("number__exact", "application__name", "team__name", "topic__name", "reason")
    date_hierarchy = "granted_at"
    autocomplete_fields = ("application", "team", "topic")
    deeds = (
        Deed(
            name="revoke",
            label=_("Revoke"),
            needs=Action.GRANT_REVOKE,
            each=grants.revoke,
            form=ReasonForm,
            when=in_state(GrantState.IN_FORCE),
        ),
        Deed(
            name="extend",
            label=_("Move the end"),
            needs=Action.GRANT_GIVE,
            each=extend,
            form=ExtendForm,
            when=in_state(GrantState.IN_FORCE),
        ),
    )

    def write(
        self,
        obj: Grant | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> Grant:
        application, team = values.pop("application"), values.pop("team")
        return grants.give(application or team, by=by, now=now, **values)

    def portal_url(self, obj: Grant) -> str:
        return reverse("governance:access")


@guarded(AccessRequest)
class AccessRequestAdmin(GuardedAdmin):
    """Requests for access: decided here as in the portal."""

    view_action = Action.ACCESS_REQUEST_VIEW
    list_display = (
        "__str__",
        "application",
        "team",
        "verb",
        "topic",
        "environment",
        "state",
        "requested_by",
        "requested_at",
    )
    list_filter = ("state", "verb", "environment", "topic")
    list_select_related = ("application", "team", "topic", "requested_by")
    search_fields = ("number__exact", "application__name", "team__name", "topic__name", "reason")
    date_hierarchy = "requested_at"
    deeds = (
        Deed(
            name="approve",
            label=_("Approve"),
            needs=Action.ACCESS_REQUEST_DECIDE,
            each=approve,
            form=DecisionForm,
            when=in_state(RequestState.OPEN),
        ),
        Deed(
            name="reject",
            label=_("Reject"),
            needs=Action.ACCESS_REQUEST_DECIDE,
            each=access_requests.reject,
            form=NoteForm,
            when=in_state(RequestState.OPEN),
        ),
    )

    def portal_url(self, obj: AccessRequest) -> str:
        return reverse("governance:access-request-detail", args=[obj.number])


class PermissionFilter(admin.SimpleListFilter):
    """Which of a topic's permissions: the stock filter would offer every permission there is."""

    title = _("permission")
    parameter_name = "permission"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the permissions that grants give."""
        names = ("view_topic", *CODENAMES.values())
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows of one permission."""
        chosen = self.value()
        return queryset.filter(permission__codename=chosen) if chosen else queryset


class TopicPermissionAdmin(GuardedAdmin):
    """Guardian's object permissions: a grant puts them in force, so they are only shown."""

    view_action = Action.GRANT_VIEW
    holder: ClassVar[str]
    list_filter = (PermissionFilter,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related(self.holder, "content_object", "permission__content_type")


@guarded(TopicUserPermission)
class TopicUserPermissionAdmin(TopicPermissionAdmin):
    """What service accounts may do with topics."""

    shown = ("user", "permission", "content_object")
    list_display = ("user", "permission", "content_object")
    holder = "user"
    search_fields = ("user__username", "user__name", "content_object__name")


@guarded(TopicGroupPermission)
class TopicGroupPermissionAdmin(TopicPermissionAdmin):
    """What teams may do with topics."""

    shown = ("group", "permission", "content_object")
    list_display = ("group", "permission", "content_object")
    holder = "group"
    search_fields = ("group__name", "content_object__name")
