"""Dashboards of a topic, an application and a subscription; operations is that of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import Application, Topic
from catalog.requests import PortalRequest
from delivery import backlogs, diagnosis, overview
from delivery.models import Subscription
from delivery.pages import figures
from delivery.pages import operation_charts as drawn
from delivery.pages.periods import PERIODS, span
from delivery.scopes import Scope
from governance import access
from governance.actions import Action

Tab = dict[str, object]


def context(request: PortalRequest, scope: Scope, *, now: datetime) -> dict[str, Any]:
    """Return what `delivery/_dashboard.html` draws; about a dozen queries for any load."""
    time = span(request.GET.get("period", ""), scope, now=now)
    waiting = overview.waiting(scope, now=now)
    dead = overview.dead(scope, viewer=request.user)
    circuits = overview.circuits(scope, viewer=request.user)
    queues = backlogs.of([one.pk for one in circuits])
    causes = overview.causes(scope, since=now - time.length)
    return {
        "now": now,
        "periods": [(key, label, key == time.key) for key, (_l, label, _f) in PERIODS.items()],
        "period": time.key,
        "figures": [*figures.flow(time), *figures.standing(waiting, dead, now)],
        "charts": [
            drawn.throughput(time, publishes=scope.subscription is None),
            drawn.success(time),
            drawn.errors(time),
            drawn.latency(time),
            drawn.backlog_over_time(time),
            drawn.age_over_time(time),
            drawn.endings(time),
            drawn.backlog(waiting),
        ],
        "causes": [
            (one, diagnosis.explain(one.error_class), _percent(one, causes)) for one in causes
        ],
        "tries": sum(one.tries for one in causes),
        "circuits": [(one, queues.get(one.pk)) for one in circuits],
    }


def _percent(cause: overview.Cause, causes: Sequence[overview.Cause]) -> int:
    return round(100 * cause.tries / (sum(one.tries for one in causes) or 1))


@login_required
def topic_traffic(request: PortalRequest, name: str) -> HttpResponse:
    """Show to its owners and to support what goes through a topic."""
    seen = access.restrict(Topic.objects.all(), request.user, Action.TOPIC_VIEW)
    topic = get_object_or_404(seen, name=name)
    return _page(
        request, topic, Scope(environment=request.environment, topic=topic.pk), topic.title
    )


@login_required
def application_traffic(request: PortalRequest, slug: str) -> HttpResponse:
    """Show to its owners and to support what an application sends and receives."""
    seen = access.restrict(Application.objects.all(), request.user, Action.APPLICATION_VIEW)
    application = get_object_or_404(seen, slug=slug)
    scope = Scope(environment=request.environment, application=application.pk)
    return _page(request, application, scope, application.name)


@login_required
def subscription_traffic(request: PortalRequest, number: int) -> HttpResponse:
    """Show how the deliveries of a subscription fare."""
    seen = access.restrict(Subscription.objects.standing(), request.user, Action.SUBSCRIPTION_VIEW)
    subscription = get_object_or_404(seen, number=number)
    scope = Scope(environment=subscription.environment, subscription=subscription.pk)
    return _page(request, subscription, scope, subscription.name)


def _page(request: PortalRequest, thing: Model, scope: Scope, title: str) -> HttpResponse:
    access.require(request.user, Action.TRAFFIC_VIEW, thing)
    return render(
        request,
        "delivery/dashboard.html",
        {
            **context(request, scope, now=timezone.now()),
            "title": title,
            "thing": thing,
            "environment": scope.environment,
            "up": _places(thing),
        },
    )


def tabs(thing: Model, *, current: str) -> list[Tab]:
    """Return the tabs of a thing that has a dashboard."""
    detail, traffic = _pages(thing)
    return [
        {"label": _("Overview"), "url": detail, "is_current": current == "detail"},
        {"label": _("Traffic"), "url": traffic, "is_current": current == "traffic"},
    ]


def _pages(thing: Model) -> tuple[str, str]:
    if isinstance(thing, Topic):
        name: str | int = thing.name
        pages = ("catalog:topic-detail", "delivery:topic-traffic")
    elif isinstance(thing, Application):
        name = thing.slug
        pages = ("catalog:application-detail", "delivery:application-traffic")
    elif isinstance(thing, Subscription):
        name = thing.number
        pages = ("delivery:subscription-detail", "delivery:subscription-traffic")
    else:
        raise TypeError(thing)
    return reverse(pages[0], args=[name]), reverse(pages[1], args=[name])


def _places(thing: Model) -> tuple[str, str]:
    """Return word and address of the list that the thing is in."""
    if isinstance(thing, Topic):
        return _("Catalog"), reverse("catalog:event-type-list")
    if isinstance(thing, Application):
        return _("Applications"), reverse("catalog:application-list")
    return _("Subscriptions"), reverse("delivery:subscription-list")
