"""Events, deliveries, attempts and the queue in the Django admin: big tables, only read.

Lists are in the order of the key and filter by what has an index; see `BigTableAdmin`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import (
    BigTableAdmin,
    Deed,
    GuardedInline,
    ReasonForm,
    RecentFilter,
    change_url,
    guarded,
    pretty,
)
from catalog.ids import instant_of
from catalog.models import User
from delivery import failures, letters
from delivery.admin_replaying import ReplayForm, replay_preview, start_replays
from delivery.models import (
    Attempt,
    Delivery,
    Event,
    EventIdentity,
    Expunction,
    Payload,
    QueueRow,
    Replay,
    Subscription,
)
from delivery.states import DeliveryStatus
from governance.actions import Action


class DeliveryInline(GuardedInline):
    """To whom an event is owed, and what became of it."""

    model = Delivery
    view_action = Action.DELIVERY_VIEW
    shown = ("subscription", "status", "reason", "ended_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("subscription", "event")


@guarded(Event)
class EventAdmin(BigTableAdmin):
    """Events by their envelope; the data is the payload's."""

    view_action = Action.EVENT_VIEW
    hidden = ("extensions",)
    list_display = ("received_at", "type", "source", "event_id", "environment", "application")
    list_display_links = ("received_at", "event_id")
    list_filter = (RecentFilter, "environment")
    list_select_related = ("type", "application")
    search_fields = ("event_id", "correlation_id")
    found_by = ("id",)
    search_help_text = _("The id given by the source, or a correlation id, whole.")
    inlines = (DeliveryInline,)

    def columns(self) -> list[str]:
        return [*super().columns(), "further", "data"]

    @admin.display(description=_("further attributes"))
    def further(self, event: Event) -> str:
        return pretty(event.extensions)

    @admin.display(description=_("data"))
    def data(self, event: Event) -> str:
        url = change_url(Payload(event_id=event.pk))
        return format_html('<a href="{}">{}</a>', url, _("What was sent"))


@guarded(Payload)
class PayloadAdmin(BigTableAdmin):
    """What was sent, as far as the viewer may see it."""

    view_action = Action.PAYLOAD_VIEW
    list_display = ("event_id", "made_at")
    list_filter = (RecentFilter,)
    search_fields = ()
    found_by = ("event_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("data")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is not None:
            obj.seen = readable(request, obj.event_id, obj.data)
        return ["event_id", "made_at", "seen_data"]

    @admin.display(description=_("sent"))
    def made_at(self, row: Payload) -> datetime:
        return instant_of(row.event_id)

    @admin.display(description=_("data"))
    def seen_data(self, row: Any) -> str:
        return str(row.seen)


def readable(request: HttpRequest, event_id: Any, text: str) -> str:
    """Return a payload for a page, masked for its viewer."""
    event = Event.objects.with_names().filter(pk=event_id).first()
    data, is_masked = (None, False)
    if event is not None and text:
        data, is_masked = letters.readable(text, event, viewer=cast(User, request.user))
    if data is None:
        return str(_("You may not see the payload, or it is no longer kept."))
    note = _("Personal fields are masked for you.") if is_masked else ""
    return format_html("{}<p>{}</p>", pretty(data), note)


class AttemptInline(GuardedInline):
    """Every try: when, how long, what it answered."""

    model = Attempt
    view_action = Action.DELIVERY_VIEW
    shown = (
        "number",
        "started_at",
        "duration_ms",
        "outcome",
        "status_code",
        "error_class",
        "message",
        "response_excerpt",
    )


def discard(row: Delivery, *, by: User, now: datetime, reason: str) -> None:
    """End one delivery that is owed or dead."""
    failures.discard(row, reason=reason, by=by, now=now)


def replay(rows: Sequence[Delivery], **how: Any) -> list[Replay]:
    """Deliver again what was selected."""
    return start_replays([(one.environment, one.pk) for one in rows], **how)


@guarded(Delivery)
class DeliveryAdmin(BigTableAdmin):
    """Deliveries with their tries."""

    view_action = Action.DELIVERY_VIEW
    list_display = ("made_at", "event_type", "subscription", "environment", "status", "reason")
    list_filter = (RecentFilter, "status", "environment")
    list_select_related = ("event__type", "subscription")
    search_fields = ("event__event_id",)
    found_by = ("id", "event_id")
    search_help_text = _("The id of the delivery or of its event, whole.")
    inlines = (AttemptInline,)
    deeds = (
        Deed(
            name="replay",
            label=_("Replay selected"),
            needs=Action.DELIVERY_REPLAY,
            together=replay,
            form=ReplayForm,
            preview=lambda rows, **who: replay_preview(
                [(one.environment, one.pk) for one in rows], **who
            ),
            when=lambda row: row.status != DeliveryStatus.PENDING,
        ),
        Deed(
            name="discard",
            label=_("Discard"),
            needs=Action.DELIVERY_DISCARD,
            each=discard,
            form=ReasonForm,
            when=lambda row: row.status in (DeliveryStatus.PENDING, DeliveryStatus.DEAD),
        ),
    )

    @admin.display(description=_("made"))
    def made_at(self, row: Delivery) -> datetime:
        return instant_of(row.pk)

    @admin.display(description=_("event type"))
    def event_type(self, row: Delivery) -> str:
        return row.event.type.name


@guarded(Attempt)
class AttemptAdmin(BigTableAdmin):
    """Every try at a delivery; append-only."""

    view_action = Action.DELIVERY_VIEW
    list_display = (
        "started_at",
        "delivery_id",
        "number",
        "outcome",
        "status_code",
        "error_class",
        "duration_ms",
    )
    list_filter = (RecentFilter, "outcome")
    search_fields = ()
    found_by = ("delivery_id",)


@guarded(QueueRow)
class QueueRowAdmin(BigTableAdmin):
    """What is owed now, as the workers see it."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("delivery_id", "to", "due_at", "attempts", "is_replay", "lease")
    list_filter = ("is_replay",)
    search_fields = ()
    found_by = ("delivery_id", "subscription_id", "event_id")

    @admin.display(description=_("subscription"))
    def to(self, row: QueueRow) -> str:
        url = change_url(Subscription(pk=row.subscription_id))
        return format_html('<a href="{}">{}</a>', url, row.subscription_id)


@guarded(Expunction)
class ExpunctionAdmin(BigTableAdmin):
    """Whose data was taken away, by whom and why."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("expunged_at", "event_id", "expunged_by", "reason")
    list_select_related = ("expunged_by",)
    search_fields = ()
    found_by = ("event_id",)


@guarded(EventIdentity)
class EventIdentityAdmin(BigTableAdmin):
    """What makes a repeated event a duplicate."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("event_id", "known_by", "content")
    list_display_links = None  # the key is 16 bytes, which make no address
    search_fields = ()
    found_by = ("event_id",)

    @admin.display(description=_("environment, source and id"))
    def known_by(self, row: EventIdentity) -> str:
        return bytes(row.digest).hex()

    @admin.display(description=_("content"))
    def content(self, row: EventIdentity) -> str:
        return bytes(row.content_digest).hex()
