"""Replays: progress, and what became of each item; `replay_orders` has the way there."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import refusing
from catalog.requests import PortalRequest
from delivery import expunging, replay_checks, replay_words, replays
from delivery.models import Event, Replay, ReplayItem
from delivery.replay_checks import Refusal
from delivery.replay_selections import Selection
from delivery.states import ReplayState
from governance import access
from governance.actions import Action

PER_PAGE = 25


@login_required
def replay_list(request: PortalRequest) -> HttpResponse:
    """List what was delivered again, by whom and why."""
    seen = access.restrict(Replay.objects.all(), request.user, Action.REPLAY_VIEW)
    found = seen.filter(environment=request.environment).select_related(
        "requested_by", "subscription"
    )
    page = Paginator(found.order_by("-number"), PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "may_replay": access.allows(request.user, Action.DELIVERY_REPLAY)}
    return render(request, "delivery/replay_list.html", context)


def _replay(request: PortalRequest, number: int) -> Replay:
    seen = access.restrict(Replay.objects.all(), request.user, Action.REPLAY_VIEW)
    found: Replay = get_object_or_404(
        seen.select_related("requested_by", "approved_by", "subscription"), number=number
    )
    return found


@login_required
def replay_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show how far a replay has come and what became of each item."""
    replay = _replay(request, number)
    progress = replays.progress(replay)
    items = ReplayItem.objects.filter(replay=replay).select_related("subscription")
    page = Paginator(items.order_by("id"), PER_PAGE).get_page(request.GET.get("page"))
    taken = expunging.of({one.event_id for one in page if one.refused == Refusal.EXPUNGED})
    seen = access.restrict(Event.objects.all(), request.user, Action.EVENT_VIEW)
    events = seen.with_names().in_bulk([one.event_id for one in page])
    is_over = replay.state in {ReplayState.DONE, ReplayState.CANCELLED}
    context = {
        "replay": replay,
        "progress": progress,
        "state": "done_with_failures"
        if replay.state == ReplayState.DONE and progress.failed
        else replay.state,
        "page": page,
        "rows": [
            (
                one,
                events.get(one.event_id),
                taken.get(one.event_id) or replay_checks.SENTENCES.get(one.refused, one.refused),
            )
            for one in page
        ],
        "is_over": is_over,
        "told": replay_words.told(Selection.remembered(replay.selection), to=replay.subscription),
        "can": {
            "cancel": not is_over and access.allows(request.user, Action.REPLAY_CANCEL, replay),
            "approve": replay.state == ReplayState.AWAITING_APPROVAL
            and replay.requested_by_id != request.user.pk
            and access.allows(request.user, Action.REPLAY_MANY),
        },
    }
    return render(request, "delivery/replay_detail.html", context)


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
        back = reverse("delivery:replay-detail", args=[number])
        return refusing.refused(request, error, back=back)
    else:
        messages.success(request, _("Done."))
    return redirect("delivery:replay-detail", number)
