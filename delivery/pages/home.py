"""Home: what needs this person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from catalog import charts
from catalog.requests import PortalRequest
from delivery import backlogs, home, overview, replays
from delivery.models import Replay
from delivery.pages import operation_charts as drawn
from delivery.pages import periods
from delivery.scopes import Scope
from delivery.standing import standing
from delivery.states import ReplayState
from governance import access
from governance.actions import Action

MOST_REPLAYS = 3


@login_required
def home_page(request: PortalRequest) -> HttpResponse:
    """Say how many things need the person, and give each its button."""
    now = timezone.now()
    failing = home.failing(request.user, environment=request.environment)
    ids = [one.pk for one in failing]
    waiting = backlogs.of(ids)
    strips = overview.strips(ids, environment=request.environment, now=now)
    context = {
        "needs": home.needs(request.user, environment=request.environment, now=now),
        "failing": [(one, standing(one), waiting.get(one.pk), strips[one.pk]) for one in failing],
        "resolved": home.resolved(request.user, environment=request.environment),
        "day": home.last_day(environment=request.environment, now=now),
        "charts": _charts(request, now),
        "running": _running(request),
        "first_name": request.user.display_name.split()[0],
    }
    return render(request, "delivery/home.html", context)


def _charts(request: PortalRequest, now: datetime) -> list[charts.Chart]:
    """Return the last day in two small charts, for those who run the portal."""
    if not access.allows(request.user, Action.OPERATIONS_VIEW):
        return []
    day = periods.span(periods.FIRST, Scope(environment=request.environment), now=now)
    latency = drawn.latency(day)
    # A small plot has room for what is usual; the rare slow ones stand on the page of operations.
    usual = replace(latency, lines=latency.lines[:2])
    return [replace(one, is_half=True) for one in (drawn.throughput(day), usual)]


def _running(request: PortalRequest) -> list[tuple[Replay, replays.Progress]]:
    seen = access.restrict(Replay.objects.all(), request.user, Action.REPLAY_VIEW)
    going = seen.filter(
        environment=request.environment, state__in=[ReplayState.QUEUED, ReplayState.RUNNING]
    )
    found = going.select_related("requested_by").order_by("-number")[:MOST_REPLAYS]
    return [(one, replays.progress(one)) for one in found]
