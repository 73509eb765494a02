"""Replays: preview, order, progress, and what became of each item."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import form_faults
from catalog.requests import PortalRequest
from delivery import replay_checks, replays
from delivery.failure_forms import ReplayForm
from delivery.models import Delivery, FailureGroup, Replay, ReplayItem
from delivery.replay_selections import Selection
from delivery.states import ReplayState
from governance import access
from governance.actions import Action

PER_PAGE = 25
MOST_DIGITS = 18  # of a number that the database can hold


@login_required
def replay_list(request: PortalRequest) -> HttpResponse:
    """List what was delivered again, by whom and why."""
    seen = access.restrict(Replay.objects.all(), request.user, Action.REPLAY_VIEW)
    found = seen.filter(environment=request.environment).select_related(
        "requested_by", "subscription"
    )
    page = Paginator(found.order_by("-number"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "delivery/replay_list.html", {"page": page})


@login_required
def replay_new(request: PortalRequest) -> HttpResponse:
    """Show what a replay would do; by POST with a reason, order it."""
    source = request.POST if request.method == "POST" else request.GET
    if not _kept(source):
        messages.error(request, _("Choose what to replay first."))
        return redirect("delivery:failure-list")
    selection, environment = _selection(request, source)
    now, by = timezone.now(), request.user
    form = ReplayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = replays.start(
                selection, environment=environment, by=by, now=now, **form.cleaned_data
            )
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            return redirect("delivery:replay-detail", made.number)
    preview, refused = None, ""
    try:
        preview = replays.preview(selection, environment=environment, by=by, now=now)
    except ValidationError as error:
        refused = " ".join(error.messages)
    context = {
        "form": form,
        "preview": preview,
        "refused": refused,
        "why": [
            (replay_checks.SENTENCES.get(reason, reason), count)
            for reason, count in (preview.refused if preview else {}).items()
        ],
        "kept": _kept(source),
        "back": request.META.get("HTTP_REFERER", ""),
    }
    return render(request, "delivery/replay_new.html", context)


def _kept(source: Any) -> list[tuple[str, str]]:
    """Return what was selected, for the form that orders it."""
    return [
        (name, value) for name in ("delivery", "failure") for value in source.getlist(name) if value
    ]


def _selection(request: PortalRequest, source: Any) -> tuple[Selection, str]:
    """Return the deliveries or the failure group that are named, and the environment they are in.

    It is theirs, not the one that is shown: a link may come from the other one's page.
    """
    chosen = source.getlist("delivery")
    if chosen:
        try:
            ids = tuple(UUID(one) for one in chosen)
        except ValueError as error:
            raise Http404 from error
        seen = access.restrict(Delivery.objects.all(), request.user, Action.DELIVERY_VIEW)
        found = list(seen.filter(pk__in=ids).values_list("pk", "environment"))
        environments = {environment for _pk, environment in found} or {request.environment}
        return Selection(deliveries=tuple(pk for pk, _e in found)), min(environments)
    number = source.get("failure", "")
    if not number.isdecimal() or len(number) > MOST_DIGITS:
        raise Http404
    groups = access.restrict(FailureGroup.objects.all(), request.user, Action.FAILURE_VIEW)
    group = get_object_or_404(groups, number=number)
    return Selection(failure_group=group.pk), group.environment


def _replay(request: PortalRequest, number: int) -> Replay:
    seen = access.restrict(Replay.objects.all(), request.user, Action.REPLAY_VIEW)
    found: Replay = get_object_or_404(seen.select_related("requested_by"), number=number)
    return found


@login_required
def replay_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show how far a replay has come and what became of each item."""
    replay = _replay(request, number)
    progress = replays.progress(replay)
    items = ReplayItem.objects.filter(replay=replay).select_related("subscription")
    page = Paginator(items.order_by("id"), PER_PAGE).get_page(request.GET.get("page"))
    is_over = replay.state in {ReplayState.DONE, ReplayState.CANCELLED}
    context = {
        "replay": replay,
        "progress": progress,
        "state": "done_with_failures"
        if replay.state == ReplayState.DONE and progress.failed
        else replay.state,
        "page": page,
        "rows": [(one, replay_checks.SENTENCES.get(one.refused, one.refused)) for one in page],
        "is_over": is_over,
        "can": {
            "cancel": not is_over and access.allows(request.user, Action.REPLAY_CANCEL, replay),
            "approve": replay.state == ReplayState.AWAITING_APPROVAL
            and replay.requested_by_id != request.user.pk
            and access.allows(request.user, Action.REPLAY_MANY),
        },
    }
    template = "delivery/_replay.html" if request.htmx else "delivery/replay_detail.html"
    return render(request, template, context)


@login_required
@require_POST
def replay_act(request: PortalRequest, number: int, verb: str) -> HttpResponse:
    """Approve, pause, resume or cancel a replay."""
    replay, by, now = _replay(request, number), request.user, timezone.now()
    verbs = {
        "approve": replays.approve,
        "pause": replays.pause,
        "resume": replays.resume,
        "cancel": replays.cancel,
    }
    try:
        verbs[verb](replay, by=by, now=now)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Done."))
    return redirect("delivery:replay-detail", number)
