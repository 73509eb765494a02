"""One delivery: how it stands and why, every try, and the ways to mend or end it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.requests import PortalRequest
from delivery import corrections, curl, failures, legs, payloads
from delivery.event_forms import DiscardForm
from delivery.models import Delivery
from delivery.states import DeliveryStatus
from governance import access
from governance.actions import Action

_DISCARDABLE = {DeliveryStatus.PENDING, DeliveryStatus.DEAD}


def _delivery(request: PortalRequest, pk: UUID) -> Delivery:
    seen = access.restrict(Delivery.objects.all(), request.user, Action.DELIVERY_VIEW)
    named = seen.with_names().select_related(
        "event__type__topic",
        "event__application",
        "subscription__application__team",
        "subscription__topic",
        "subscription__endpoint",
        "subscription__circuit",
        "failure_group",
    )
    found: Delivery = get_object_or_404(named, pk=pk)
    return found


@login_required
def delivery_detail(request: PortalRequest, pk: UUID) -> HttpResponse:
    """Show how a delivery stands, in words, with every try."""
    delivery = _delivery(request, pk)
    [leg] = legs.of([delivery])
    payload = payloads.seen_by(delivery.event, viewer=request.user)
    repeated = access.restrict(
        Delivery.objects.filter(repeats_id=pk), request.user, Action.DELIVERY_VIEW
    )
    can = access.can(request.user, delivery, [Action.DELIVERY_REPLAY, Action.DELIVERY_DISCARD])
    context = {
        "delivery": delivery,
        "event": delivery.event,
        "subscription": delivery.subscription,
        "leg": leg,
        "payload": payload,
        "command": curl.to_deliver(delivery, payload, now=timezone.now()),
        "repeats": list(repeated.order_by("pk")[:20]),
        "form": DiscardForm(),
        "may_replay": Action.DELIVERY_REPLAY in can and delivery.status != DeliveryStatus.PENDING,
        "may_discard": Action.DELIVERY_DISCARD in can and delivery.status in _DISCARDABLE,
        "may_correct": corrections.may_correct(delivery.event, by=request.user),
        "is_live": delivery.status == DeliveryStatus.PENDING,
    }
    return render(request, "delivery/delivery_detail.html", context)


@login_required
@require_POST
def delivery_discard(request: PortalRequest, pk: UUID) -> HttpResponse:
    """End a delivery that nobody needs, with the reason."""
    delivery = _delivery(request, pk)
    reason = request.POST.get("reason", "")
    try:
        failures.discard(delivery, reason=reason, by=request.user, now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Discarded, with your reason."))
    return redirect("delivery:delivery-detail", pk)
