"""The catalog's list and the pages of one event type."""

from __future__ import annotations

import shlex
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import lifecycle, referring, schemas
from catalog.models import EventType, Release, SchemaVersion
from catalog.querysets import EventTypeQuerySet
from catalog.requests import PortalRequest
from catalog.vocabulary import MARKS
from catalog.words import ApplicationKind, ReleaseState, TopicKind
from governance import access, changelogs, contract_usage
from governance.actions import Action
from governance.models import ChangeRequest

PER_PAGE = 20
SORTS = {"name": ("title", "name"), "newest": ("-created_at",)}
FACETS = {
    "domain": "topic__domain__slug",
    "lifecycle": "lifecycle",
    "kind": "topic__kind",
    "owner": "topic__owner__slug",
}


@login_required
def event_type_list(request: PortalRequest) -> HttpResponse:
    """Search and narrow everything that the person may see."""
    words = request.GET.get("q", "").strip()
    seen = access.restrict(EventType.objects.all(), request.user, Action.EVENT_TYPE_VIEW)
    found = lifecycle.with_lifecycle(seen.matching(words), request.environment)
    narrowed = _narrow(found, request)
    sort = request.GET.get("sort", "")
    if sort in SORTS:
        narrowed = narrowed.order_by(*SORTS[sort])
    page = Paginator(narrowed.with_places(), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "words": words,
        "sort": sort,
        "facets": _facets(found),
        "chosen": _chosen(request),
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE),
        "environment": request.environment,
    }
    template = "catalog/_event_types.html" if request.htmx else "catalog/event_type_list.html"
    return render(request, template, context)


def _narrow(types: EventTypeQuerySet, request: PortalRequest) -> EventTypeQuerySet:
    for name, column in FACETS.items():
        values = request.GET.getlist(name)
        if values:
            types = types.filter(**{f"{column}__in": values})
    return types


def _facets(found: EventTypeQuerySet) -> list[tuple[str, str, list[tuple[str, Any, int]]]]:
    """Return (title, name, options) of each facet; options are (value, label, how many)."""
    kinds, marks = dict(TopicKind.choices), MARKS["release"]
    counted = found.order_by()

    def options(*columns: str) -> list[tuple[Any, ...]]:
        return list(counted.values_list(*columns).annotate(n=Count("pk", distinct=True)))

    domains = sorted(options("topic__domain__slug", "topic__domain__name"), key=lambda o: o[1])
    owners = sorted(options("topic__owner__slug", "topic__owner__name"), key=lambda o: o[1])
    states = [(state, marks[state].word, n) for state, n in options("lifecycle")]
    return [
        (_("Domain"), "domain", domains),
        (_("Lifecycle"), "lifecycle", sorted(states, key=lambda o: str(o[1]))),
        (_("Kind of channel"), "kind", [(k, kinds[k], n) for k, n in options("topic__kind")]),
        (_("Owner"), "owner", owners),
    ]


def _chosen(request: PortalRequest) -> list[tuple[str, str]]:
    return [(name, value) for name in FACETS for value in request.GET.getlist(name)]


def _event_type(request: PortalRequest, name: str) -> EventType:
    seen = access.restrict(EventType.objects.all(), request.user, Action.EVENT_TYPE_VIEW)
    known = lifecycle.with_lifecycle(seen, request.environment)
    return get_object_or_404(known.with_places(), name=name)


def _versions(event_type: EventType) -> list[SchemaVersion]:
    releases = Prefetch("releases", Release.objects.order_by("environment"))
    return list(event_type.versions.newest_first().prefetch_related(releases))


def _frame(request: PortalRequest, event_type: EventType, current: str) -> dict[str, Any]:
    """Return what the head and the tabs of every page of an event type need."""
    versions = _versions(event_type)
    shown = _shown(versions, request)
    changes = access.restrict(
        ChangeRequest.objects.filter(event_type=event_type), request.user, Action.CHANGE_VIEW
    )
    open_changes = changes.unfinished().count()
    fields = schemas.fields(shown.document, resolve=referring.resolve) if shown else []
    labels: list[tuple[str, Any, int | None]] = [
        ("detail", _("Overview"), None),
        ("versions", _("Versions"), len(versions)),
        ("events", _("Latest events"), None),
        ("changes", _("Changes"), open_changes or None),
        ("developers", _("For developers"), None),
    ]
    tabs = [
        {
            "label": label,
            "url": reverse(f"catalog:event-type-{key}", args=[event_type.name]),
            "is_current": key == current,
            "count": count,
        }
        for key, label, count in labels
    ]
    return {
        "event_type": event_type,
        "topic": event_type.topic,
        "versions": versions,
        "version": shown,
        "fields": fields,
        "is_sensitive": any(field.sensitive for field in fields),
        "tabs": tabs,
        "changes": changes,
        "environment": request.environment,
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE, event_type),
    }


def _shown(versions: list[SchemaVersion], request: PortalRequest) -> SchemaVersion | None:
    """Return the version asked for, else the newest live one here, else the newest."""
    wanted = request.GET.get("version")
    for version in versions:
        if version.version == wanted:
            return version
    for version in versions:
        for release in version.releases.all():
            live = release.state == ReleaseState.LIVE
            if live and release.environment == request.environment:
                return version
    return versions[0] if versions else None


@login_required
def event_type_detail(request: PortalRequest, name: str) -> HttpResponse:
    """Say what an event means, what it carries, who sends and who receives it."""
    event_type = _event_type(request, name)
    context = _frame(request, event_type, "detail")
    ending = (
        Release.objects.filter(
            version__event_type=event_type,
            environment=request.environment,
            state=ReleaseState.DEPRECATED,
        )
        .select_related("version", "replacement")
        .order_by("sunset_at")
    )
    context |= {
        "types": [event_type],
        "kinds": ApplicationKind.choices,
        "ending": ending,
        "days_left": {r.pk: (r.sunset_at - timezone.now()).days for r in ending if r.sunset_at},
    }
    return render(request, "catalog/event_type_detail.html", context)


@login_required
def event_type_versions(request: PortalRequest, name: str) -> HttpResponse:
    """List the versions with where each stands, and compare any two of them."""
    event_type = _event_type(request, name)
    context = _frame(request, event_type, "versions")
    by_number = {version.version: version for version in context["versions"]}
    numbers = list(by_number)
    wanted = request.GET.get("new", "")
    newer = wanted if wanted in by_number else next(iter(numbers), "")
    before = numbers[numbers.index(newer) + 1 :] or numbers[:1] if newer else []
    new = by_number.get(newer)
    old = by_number.get(request.GET.get("old", ""), by_number.get(next(iter(before), "")))
    used = by_number.get(request.GET.get("usage", ""))
    now = timezone.now()
    uses = contract_usage.of(used, environments=[request.environment], now=now) if used else []
    context |= {"used": used, "uses": [use.to_json(now) for use in uses]}
    majors = {version.major for version in context["versions"]}
    compared = changelogs.between(old, new).report if old and new and old != new else None
    context |= {"old": old, "new": new, "numbers": numbers, "has_majors": len(majors) > 1}
    context["compared"] = compared
    return render(request, "catalog/event_type_versions.html", context)


@login_required
def event_type_events(request: PortalRequest, name: str) -> HttpResponse:
    """Show the latest events of this type in the environment."""
    event_type = _event_type(request, name)
    context = _frame(request, event_type, "events")
    return render(request, "catalog/event_type_events.html", context)


@login_required
def event_type_changes(request: PortalRequest, name: str) -> HttpResponse:
    """List proposed and decided changes of this type."""
    event_type = _event_type(request, name)
    context = _frame(request, event_type, "changes")
    context["changes"] = context["changes"].select_related("proposed_by")[:50]
    return render(request, "catalog/event_type_changes.html", context)


@login_required
def event_type_developers(request: PortalRequest, name: str) -> HttpResponse:
    """Give schema, addresses and a command to publish with."""
    event_type = _event_type(request, name)
    context = _frame(request, event_type, "developers")
    context["origin"] = f"{request.scheme}://{request.get_host()}"
    context["publish_command"] = _publish_command(context["origin"], event_type, context["version"])
    return render(request, "catalog/event_type_developers.html", context)


def _publish_command(origin: str, event_type: EventType, version: SchemaVersion | None) -> str:
    """Return a shell command that publishes the sample with a key from the environment."""
    data = " ".join((version.example if version else "{}").split())
    return (
        f"curl {origin}/api/v1/events \\\n"
        '  -H "Authorization: Bearer $SIGNALBOX_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        '  -H "ce-specversion: 1.0" -H "ce-id: $(uuidgen)" \\\n'
        f'  -H "ce-source: /my/system" -H "ce-type: {event_type.name}" \\\n'
        f"  -d {shlex.quote(data)}"
    )
