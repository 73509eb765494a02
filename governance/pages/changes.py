"""Change requests: the queue, and the page on which a reviewer judges."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from catalog import refusing, wording
from catalog.models import Application, Release
from catalog.requests import PortalRequest
from catalog.vocabulary import MARKS
from catalog.words import Environment, ReleaseState
from governance import (
    access,
    cadence,
    change_forms,
    checks,
    proposals,
    reviews,
    topic_checks,
    workflow,
)
from governance.actions import Action
from governance.models import ChangeRequest, LedgerEntry
from governance.states import ChangeKind, ChangeState
from governance.templatetags.change_pages import said

PER_PAGE = 25
# Verbs that need no word of the person, and what they are told.
PLAIN_VERBS = {
    "open": (reviews.open_, gettext_lazy("In review. The checks have run.")),
    "recheck": (reviews.recheck, gettext_lazy("The checks have run again.")),
    "apply": (reviews.apply, gettext_lazy("Applied.")),
}
UNDECIDED_STATES = (ChangeState.OPEN, ChangeState.APPROVED, ChangeState.CHANGES_REQUESTED)


def _seen(request: PortalRequest) -> Any:
    return access.restrict(ChangeRequest.objects.all(), request.user, Action.CHANGE_VIEW)


def _change(request: PortalRequest, number: int) -> ChangeRequest:
    found: ChangeRequest = get_object_or_404(
        _seen(request).select_related("topic", "topic__owner", "event_type", "base", "proposed_by"),
        number=number,
    )
    return found


@login_required
def change_list(request: PortalRequest) -> HttpResponse:
    """List changes, those that wait for somebody first."""
    now = timezone.now()
    states = request.GET.getlist("state") or [*UNDECIDED_STATES, ChangeState.DRAFT]
    found = _seen(request).filter(state__in=states).select_related("topic", "proposed_by")
    due_first = (F("due_at").asc(nulls_last=True), "-number")
    page = Paginator(found.order_by(*due_first), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "states": [(s, MARKS["change_request"][s].word, s in states) for s in ChangeState],
        "figures": _cadence(cadence.measure(_seen(request), now=now)),
        "now": now,
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE),
    }
    return render(request, "governance/change_list.html", context)


def _cadence(found: cadence.Cadence) -> list[dict[str, object]]:
    """Return the figures above the queue: what waits, and how long decisions take."""
    median, slowest = found.median_seconds, found.slowest_seconds
    return [
        {"name": _("Wait for a decision"), "figure": found.waiting},
        {"name": _("Late"), "figure": found.late},
        {"name": _("Decided in 90 days"), "figure": found.decided},
        {
            "name": _("Time to decision, median"),
            "figure": _("none yet") if median is None else wording.duration(median),
            "delta": _("slowest %s") % wording.duration(slowest) if slowest else "",
        },
    ]


@login_required
def change_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show what changes, whom it breaks, what traffic says, and take the decision."""
    change = _change(request, number)
    results = checks.latest(change)
    can = access.can(
        request.user,
        change,
        [
            Action.CHANGE_APPROVE,
            Action.CHANGE_REJECT,
            Action.CHANGE_SEND_BACK,
            Action.CHANGE_APPLY,
            Action.CHANGE_WITHDRAW,
            Action.CHANGE_EDIT,
            Action.CHANGE_OPEN,
            Action.CHANGE_REVIEW,
            Action.CHANGE_COMMENT,
            Action.CHANGE_EMERGENCY,
        ],
    )
    proposal = proposals.schema_of(change)
    old_document, new_document = proposals.of(change).sides(change)
    context = {
        "change": change,
        "results": results,
        "to_accept": checks.to_accept(results),
        "blocking": checks.blocking(results),
        "standing": workflow.standing(change),
        "old_document": old_document,
        "new_document": new_document,
        "values": _values(change),
        "new_version": proposal.version if proposal else "",
        "comments": change.comments.select_related("author"),
        "reviews": change.reviews.select_related("reviewer"),
        "entries": access.restrict(
            LedgerEntry.objects.about(change), request.user, Action.LEDGER_VIEW
        ).order_by("-number")[:15],
        "can": can,
        "sign_offs": _sign_offs(request, change),
        "is_unfinished": change.state in workflow.UNFINISHED,
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE, change.topic),
        "is_own": change.proposed_by_id == request.user.pk,
        "may_promote": _waits_for_production(change, proposal.version if proposal else ""),
    }
    return render(request, "governance/change_detail.html", context)


def _sign_offs(
    request: PortalRequest, change: ChangeRequest
) -> list[tuple[reviews.SignOff, bool, bool]]:
    """Return who is asked, whether they are late, and whether the person may answer for them."""
    asked = reviews.sign_offs(change)
    mine = access.restrict(
        Application.objects.filter(pk__in=[one.application_id for one in asked]),
        request.user,
        Action.CHANGE_SIGN_OFF,
    )
    own = set(mine.values_list("pk", flat=True)) if asked else set()
    is_open, now = change.state in reviews.ASKED_IN, timezone.now()
    return [
        (one, is_open and one.is_late(now), is_open and one.application_id in own) for one in asked
    ]


def _waits_for_production(change: ChangeRequest, version: str) -> bool:
    """Tell whether the applied version is in staging only."""
    return Release.objects.filter(
        version__event_type=change.event_type_id,
        version__version=version,
        environment=Environment.PRODUCTION,
        state=ReleaseState.STAGED,
    ).exists()


def _values(change: ChangeRequest) -> list[tuple[str, Any]]:
    """Return what the proposal says beside its documents, for a list of names and values."""
    if change.kind == ChangeKind.TOPIC_POLICY:
        rows = topic_checks.differences(change)
        return [(capfirst(str(one["label"])), said(one["after"])) for one in rows]
    hidden = {"version", *proposals.of(change).documents}
    proposed = json.loads(change.proposal)
    return [
        (_label(change, name), ", ".join(value) if isinstance(value, list) else value)
        for name, value in proposed.items()
        if name not in hidden and value not in ("", None, [], {})
    ]


def _label(change: ChangeRequest, name: str) -> str:
    """Return a value's name as its form asks for it."""
    form = change_forms.FORMS.get(change.kind)
    field = form.base_fields.get(name) if form else None
    return str(field.label) if field else name.replace("_", " ").capitalize()


@login_required
@require_POST
def change_act(request: PortalRequest, number: int, verb: str) -> HttpResponse:
    """Open, check, approve, send back, reject, withdraw, apply, sign off, hurry or comment."""
    change = _change(request, number)
    try:
        _act(request, change, verb)
    except ValidationError as error:
        back = reverse("governance:change-request-detail", args=[number])
        return refusing.refused(request, error, back=back)
    return redirect("governance:change-request-detail", number)


def _act(request: PortalRequest, change: ChangeRequest, verb: str) -> None:
    by, now, data = request.user, timezone.now(), request.POST
    note, seen = data.get("note", "").strip(), data.get("seen") or None
    match verb:
        case "open" | "recheck" | "apply":
            do, told = PLAIN_VERBS[verb]
            do(change, by=by, now=now)
            messages.success(request, str(told))
        case "approve":
            done = reviews.approve(
                change,
                by=by,
                note=note,
                now=now,
                seen_sha256=seen,
                accepted=data.getlist("accepted"),
                and_apply="and_apply" in data,
            )
            is_decided = done.state != ChangeState.OPEN
            messages.success(request, _("Approved.") if is_decided else _("Your approval counts."))
        case "request-changes":
            reviews.send_back(change, by=by, note=note, now=now, seen_sha256=seen)
            messages.success(request, _("Sent back with your note."))
        case "reject":
            reviews.reject(change, by=by, note=note, now=now, seen_sha256=seen)
            messages.success(request, _("Rejected, with your note."))
        case "withdraw":
            reviews.withdraw(change, by=by, reason=note, now=now)
        case "emergency":
            reviews.emergency(change, by=by, reason=note, now=now)
            messages.success(request, _("Done without a review, and marked so for ever."))
        case "sign-off":
            application = get_object_or_404(Application, pk=data.get("application", ""))
            agrees = data.get("answer") == "agree"
            reviews.sign_off(
                change, application=application, agrees=agrees, note=note, by=by, now=now
            )
            messages.success(request, _("Your word stands beside the reviews."))
        case "comment":
            reviews.comment(change, text=note, by=by, now=now)
