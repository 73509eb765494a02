"""Event types, their versions and releases in the Django admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from catalog.guarded_admin import GuardedAdmin, GuardedInline, guarded, only
from catalog.models import EventType, Release, SchemaVersion, User
from governance import event_types
from governance.actions import Action


class VersionInline(GuardedInline):
    """The versions of an event type."""

    model = SchemaVersion
    view_action = Action.EVENT_TYPE_VIEW
    shown = ("version", "changes", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer("document", "example")
        return rows.select_related("event_type")


@guarded(EventType)
class EventTypeAdmin(GuardedAdmin):
    """Event types; their versions come by change requests."""

    view_action = Action.EVENT_TYPE_VIEW
    add_action = Action.EVENT_TYPE_CREATE
    change_action = Action.EVENT_TYPE_CHANGE
    fields_to_change = (
        "title",
        "description",
        "happens_when",
        "tags",
        "compatibility_mode",
        "compatibility_policy",
    )
    fields_to_add = ("name", "topic", *fields_to_change)
    shown = ("name", "topic", *fields_to_change, "created_at")
    list_display = ("name", "title", "topic", "compatibility_mode", "created_at")
    list_filter = ("topic__domain", "compatibility_mode", "compatibility_policy")
    list_select_related = ("topic",)
    search_fields = ("name", "title", "description")
    autocomplete_fields = ("topic",)
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("search")

    def write(
        self,
        obj: EventType | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> EventType:
        if obj is None:
            return event_types.create(by=by, now=now, **values)
        return event_types.change(obj, by=by, now=now, **only(values, changed))

    def portal_url(self, obj: EventType) -> str:
        return reverse("catalog:event-type-detail", args=[obj.name])


class ReleaseInline(GuardedInline):
    """Where a version stands in each environment."""

    model = Release
    fk_name = "version"
    view_action = Action.EVENT_TYPE_VIEW
    shown = ("environment", "state", "since", "sunset_at", "replacement")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("version__event_type", "replacement__event_type")
        return super().get_queryset(request).select_related(*related)


@guarded(SchemaVersion)
class SchemaVersionAdmin(GuardedAdmin):
    """Versions are never changed; a change request makes the next one."""

    view_action = Action.EVENT_TYPE_VIEW
    hidden = ("major", "minor", "patch")
    list_display = ("version", "event_type", "guarantee", "created_at")
    list_filter = ("event_type__topic",)
    list_select_related = ("event_type",)
    search_fields = ("event_type__name", "version")
    date_hierarchy = "created_at"
    inlines = (ReleaseInline,)

    def portal_url(self, obj: SchemaVersion) -> str:
        return reverse("catalog:event-type-versions", args=[obj.event_type.name])


@guarded(Release)
class ReleaseAdmin(GuardedAdmin):
    """Versions by environment; promotion, deprecation and retirement are change requests."""

    view_action = Action.EVENT_TYPE_VIEW
    list_display = ("version", "environment", "state", "since", "sunset_at", "replacement")
    list_filter = ("environment", "state")
    list_select_related = ("version__event_type", "replacement__event_type")
    search_fields = ("version__event_type__name", "version__version")
