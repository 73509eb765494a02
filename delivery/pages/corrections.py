"""Mending an event: edit its data, see whether it keeps its contract, publish it anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import form_faults
from catalog.requests import PortalRequest
from delivery import corrections, knowledge, payloads, remaking
from delivery.correction_forms import CorrectionForm
from delivery.models import Event, Subscription
from governance import access
from governance.actions import Action


@login_required
def event_correct(request: PortalRequest, pk: UUID) -> HttpResponse:
    """Show the event's data to be mended; by POST hold it against the contract, or publish it."""
    event = _event(request, pk)
    seen = payloads.seen_by(event, viewer=request.user)
    form = CorrectionForm(
        request.POST or None,
        versions=remaking.versions_of(event, environment=event.environment),
        initial=_initial(event, seen),
    )
    outlook = None
    if request.method == "POST" and form.is_valid():
        outlook = _outlook(request, event, form)
        is_order = not request.htmx and "check" not in request.POST
        if is_order and outlook is not None and not outlook.faults:
            made = _publish(request, event, form)
            if made is not None:
                return redirect("delivery:event-detail", made.pk)
    context = {
        "event": event,
        "form": form,
        "seen": seen,
        "is_checked": outlook is not None,
        "faults": outlook.faults if outlook else (),
        "receivers": len(outlook.goes_to) if outlook else 0,
        "goes_to": named(request, outlook.goes_to if outlook else ()),
        "spared": named(request, outlook.spared if outlook else ()),
    }
    template = "delivery/_outlook.html" if request.htmx else "delivery/event_correct.html"
    return render(request, template, context)


def _event(request: PortalRequest, pk: UUID) -> Event:
    seen = access.restrict(Event.objects.with_names(), request.user, Action.EVENT_VIEW)
    event = get_object_or_404(seen, pk=pk)
    access.require(request.user, Action.EVENT_CORRECT, event)
    access.require(request.user, Action.PAYLOAD_VIEW, event)
    return event


def _initial(event: Event, seen: payloads.Seen) -> dict[str, Any]:
    data = "" if seen.data is None else json.dumps(seen.data, indent=2, ensure_ascii=False)
    return {"document": data, "subject": event.subject or "", "version": event.version.version}


def _outlook(request: PortalRequest, event: Event, form: CorrectionForm) -> remaking.Outlook | None:
    """Return what publishing would do; None, and a fault of the form, when nobody can tell."""
    try:
        return corrections.outlook(event, form.draft(), by=request.user, now=timezone.now())
    except knowledge.Stale:
        form.add_error(None, _("What is allowed cannot be read just now. Try again."))
        return None


def _publish(request: PortalRequest, event: Event, form: CorrectionForm) -> Event | None:
    """Publish the correction; None, and faults of the form, where the verb refuses it."""
    try:
        made = corrections.correct(
            event,
            form.draft(),
            reason=form.cleaned_data["reason"],
            by=request.user,
            now=timezone.now(),
        )
    except ValidationError as error:
        form_faults.put(form, error)
        return None
    messages.success(request, _("Published. It takes the place of the one you mended."))
    return made


def named(request: PortalRequest, ids: Sequence[UUID]) -> list[Subscription]:
    """Return those of the subscriptions that the person may see."""
    found = Subscription.objects.filter(pk__in=ids).select_related("application")
    seen = access.restrict(found, request.user, Action.SUBSCRIPTION_VIEW)
    return list(seen.order_by("name"))
