"""Trying a subscription's choice on recorded events, beside the form and without saving."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.models import EventType
from catalog.requests import PortalRequest
from catalog.words import Environment
from delivery import filters, knowledge, tryouts
from delivery.models import Subscription
from delivery.subscription_forms import ConditionFields
from governance import access
from governance.actions import Action


class TryOutForm(ConditionFields):
    """The part of a subscription's form that says which events it wants."""

    event_type = forms.CharField(required=False)
    environment = forms.ChoiceField(choices=Environment.choices, required=False)
    version_pin = forms.IntegerField(required=False, min_value=0)


@login_required
@require_POST
def try_out(request: PortalRequest) -> HttpResponse:
    """Say which of the latest events the form's choice would let through, and why."""
    form = TryOutForm(request.POST)
    tried, fault = None, ""
    if form.is_valid():
        try:
            tried = tryouts.of(_choice(request, form), viewer=request.user, now=timezone.now())
        except filters.InvalidFilter as error:
            fault = error.message
        except knowledge.Stale:
            fault = _("Nobody can tell just now. Try again in a moment.")
    else:
        fault = " ".join(str(one) for errors in form.errors.values() for one in errors)
    template = "delivery/_try_out.html" if request.htmx else "delivery/try_out.html"
    return render(request, template, {"tried": tried, "fault": fault})


def _choice(request: PortalRequest, form: TryOutForm) -> tryouts.Choice:
    """Return what the form asks for: of a standing subscription, else of the named event type."""
    number = request.GET.get("subscription", "")
    if number.isdecimal():
        seen = access.restrict(
            Subscription.objects.standing(), request.user, Action.SUBSCRIPTION_VIEW
        )
        row = get_object_or_404(seen.select_related("topic"), number=int(number[:18]))
        return tryouts.Choice(
            topic=row.topic,
            environment=row.environment,
            event_types=tuple(row.event_types),
            version_pin=row.version_pin,
            filter=form.wanted(),
        )
    types = access.restrict(EventType.objects.all(), request.user, Action.EVENT_TYPE_VIEW)
    data = form.cleaned_data
    event_type = get_object_or_404(types.select_related("topic"), name=data["event_type"])
    return tryouts.Choice(
        topic=event_type.topic,
        environment=data["environment"] or request.environment,
        event_types=(event_type.name,),
        version_pin=data["version_pin"],
        filter=form.wanted(),
    )
