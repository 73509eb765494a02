"""The support desk in the Django admin: failures by cause, dead letters, replays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import (
    BigTableAdmin,
    BoundedPaginator,
    Deed,
    GuardedAdmin,
    ReasonForm,
    change_url,
    guarded,
    in_state,
    pretty,
    to_list,
)
from catalog.models import User
from delivery import diagnosis, failures, letters, replays
from delivery.admin_replaying import (
    ReplayForm,
    preview_groups,
    replay_groups,
    replay_preview,
    start_replays,
)
from delivery.failure_forms import IgnoreForm, NoteForm, ResolveForm
from delivery.models import DeadLetter, Delivery, Event, FailureGroup, Replay, ReplayItem
from delivery.replay_selections import MAX_ITEMS
from delivery.states import FailureGroupState, ReplayState
from governance.actions import Action

UNSETTLED = in_state(FailureGroupState.OPEN, FailureGroupState.ASSIGNED)


def take(row: FailureGroup, *, by: User, now: datetime) -> None:
    """Put one's own name on a failure."""
    failures.assign(row, to=by, by=by, now=now)


def ignore(row: FailureGroup, *, days: int, reason: str, by: User, now: datetime) -> None:
    """Stop counting a failure for some days."""
    failures.ignore(row, until=now + timedelta(days=days), reason=reason, by=by, now=now)


def explained(row: FailureGroup | DeadLetter) -> str:
    """Return what went wrong and what mends it, in plain sentences."""
    kind = row.subscription.application.kind
    found = diagnosis.explain(row.error_class, row.status_code, kind=kind)
    return format_html("<p>{}</p><p>{}</p><p>{}</p>", found.what, found.means, found.do)


@guarded(FailureGroup)
class FailureGroupAdmin(GuardedAdmin):
    """Failures by cause, with the same verbs as the support desk."""

    view_action = Action.FAILURE_VIEW
    hidden = ("id", "fingerprint")
    list_display = (
        "__str__",
        "subscription",
        "environment",
        "error_class",
        "status_code",
        "message_short",
        "open_count",
        "state",
        "assignee",
        "last_seen_at",
    )
    list_filter = ("state", "environment", "error_class", "status_code")
    search_fields = ("number__exact", "message", "subscription__name")
    date_hierarchy = "last_seen_at"
    deeds = (
        Deed(
            name="replay",
            label=_("Replay selected"),
            needs=Action.DELIVERY_REPLAY,
            together=replay_groups,
            form=ReplayForm,
            preview=preview_groups,
            when=lambda group: group.open_count > 0,
        ),
        Deed(
            name="take",
            label=_("Assign to me"),
            needs=Action.FAILURE_HANDLE,
            each=take,
            when=UNSETTLED,
        ),
        Deed(
            name="note",
            label=_("Add a note"),
            needs=Action.FAILURE_HANDLE,
            each=failures.note,
            form=NoteForm,
        ),
        Deed(
            name="resolve",
            label=_("Resolve"),
            needs=Action.FAILURE_HANDLE,
            each=failures.resolve,
            form=ResolveForm,
            when=UNSETTLED,
        ),
        Deed(
            name="ignore",
            label=_("Ignore for some days"),
            needs=Action.FAILURE_HANDLE,
            each=ignore,
            form=IgnoreForm,
            when=UNSETTLED,
        ),
        Deed(
            name="reopen",
            label=_("Open again"),
            needs=Action.FAILURE_HANDLE,
            each=failures.reopen,
            form=ReasonForm,
            when=in_state(FailureGroupState.RESOLVED, FailureGroupState.IGNORED),
        ),
    )

    def columns(self) -> list[str]:
        return ["number", "says", "letters", *super().columns()[1:]]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("subscription__application", "assignee")
        return super().get_queryset(request).select_related(*related)

    def portal_url(self, obj: FailureGroup) -> str:
        return reverse("delivery:failure-detail", args=[obj.number])

    @admin.display(description=_("message"))
    def message_short(self, row: FailureGroup) -> str:
        return row.message[:80]

    @admin.display(description=_("in short"))
    def says(self, row: FailureGroup) -> str:
        return explained(row)

    @admin.display(description=_("dead letters"))
    def letters(self, row: FailureGroup) -> str:
        label = _("%d dead letters, %d open") % (row.count, row.open_count)
        return to_list(DeadLetter, label, failure_group__id__exact=row.pk)


def is_open(row: DeadLetter) -> bool:
    """Tell whether nobody has ended the letter."""
    return row.resolved_at is None


def discard(row: DeadLetter, *, by: User, now: datetime, reason: str) -> None:
    """End the delivery of a dead letter because it is not needed."""
    delivery = Delivery.objects.with_names().get(pk=row.delivery_id)
    failures.discard(delivery, reason=reason, by=by, now=now)


def replay(rows: Sequence[DeadLetter], **how: Any) -> list[Replay]:
    """Deliver again what these letters tell of."""
    return start_replays([(one.environment, one.delivery_id) for one in rows], **how)


@guarded(DeadLetter)
class DeadLetterAdmin(GuardedAdmin):
    """Deliveries out of retries: every try, the data, and the way to send them again."""

    view_action = Action.FAILURE_VIEW
    shown = (
        "says",
        "event_type",
        "version",
        "subscription",
        "failure_group",
        "environment",
        "limit_said",
        "error_class",
        "status_code",
        "message",
        "tries",
        "data",
        "event",
        "first_attempt_at",
        "last_attempt_at",
        "died_at",
        "note",
        "resolved_at",
        "resolution",
    )
    list_display = (
        "event_type",
        "subscription",
        "failure_group",
        "status_code",
        "attempts",
        "died_at",
        "environment",
        "resolved_at",
    )
    list_filter = (
        ("resolved_at", admin.EmptyFieldListFilter),
        "environment",
        "error_class",
        "status_code",
        "event_type",
    )
    search_fields = ("event_type", "message", "subscription__name", "failure_group__number__exact")
    date_hierarchy = "died_at"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    deeds = (
        Deed(
            name="replay",
            label=_("Replay selected"),
            needs=Action.DELIVERY_REPLAY,
            together=replay,
            form=ReplayForm,
            preview=lambda rows, **who: replay_preview(
                [(one.environment, one.delivery_id) for one in rows], **who
            ),
            most=MAX_ITEMS,
            when=is_open,
        ),
        Deed(
            name="discard",
            label=_("Discard"),
            needs=Action.DELIVERY_DISCARD,
            each=discard,
            form=ReasonForm,
            when=is_open,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer("payload")
        return rows.select_related("subscription__application", "failure_group")

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return a letter opened for its viewer: tries and masked data."""
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            found.opened = letters.opened(found, viewer=cast(User, request.user))
        return found

    def portal_url(self, obj: DeadLetter) -> str:
        page = reverse("delivery:failure-detail", args=[obj.failure_group.number])
        return f"{page}?letter={obj.pk}"

    @admin.display(description=_("in short"))
    def says(self, row: DeadLetter) -> str:
        return explained(row)

    @admin.display(description=_("which limit ran out"))
    def limit_said(self, row: Any) -> str:
        return str(row.opened.limit)

    @admin.display(description=_("every try"))
    def tries(self, row: Any) -> str:
        return render_to_string("admin/guarded/attempts.html", {"letter": row.opened})

    @admin.display(description=_("data"))
    def data(self, row: Any) -> str:
        if row.opened.data is None:
            return str(_("You may not see the payload, or it is no longer kept."))
        note = _("Personal fields are masked for you.") if row.opened.is_masked else ""
        return format_html("{}<p>{}</p>", pretty(row.opened.data), note)

    @admin.display(description=_("event"))
    def event(self, row: Any) -> str:
        event: Event | None = row.opened.event
        if event is None:
            return str(row.event_id)
        return format_html('<a href="{}">{}</a>', change_url(event), event)


def cancel(row: Replay, *, by: User, now: datetime, reason: str) -> None:
    """Stop a replay for good."""
    replays.cancel(row, by=by, now=now, reason=reason)


@guarded(Replay)
class ReplayAdmin(GuardedAdmin):
    """Orders to deliver again, and how far they have come."""

    view_action = Action.REPLAY_VIEW
    hidden = ("id", "selection")
    list_display = (
        "__str__",
        "environment",
        "state",
        "matched",
        "requested_by",
        "requested_at",
        "reason",
        "ended_at",
    )
    list_filter = ("state", "environment")
    list_select_related = ("requested_by",)
    search_fields = ("number__exact", "reason", "requested_by__username")
    date_hierarchy = "requested_at"
    deeds = (
        Deed(
            name="approve",
            label=_("Approve"),
            needs=Action.REPLAY_MANY,
            each=replays.approve,
            when=in_state(ReplayState.AWAITING_APPROVAL),
        ),
        Deed(
            name="pause",
            label=_("Pause"),
            needs=Action.REPLAY_CANCEL,
            each=replays.pause,
            when=in_state(ReplayState.QUEUED, ReplayState.RUNNING),
        ),
        Deed(
            name="resume",
            label=_("Go on"),
            needs=Action.REPLAY_CANCEL,
            each=replays.resume,
            when=in_state(ReplayState.PAUSED),
        ),
        Deed(
            name="cancel",
            label=_("Cancel"),
            needs=Action.REPLAY_CANCEL,
            each=cancel,
            form=ReasonForm,
            when=lambda row: row.ended_at is None,
        ),
    )

    def columns(self) -> list[str]:
        return [*super().columns(), "selected", "came_to", "items"]

    def portal_url(self, obj: Replay) -> str:
        return reverse("delivery:replay-detail", args=[obj.number])

    @admin.display(description=_("what"))
    def selected(self, row: Replay) -> str:
        return pretty(row.selection)

    @admin.display(description=_("so far"))
    def came_to(self, row: Replay) -> str:
        counts = replays.progress(row)
        return _("%(arrived)d arrived, %(failed)d failed, %(refused)d refused, %(left)d to go") % {
            "arrived": counts.arrived,
            "failed": counts.failed,
            "refused": counts.refused,
            "left": counts.waiting + counts.under_way,
        }

    @admin.display(description=_("items"))
    def items(self, row: Replay) -> str:
        return to_list(ReplayItem, _("One by one"), replay__id__exact=row.pk)


@guarded(ReplayItem)
class ReplayItemAdmin(BigTableAdmin):
    """What became of each delivery of a replay."""

    view_action = Action.REPLAY_VIEW
    list_display = ("event_id", "replay", "subscription", "refused", "result", "ended_at")
    list_filter = ("result", "refused")
    list_select_related = ("replay", "subscription")
    found_by = ("event_id", "delivery_id")
    search_fields = ()
