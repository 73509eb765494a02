"""Governance in the Django admin: grants, requests, changes, keys, people and the ledger."""

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

from catalog.guarded_admin import (
    Deed,
    GuardedAdmin,
    GuardedInline,
    LogAdmin,
    ReasonForm,
    guarded,
    in_state,
    pretty,
)
from catalog.models import User
from governance import (
    access_requests,
    admin_people,  # noqa: F401 - registers people
    grants,
    keys,
)
from governance.access.codenames import CODENAMES
from governance.actions import Action
from governance.forms import DayField, DecisionForm, end_of_day
from governance.models import (
    AccessRequest,
    ApiKey,
    ChangeRequest,
    CheckResult,
    Comment,
    Grant,
    LedgerEntry,
    LedgerHead,
    Refusal,
    Review,
    TopicGroupPermission,
    TopicUserPermission,
)
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


@guarded(ApiKey)
class ApiKeyAdmin(GuardedAdmin):
    """Keys by what they begin with; a new one is made, and shown once, in the portal."""

    view_action = Action.KEY_VIEW
    hidden = ("digest",)
    list_display = (
        "prefix",
        "application",
        "environment",
        "label",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("environment", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("application",)
    search_fields = ("prefix", "label", "application__name")
    date_hierarchy = "created_at"
    deeds = (
        Deed(
            name="revoke",
            label=_("Revoke"),
            needs=Action.KEY_REVOKE,
            each=keys.revoke,
            form=ReasonForm,
            when=lambda key: key.revoked_at is None,
        ),
    )

    def portal_url(self, obj: ApiKey) -> str:
        return reverse("catalog:application-detail", args=[obj.application.slug])


class CheckInline(GuardedInline):
    """What the checks found."""

    model = CheckResult
    view_action = Action.CHANGE_VIEW
    shown = ("check_name", "outcome", "summary", "ran_at")


class ReviewInline(GuardedInline):
    """Who decided what."""

    model = Review
    view_action = Action.CHANGE_VIEW
    shown = ("reviewer", "decision", "note", "for_owning_team", "decided_at", "voided_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("reviewer")


class CommentInline(GuardedInline):
    """What was said."""

    model = Comment
    view_action = Action.CHANGE_VIEW
    shown = ("author", "text", "written_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("author")


@guarded(ChangeRequest)
class ChangeRequestAdmin(GuardedAdmin):
    """Change requests to look up; they are reviewed in the portal, beside their checks."""

    view_action = Action.CHANGE_VIEW
    list_display = (
        "number",
        "title",
        "kind",
        "topic",
        "state",
        "verdict",
        "proposed_by",
        "created_at",
    )
    list_display_links = ("number", "title")
    list_filter = ("state", "kind", "verdict", "is_emergency", "topic")
    list_select_related = ("topic", "proposed_by")
    search_fields = ("number__exact", "title", "reason", "event_type__name", "topic__name")
    date_hierarchy = "created_at"
    inlines = (CheckInline, ReviewInline, CommentInline)

    def portal_url(self, obj: ChangeRequest) -> str:
        return reverse("governance:change-request-detail", args=[obj.number])


@guarded(CheckResult)
class CheckResultAdmin(GuardedAdmin):
    """What the checks found in every proposal."""

    view_action = Action.CHANGE_VIEW
    shown = ("change_request", "check_name", "outcome", "summary", "found", "ran_at")
    list_display = ("check_name", "change_request", "outcome", "summary", "ran_at")
    list_filter = ("outcome", "check_name")
    list_select_related = ("change_request",)
    search_fields = ("change_request__number__exact", "check_name", "summary")
    date_hierarchy = "ran_at"

    @admin.display(description=_("findings"))
    def found(self, row: CheckResult) -> str:
        return pretty(row.findings)


@guarded(Review)
class ReviewAdmin(GuardedAdmin):
    """Every decision on a change request."""

    view_action = Action.CHANGE_VIEW
    list_display = ("change_request", "reviewer", "decision", "decided_at", "voided_at")
    list_filter = ("decision", "for_owning_team")
    list_select_related = ("change_request", "reviewer")
    search_fields = ("change_request__number__exact", "reviewer__username", "note")
    date_hierarchy = "decided_at"


@guarded(Comment)
class CommentAdmin(GuardedAdmin):
    """Every word in the discussion of changes."""

    view_action = Action.CHANGE_VIEW
    list_display = ("change_request", "author", "text", "written_at")
    list_select_related = ("change_request", "author")
    search_fields = ("change_request__number__exact", "author__username", "text")
    date_hierarchy = "written_at"


@guarded(LedgerEntry)
class LedgerEntryAdmin(LogAdmin):
    """The ledger, as the database keeps it: it can only be read."""

    view_action = Action.LEDGER_VIEW
    shown = (
        "number",
        "at",
        "actor_name",
        "action",
        "subject_type",
        "subject_label",
        "reason",
        "values_before",
        "values_after",
        "previous_hash",
        "hash",
    )
    list_display = ("number", "at", "actor_name", "action", "subject_label", "reason")
    list_filter = ("action", "subject_type")
    search_fields = ("number__exact", "actor_name", "subject_label", "reason")

    @admin.display(description=_("before"))
    def values_before(self, row: LedgerEntry) -> str:
        return pretty(row.before)

    @admin.display(description=_("after"))
    def values_after(self, row: LedgerEntry) -> str:
        return pretty(row.after)

    def portal_url(self, obj: LedgerEntry) -> str:
        return reverse("governance:ledger-entry", args=[obj.number])


@guarded(LedgerHead)
class LedgerHeadAdmin(GuardedAdmin):
    """The last link of the chain."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("number", "hash")


@guarded(Refusal)
class RefusalAdmin(LogAdmin):
    """What people and applications were refused."""

    view_action = Action.ROLE_CHANGE
    list_display = ("minute", "who_name", "action", "subject", "count")
    list_display_links = ("minute", "who_name")
    list_filter = ("action",)
    search_fields = ("who_name", "subject", "action")


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
