"""Home: what needs this person."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from catalog.requests import PortalRequest
from delivery import backlogs, home
from delivery.standing import standing


@login_required
def home_page(request: PortalRequest) -> HttpResponse:
    """Say how many things need the person, and give each its button."""
    now = timezone.now()
    failing = home.failing(request.user, environment=request.environment)
    waiting = backlogs.of([one.pk for one in failing])
    context = {
        "needs": home.needs(request.user, environment=request.environment, now=now),
        "failing": [(one, standing(one), waiting.get(one.pk)) for one in failing],
        "resolved": home.resolved(request.user, environment=request.environment),
        "day": home.last_day(environment=request.environment, now=now),
        "first_name": request.user.display_name.split()[0],
    }
    return render(request, "delivery/home.html", context)
