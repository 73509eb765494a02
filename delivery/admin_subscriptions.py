"""Subscriptions, endpoints and circuits in the Django admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from catalog.guarded_admin import (
    Deed,
    GuardedAdmin,
    ReasonForm,
    guarded,
    in_state,
    pretty,
    to_list,
)
from delivery import backlogs, subscriptions
from delivery.models import (
    Circuit,
    Delivery,
    Endpoint,
    EndpointSecret,
    FailureGroup,
    FeedPosition,
    ParkedKey,
    QueueRow,
    Subscription,
)
from delivery.states import SubscriptionState
from governance.actions import Action


@guarded(Subscription)
class SubscriptionAdmin(GuardedAdmin):
    """Subscriptions: paused, resumed and ended here, changed in the portal."""

    view_action = Action.SUBSCRIPTION_VIEW
    hidden = ("filter",)
    list_display = (
        "number",
        "name",
        "application",
        "topic",
        "environment",
        "state",
        "state_reason",
        "circuit_state",
        "ended_at",
    )
    list_display_links = ("number", "name")
    list_filter = (
        "state",
        "environment",
        "mode",
        "circuit__state",
        ("ended_at", admin.EmptyFieldListFilter),
        "topic",
    )
    list_select_related = ("application", "topic", "circuit")
    search_fields = ("number__exact", "name", "application__name", "topic__name", "endpoint__url")
    date_hierarchy = "created_at"
    deeds = (
        Deed(
            name="pause",
            label=_("Pause"),
            needs=Action.SUBSCRIPTION_PAUSE,
            each=subscriptions.pause,
            form=ReasonForm,
            when=in_state(SubscriptionState.ACTIVE),
        ),
        Deed(
            name="resume",
            label=_("Resume"),
            needs=Action.SUBSCRIPTION_RESUME,
            each=subscriptions.resume,
            form=ReasonForm,
            when=in_state(SubscriptionState.PAUSED, SubscriptionState.DISABLED),
            preview=lambda rows, **_kwargs: [(one.name, _backlog(one)) for one in rows],
        ),
        Deed(
            name="end",
            label=_("End for good"),
            needs=Action.SUBSCRIPTION_END,
            each=subscriptions.end,
            form=ReasonForm,
            when=lambda row: row.ended_at is None,
        ),
    )

    def columns(self) -> list[str]:
        return [*super().columns(), "filtered", "circuit_state", "leads_to"]

    def portal_url(self, obj: Subscription) -> str:
        return reverse("delivery:subscription-detail", args=[obj.number])

    @admin.display(description=_("filter"))
    def filtered(self, row: Subscription) -> str:
        return pretty(row.filter)

    @admin.display(description=_("circuit"), ordering="circuit__state")
    def circuit_state(self, row: Subscription) -> str:
        circuit: Circuit | None = getattr(row, "circuit", None)
        return str(circuit.get_state_display()) if circuit else ""

    @admin.display(description=_("see also"))
    def leads_to(self, row: Subscription) -> str:
        links = (
            to_list(FailureGroup, _("Failures"), subscription__id__exact=row.pk),
            to_list(Delivery, _("Deliveries"), subscription__id__exact=row.pk),
            to_list(QueueRow, _("Owed now"), subscription_id__exact=row.pk),
        )
        return format_html_join(" · ", "{}", ((one,) for one in links))


def _backlog(subscription: Subscription) -> str:
    found = backlogs.of_one(subscription)
    return ngettext("%d delivery waits", "%d deliveries wait", found.count) % found.count


@guarded(Endpoint)
class EndpointAdmin(GuardedAdmin):
    """Addresses of receivers; credentials stay sealed."""

    view_action = Action.SUBSCRIPTION_VIEW
    hidden = ("sealed_auth",)
    list_display = ("url", "application", "region", "changed_at")
    list_filter = ("region",)
    list_select_related = ("application", "region")
    search_fields = ("url", "application__name")
    date_hierarchy = "changed_at"


@guarded(EndpointSecret)
class EndpointSecretAdmin(GuardedAdmin):
    """When signing secrets were made and end; they stay sealed."""

    view_action = Action.SUBSCRIPTION_VIEW
    hidden = ("sealed",)
    list_display = ("endpoint", "scheme", "public_key", "created_at", "expires_at")
    list_select_related = ("endpoint",)
    search_fields = ("endpoint__url", "endpoint__application__name")
    date_hierarchy = "created_at"


@guarded(Circuit)
class CircuitAdmin(GuardedAdmin):
    """How endpoints have answered lately; written by workers."""

    view_action = Action.OPERATIONS_VIEW
    list_display = (
        "subscription",
        "state",
        "last_status",
        "last_success_at",
        "last_failure_at",
        "failing_since",
        "next_probe_at",
    )
    list_filter = ("state",)
    list_select_related = ("subscription",)
    search_fields = ("subscription__name", "last_status")


@guarded(FeedPosition)
class FeedPositionAdmin(GuardedAdmin):
    """How far feeds were read."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("subscription", "handed_out", "acknowledged", "read_at")
    list_select_related = ("subscription",)
    search_fields = ("subscription__name",)


@guarded(ParkedKey)
class ParkedKeyAdmin(GuardedAdmin):
    """Keys that wait for someone to decide; let go on the subscription's page."""

    view_action = Action.OPERATIONS_VIEW
    list_display = ("subscription", "order_key", "delivery_id", "parked_at")
    list_select_related = ("subscription",)
    search_fields = ("subscription__name", "order_key")
    date_hierarchy = "parked_at"
