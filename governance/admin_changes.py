"""Change requests, with what checks and people said of them, in the Django admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import GuardedAdmin, GuardedInline, guarded, pretty
from governance.actions import Action
from governance.models import ChangeRequest, CheckResult, Comment, Review


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
