"""The search of the bar: a number leads straight there, words to everything that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog import lifecycle
from catalog.models import Application, EventType, Topic
from catalog.requests import PortalRequest
from delivery import searching
from delivery.models import Delivery, Event, FailureGroup, Replay, Subscription
from delivery.standing import standing
from governance import access
from governance.actions import Action
from governance.models import AccessRequest, ChangeRequest, Grant, LedgerEntry

MOST = 8  # of each kind; the lists show the rest

# How people name things: "CR-42". Prefix -> model, what one must be allowed, the page.
NUMBERED: dict[str, tuple[Any, Action, str]] = {
    "CR": (ChangeRequest, Action.CHANGE_VIEW, "governance:change-request-detail"),
    "AR": (AccessRequest, Action.ACCESS_REQUEST_VIEW, "governance:access-request-detail"),
    "F": (FailureGroup, Action.FAILURE_VIEW, "delivery:failure-detail"),
    "R": (Replay, Action.REPLAY_VIEW, "delivery:replay-detail"),
    "S": (Subscription, Action.SUBSCRIPTION_VIEW, "delivery:subscription-detail"),
    "#": (LedgerEntry, Action.LEDGER_VIEW, "governance:ledger-entry"),
}
_NUMBER = re.compile(r"(CR|AR|F|R|S|G)\s?-?\s?(\d{1,18})|(#)(\d{1,18})", re.IGNORECASE)


@login_required
def search(request: PortalRequest) -> HttpResponse:
    """Go where a number or an id leads, else list what the words name."""
    words = request.GET.get("q", "").strip()[:200]
    page = _named(request, words)
    if page:
        return redirect(page)
    groups = [group for group in _groups(request, words) if group["rows"]] if words else []
    context = {
        "search_text": words,
        "words": words,
        "groups": groups,
        "count": sum(len(group["rows"]) for group in groups),
    }
    return render(request, "delivery/search.html", context)


def _named(request: PortalRequest, words: str) -> str:
    """Return the page of the one thing that the words name; empty for none that may be seen."""
    found = _NUMBER.fullmatch(words)
    if found:
        return _numbered(request, (found[1] or found[3]).upper(), int(found[2] or found[4]))
    try:
        key = UUID(words.removeprefix("msg_"))
    except ValueError:
        return ""
    for model, action, page in (
        (Event, Action.EVENT_VIEW, "delivery:event-detail"),
        (Delivery, Action.DELIVERY_VIEW, "delivery:delivery-detail"),
    ):
        if access.restrict(model._default_manager.filter(pk=key), request.user, action).exists():
            return reverse(page, args=[key])
    return ""


def _numbered(request: PortalRequest, prefix: str, number: int) -> str:
    if prefix == "G":
        action = Action.GRANT_VIEW
        grants = access.restrict(Grant.objects.filter(number=number), request.user, action)
        grant = grants.first()
        if grant is None:
            return ""
        return f"{reverse('governance:access')}?grant={number}&environment={grant.environment}"
    model, action, page = NUMBERED[prefix]
    seen = access.restrict(model.objects.filter(number=number), request.user, action)
    return reverse(page, args=[number]) if seen.exists() else ""


def _groups(request: PortalRequest, words: str) -> Iterator[dict[str, Any]]:
    yield _event_types(request, words)
    yield _topics(request, words)
    yield _applications(request, words)
    yield _subscriptions(request, words)
    yield _changes(request, words)
    yield _events(request, words)


def _event_types(request: PortalRequest, words: str) -> dict[str, Any]:
    seen = access.restrict(EventType.objects.all(), request.user, Action.EVENT_TYPE_VIEW)
    found: Any = lifecycle.with_lifecycle(seen.matching(words), request.environment)
    return _group(
        _("Event types"),
        "book-open",
        "catalog:event-type-list",
        [
            {
                "title": one.title,
                "url": reverse("catalog:event-type-detail", args=[one.name]),
                "code": one.name,
                "thing": "release",
                "state": one.lifecycle,
            }
            for one in found.with_places()[:MOST]
        ],
    )


def _topics(request: PortalRequest, words: str) -> dict[str, Any]:
    seen = access.restrict(Topic.objects.with_owners(), request.user, Action.TOPIC_VIEW)
    found = seen.filter(Q(name__icontains=words) | Q(title__icontains=words))
    return _group(
        _("Topics"),
        "queue-list",
        "",
        [
            {
                "title": one.title,
                "url": reverse("catalog:topic-detail", args=[one.name]),
                "code": one.name,
                "note": one.owner.name,
            }
            for one in found.order_by("name")[:MOST]
        ],
    )


def _applications(request: PortalRequest, words: str) -> dict[str, Any]:
    seen = access.restrict(
        Application.objects.select_related("team"), request.user, Action.APPLICATION_VIEW
    )
    found = seen.filter(Q(name__icontains=words) | Q(slug__icontains=words))
    return _group(
        _("Applications"),
        "squares-2x2",
        "catalog:application-list",
        [
            {
                "title": one.name,
                "url": reverse("catalog:application-detail", args=[one.slug]),
                "code": one.slug,
                "note": f"{one.get_kind_display()}, {one.team.name}",
            }
            for one in found.order_by("name")[:MOST]
        ],
    )


def _subscriptions(request: PortalRequest, words: str) -> dict[str, Any]:
    seen = access.restrict(
        Subscription.objects.standing().filter(environment=request.environment),
        request.user,
        Action.SUBSCRIPTION_VIEW,
    )
    found = seen.filter(
        Q(name__icontains=words)
        | Q(application__name__icontains=words)
        | Q(endpoint__url__icontains=words)
    )
    return _group(
        _("Subscriptions"),
        "signal",
        "delivery:subscription-list",
        [
            {
                "title": one.name,
                "url": reverse("delivery:subscription-detail", args=[one.number]),
                "note": one.topic.name,
                "thing": "subscription",
                "state": standing(one),
            }
            for one in found.with_names().order_by("name")[:MOST]
        ],
    )


def _changes(request: PortalRequest, words: str) -> dict[str, Any]:
    seen = access.restrict(
        ChangeRequest.objects.select_related("topic"), request.user, Action.CHANGE_VIEW
    )
    found = seen.filter(Q(title__icontains=words) | Q(topic__name__icontains=words))
    return _group(
        _("Changes"),
        "arrows-right-left",
        "governance:change-request-list",
        [
            {
                "title": one.title,
                "url": reverse("governance:change-request-detail", args=[one.number]),
                "code": str(one),
                "note": one.topic.name,
                "thing": "change_request",
                "state": one.state,
            }
            for one in found.order_by("-number")[:MOST]
        ],
    )


def _events(request: PortalRequest, words: str) -> dict[str, Any]:
    found = searching.by_words(
        words, environment=request.environment, viewer=request.user, limit=MOST
    )
    return _group(
        _("Events"),
        "bolt",
        "delivery:event-list",
        [
            {
                "title": f"{one.type.title} {one.subject or ''}".strip(),
                "url": reverse("delivery:event-detail", args=[one.pk]),
                "code": one.event_id,
                "at": one.received_at,
            }
            for one in found
        ],
    )


def _group(title: str, icon: str, page: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one kind of thing; `more` is the page that lists all of them, once there are many."""
    more = reverse(page) if page and len(rows) == MOST else ""
    return {"title": title, "icon": icon, "rows": rows, "more": more}
