"""Events: finding them, and one event's whole life."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Application, EventType
from catalog.requests import PortalRequest
from delivery import copies, corrections, curl, lives, moments, searching
from delivery.event_forms import EventSearchForm
from delivery.models import Event
from governance import access
from governance.actions import Action

REFRESH_SECONDS = 5  # as long as something is to come


@login_required
def event_list(request: PortalRequest) -> HttpResponse:
    """List the newest events, or those that someone looks for."""
    form = EventSearchForm(request.GET)
    form.full_clean()
    found, trouble = searching.Found(events=(), next=None), ""
    try:
        found = searching.events(
            form.wish(),
            environment=request.environment,
            viewer=request.user,
            now=timezone.now(),
            after=_after(request),
        )
    except searching.TooMuch:
        trouble = _("That would take too long. Name an id, a type, or a shorter time.")
    outcomes = searching.outcomes(found.events, viewer=request.user)
    context = {
        "form": form,
        "rows": [(one, outcomes[one.pk]) for one in found.events],
        "next": str(found.next or ""),
        "trouble": trouble,
        "chips": [(form[name].label, name, form[name].value()) for name in _narrowing(form)],
        "days": searching.DAYS_BACK if _is_recent_only(form) else 0,
        **_suggestions(request),
    }
    template = "delivery/_events.html" if request.htmx else "delivery/event_list.html"
    return render(request, template, context)


def _after(request: PortalRequest) -> UUID | None:
    try:
        return UUID(request.GET.get("after", ""))
    except ValueError:
        return None


def _narrowing(form: EventSearchForm) -> list[str]:
    return [name for name in form.fields if name != "q" and form[name].value()]


def _is_recent_only(form: EventSearchForm) -> bool:
    wish = form.wish()
    return not wish.words and not wish.value and wish.since is None


def _suggestions(request: PortalRequest) -> dict[str, Any]:
    """Return names that the browser offers while somebody types."""
    types = access.restrict(EventType.objects.all(), request.user, Action.EVENT_TYPE_VIEW)
    applications = access.restrict(
        Application.objects.active(), request.user, Action.APPLICATION_VIEW
    )
    return {
        "types": types.order_by("name").values_list("name", "title")[:200],
        "applications": applications.order_by("slug").values_list("slug", "name")[:200],
    }


@login_required
def event_detail(request: PortalRequest, pk: UUID) -> HttpResponse:
    """Show where an event came from, what became of it, and what was made of it."""
    # A link from another environment's page must lead to the event, not to a 404.
    seen = access.restrict(Event.objects.with_names(), request.user, Action.EVENT_VIEW)
    event = get_object_or_404(seen, pk=pk)
    life = lives.of(event, viewer=request.user, now=timezone.now())
    context = {
        "event": event,
        "life": life,
        "moments": [_entry(one) for one in moments.of(life)],
        "live": REFRESH_SECONDS if life.waiting or life.unsent else 0,
        "attributes": lives.attributes_of(event),
        "command": curl.to_publish(event, life.payload),
        "may_replay": access.allows(request.user, Action.DELIVERY_REPLAY),
        "may_expunge": not (life.payload.is_gone or life.payload.is_hidden)
        and access.allows(request.user, Action.PAYLOAD_EXPUNGE, event),
        "may_copy": copies.may_copy(event, by=request.user) and not life.payload.is_gone,
        "may_correct": corrections.may_correct(event, by=request.user),
    }
    return render(request, "delivery/event_detail.html", context)


def _entry(moment: moments.Moment) -> dict[str, Any]:
    return {
        "at": moment.at,
        "style": "exact",
        "title": moment.title,
        "icon": moment.icon,
        "tone": moment.tone,
        "text": moment.text,
        "by": moment.by,
        "url": reverse(moment.page, args=[moment.key]) if moment.page else "",
    }
