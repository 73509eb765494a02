"""Roll-ups, counts and notifications in the Django admin: written by workers, only read."""

from __future__ import annotations

from catalog.guarded_admin import BigTableAdmin, GuardedAdmin, guarded
from delivery.models import (
    ContractBreach,
    EventValue,
    FilteredCount,
    NewsChoice,
    Notification,
    PortalEvent,
    Rollup,
    RollupMark,
)
from governance.actions import Action


@guarded(Rollup)
class RollupAdmin(BigTableAdmin):
    """What dashboards read."""

    view_action = Action.OPERATIONS_VIEW
    list_display = (
        "at",
        "grain",
        "environment",
        "published",
        "delivered",
        "first_try",
        "failed_attempts",
        "dead",
        "skipped",
        "discarded",
    )
    list_filter = ("grain", "environment")
    search_fields = ()
    found_by = ("subscription_id", "topic_id", "event_type_id", "application_id")


@guarded(RollupMark)
class RollupMarkAdmin(GuardedAdmin):
    """How far roll-ups have read."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("name", "at", "up_to")


@guarded(EventValue)
class EventValueAdmin(BigTableAdmin):
    """By which values events are found; only digests of them are kept."""

    view_action = Action.OPERATIONS_VIEW
    hidden = ("digest",)
    list_display = ("event_id", "topic_id")
    search_fields = ()
    found_by = ("event_id",)


@guarded(FilteredCount)
class FilteredCountAdmin(BigTableAdmin):
    """What subscriptions' filters left out, by the minute."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("minute", "subscription_id", "count")
    search_fields = ()
    found_by = ("subscription_id",)


@guarded(ContractBreach)
class ContractBreachAdmin(BigTableAdmin):
    """How many events broke a version's contract, by the day."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("day", "environment", "version_id", "application_id", "count")
    list_filter = ("environment",)
    search_fields = ()
    found_by = ("version_id", "application_id")


@guarded(Notification)
class NotificationAdmin(BigTableAdmin):
    """Who was told what."""

    view_action = Action.USER_CHANGE
    list_display = ("created_at", "user", "kind", "text", "read_at", "mail_due_at", "mailed_at")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("user__username", "key")


@guarded(NewsChoice)
class NewsChoiceAdmin(GuardedAdmin):
    """How people want to be told."""

    view_action = Action.USER_CHANGE
    list_display = ("user", "kind", "is_shown", "mail")
    list_filter = ("kind", "mail")
    list_select_related = ("user",)
    search_fields = ("user__username",)


@guarded(PortalEvent)
class PortalEventAdmin(BigTableAdmin):
    """What Signalbox says of itself, and whether it is published."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("happened_at", "type", "environment", "subject", "ended_at", "refusal")
    list_filter = ("environment", "type")
    search_fields = ("key",)
