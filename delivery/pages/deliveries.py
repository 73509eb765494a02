"""One delivery: how it stands and why, every try, and the ways to mend or end it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.requests import PortalRequest
from delivery import corrections, curl, diagnosis, failures, legs, payloads
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
    return _show(request, _delivery(request, pk), DiscardForm())


def _show(request: PortalRequest, delivery: Delivery, form: DiscardForm) -> HttpResponse:
    now, [leg] = timezone.now(), legs.of([delivery], viewer=request.user)
    payload = payloads.seen_by(delivery.event, viewer=request.user)
    repeated = access.restrict(
        Delivery.objects.filter(repeats_id=delivery.pk), request.user, Action.DELIVERY_VIEW
    )
    can = access.can(request.user, delivery, [Action.DELIVERY_REPLAY, Action.DELIVERY_DISCARD])
    context = {
        "delivery": delivery,
        "event": delivery.event,
        "subscription": delivery.subscription,
        "leg": leg,
        "payload": payload,
        "command": curl.to_deliver(delivery, payload, now=now),
        "repeats": list(repeated.order_by("pk")[:20]),
        "form": form,
        "may_replay": Action.DELIVERY_REPLAY in can and delivery.status != DeliveryStatus.PENDING,
        "may_discard": Action.DELIVERY_DISCARD in can and delivery.status in _DISCARDABLE,
        "may_correct": corrections.may_correct(delivery.event, by=request.user),
        "circuit_open": diagnosis.CIRCUIT_OPEN,
        "waited": int((now - delivery.event.received_at).total_seconds()),
        "is_live": delivery.status == DeliveryStatus.PENDING,
    }
    return render(request, "delivery/delivery_detail.html", context)


@login_required
@require_POST
def delivery_discard(request: PortalRequest, pk: UUID) -> HttpResponse:
    """End a delivery that nobody needs, with the reason."""
    delivery, form = _delivery(request, pk), DiscardForm(request.POST)
    if not form.is_valid():
        return _show(request, delivery, form)
    failures.discard(delivery, **form.cleaned_data, by=request.user, now=timezone.now())
    messages.success(request, _("Discarded, with your reason."))
    return redirect("delivery:delivery-detail", pk)
