"""Taking an event's data away for good, after a page that says what goes."""

from __future__ import annotations

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
from delivery import expunging
from delivery.event_forms import ExpungeForm
from delivery.models import Event
from governance import access
from governance.actions import Action


@login_required
def event_expunge(request: PortalRequest, pk: UUID) -> HttpResponse:
    """Say what goes and ask why; by POST take it away."""
    seen = access.restrict(Event.objects.with_names(), request.user, Action.EVENT_VIEW)
    event = get_object_or_404(seen, pk=pk)
    access.require(request.user, Action.PAYLOAD_EXPUNGE, event)
    form = ExpungeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _expunge(request, event, form):
        messages.success(request, _("The data is gone, everywhere. The event says who and why."))
        return redirect("delivery:event-detail", pk)
    context = {"event": event, "form": form, "outlook": expunging.outlook(event)}
    return render(request, "delivery/event_expunge.html", context)


def _expunge(request: PortalRequest, event: Event, form: ExpungeForm) -> bool:
    """Tell whether it was done; if not, the form says why."""
    reason = form.cleaned_data["reason"]
    try:
        expunging.expunge(event, reason=reason, by=request.user, now=timezone.now())
    except ValidationError as error:
        form_faults.put(form, error)
        return False
    return True
