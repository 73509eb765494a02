"""Trying a draft version in staging, from the page of its change request."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from catalog.requests import PortalRequest
from delivery import simulating
from delivery.models import Event, Subscription
from governance import access
from governance.actions import Action
from governance.models import ChangeRequest


@login_required
@require_POST
def simulate(request: PortalRequest, number: int) -> HttpResponse:
    """Send the draft's sample, or a recorded event, to a staging subscription."""
    seen = access.restrict(ChangeRequest.objects.all(), request.user, Action.CHANGE_VIEW)
    change = get_object_or_404(seen.select_related("topic", "event_type"), number=number)
    try:
        subscription, event = _chosen(request)
        told = simulating.breaches(change, event)
        result = simulating.simulate(
            change, subscription, event=event, by=request.user, now=timezone.now()
        )
        request.session["simulation"] = {
            "change": number,
            "subscription": subscription.name,
            "breaches": told,
            **asdict(result),
        }
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("governance:change-request-detail", number)


def _chosen(request: PortalRequest) -> tuple[Subscription, Event | None]:
    seen = access.restrict(Subscription.objects.standing(), request.user, Action.SUBSCRIPTION_VIEW)
    wanted = request.POST.get("subscription", "")
    subscription: Subscription = get_object_or_404(seen.with_names(), pk=wanted)
    event_id = request.POST.get("event", "")
    if not event_id:
        return subscription, None
    events = access.restrict(Event.objects.all(), request.user, Action.EVENT_VIEW)
    return subscription, get_object_or_404(events, pk=event_id)
