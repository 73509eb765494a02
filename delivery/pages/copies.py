"""Copying a production event to staging, after a page that says what is replaced."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import form_faults
from catalog.requests import PortalRequest
from catalog.words import Environment
from delivery import copies, knowledge, remaking
from delivery.copies import Copying, Wish
from delivery.copy_forms import CopyForm
from delivery.models import Event
from delivery.pages.corrections import named
from governance import access
from governance.actions import Action


@login_required
def event_copy(request: PortalRequest, pk: UUID) -> HttpResponse:
    """Show what a copy in staging would be; by POST reckon it anew, or make it."""
    event = _event(request, pk)
    form = _form(request, event)
    copying = _preview(request, event, form)
    is_order = request.method == "POST" and not request.htmx and "check" not in request.POST
    if is_order and copying is not None and not copying.outlook.faults:
        made = _copy(request, event, form)
        if made is not None:
            return redirect("delivery:event-detail", made.pk)
    outlook = copying.outlook if copying else remaking.Outlook()
    context = {
        "event": event,
        "form": form,
        "copying": copying,
        "faults": outlook.faults,
        "receivers": len(outlook.goes_to),
        "goes_to": named(request, outlook.goes_to),
    }
    template = "delivery/_copying.html" if request.htmx else "delivery/event_copy.html"
    return render(request, template, context)


def _event(request: PortalRequest, pk: UUID) -> Event:
    seen = access.restrict(Event.objects.with_names(), request.user, Action.EVENT_VIEW)
    event = get_object_or_404(seen, pk=pk)
    access.require(request.user, Action.EVENT_COPY, event)
    access.require(request.user, Action.PAYLOAD_VIEW, event)
    if event.environment != Environment.PRODUCTION:
        raise Http404
    return event


def _form(request: PortalRequest, event: Event) -> CopyForm:
    versions = remaking.versions_of(event, environment=Environment.STAGING)
    return CopyForm(
        request.POST or None,
        versions=versions,
        topic=event.type.topic,
        user=request.user,
        initial={"version": next(iter(versions), "")},
    )


def _preview(request: PortalRequest, event: Event, form: CopyForm) -> Copying | None:
    """Return what the copy would be; None, and faults of the form, when nobody can tell."""
    if form.is_bound and not form.is_valid():
        return None
    wish = form.wish() if form.is_bound else Wish(version=form.initial["version"])
    try:
        return copies.preview(event, wish, by=request.user, now=timezone.now())
    except knowledge.Stale:
        if form.is_bound:
            form.add_error(None, _("What is allowed cannot be read just now. Try again."))
        return None


def _copy(request: PortalRequest, event: Event, form: CopyForm) -> Event | None:
    """Make the copy; None, and faults of the form, where the verb refuses it."""
    reason = form.cleaned_data["reason"]
    try:
        made = copies.copy(event, form.wish(), reason=reason, by=request.user, now=timezone.now())
    except ValidationError as error:
        form_faults.put(form, error)
        return None
    messages.success(request, _("Copied. This is the event in staging."))
    return made
