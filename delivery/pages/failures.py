"""The support desk: what fails and why, who is on it, and the way to mend it.

What its buttons do stands in `failure_acts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from catalog.requests import PortalRequest, told_once
from catalog.vocabulary import MARKS
from delivery import backlogs, corrections, diagnosis, failures, letters, overview
from delivery.failure_forms import AssignForm, IgnoreForm, NoteForm, ReopenForm, ResolveForm
from delivery.models import DeadLetter, FailureGroup
from delivery.pages import operation_charts as drawn
from delivery.pages import runbook_deeds
from delivery.states import FailureGroupState
from governance import access
from governance.actions import Action

PER_PAGE = 25
LETTERS_PER_PAGE = 10


def _groups(request: PortalRequest) -> Any:
    seen = access.restrict(FailureGroup.objects.all(), request.user, Action.FAILURE_VIEW)
    return seen.filter(environment=request.environment)


@login_required
def failure_list(request: PortalRequest) -> HttpResponse:
    """List failures by cause, those that still need someone first."""
    words = request.GET.get("q", "").strip()
    states = request.GET.getlist("state") or [
        FailureGroupState.OPEN,
        FailureGroupState.ASSIGNED,
    ]
    found = _groups(request).filter(state__in=states)
    if words:
        found = found.filter(
            Q(subscription__name__icontains=words)
            | Q(message__icontains=words)
            | Q(subscription__application__name__icontains=words)
        )
    page = Paginator(found.with_names().order_by("-last_seen_at"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    trend = overview.strips(
        {one.subscription_id for one in page}, environment=request.environment, now=timezone.now()
    )
    context = {
        "page": page,
        "rows": [(one, _told(one), trend[one.subscription_id]) for one in page],
        "words": words,
        "states": [(s, MARKS["failure_group"][s].word, s in states) for s in FailureGroupState],
    }
    return render(request, "delivery/failure_list.html", context)


def _told(group: FailureGroup) -> diagnosis.Diagnosis:
    kind = group.subscription.application.kind
    return diagnosis.explain(group.error_class, group.status_code, kind=kind)


def group_of(request: PortalRequest, number: int) -> FailureGroup:
    """Return a failure that the person may see, else 404."""
    # A link from another environment's page must lead to the failure, not to a 404.
    seen = access.restrict(FailureGroup.objects.all(), request.user, Action.FAILURE_VIEW)
    found: FailureGroup = get_object_or_404(
        seen.with_names().select_related("subscription__circuit", "subscription__endpoint"),
        number=number,
    )
    return found


@login_required
def failure_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Explain one cause: what, why, since when, what changed, and the steps that mend it."""
    return show(request, group_of(request, number), {})


def show(
    request: PortalRequest, group: FailureGroup, shown: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Show a failure; `shown` replaces parts of the page, such as a form with its faults."""
    open_letters = DeadLetter.objects.filter(failure_group=group, resolved_at__isnull=True)
    page = Paginator(open_letters.order_by("died_at"), LETTERS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    chosen = _shown_letter(request, open_letters, page)
    letter = letters.opened(chosen, viewer=request.user) if chosen else None
    context = {
        "group": group,
        "subscription": group.subscription,
        "told": _told(group),
        "backlog": backlogs.of_one(group.subscription),
        "page": page,
        "letters": letters.with_events(list(page)),
        "letter": letter,
        "notes": failures.notes(group),
        "known": failures.known_resolutions(group, viewer=request.user),
        "runbooks": runbook_deeds.on_failure(request, group, letter),
        "ping": told_once(request, "ping"),
        "validated": told_once(request, "validated"),
        "is_settled": group.state in {FailureGroupState.RESOLVED, FailureGroupState.IGNORED},
        **_before(group),
        **_forms(group),
        **_allowed(request, group, letter),
        **shown,
    }
    return render(request, "delivery/failure_detail.html", context, status=status)


def _before(group: FailureGroup) -> dict[str, Any]:
    """Return what changed before it began, also as marks in the chart of its tries."""
    now, changes = timezone.now(), list(failures.changes_before(group))
    failed = overview.failed_per_hour(group.subscription, now=now)
    return {
        "changes": changes,
        "by_contract": failures.contract_change(group, changes),
        "contract_changed": diagnosis.CONTRACT_CHANGED,
        "tries": drawn.failed_tries(failed, changes, now=now),
    }


def _forms(group: FailureGroup) -> dict[str, Any]:
    return {
        "note_form": NoteForm(),
        "resolve_form": ResolveForm(),
        "ignore_form": IgnoreForm(),
        "reopen_form": ReopenForm(),
        "assign_form": AssignForm(group=group),
    }


def _allowed(
    request: PortalRequest, group: FailureGroup, letter: letters.Letter | None
) -> dict[str, Any]:
    by, wanted = request.user, [Action.SUBSCRIPTION_TEST, Action.SUBSCRIPTION_CHANGE]
    event = letter.event if letter else None
    return {
        "can": {
            *access.can(by, group, [Action.FAILURE_HANDLE]),
            *access.can(by, group.subscription, [*wanted, Action.SUBSCRIPTION_PAUSE]),
        },
        "may_write": access.allows(by, Action.RUNBOOK_CHANGE),
        "may_replay": access.allows(by, Action.DELIVERY_REPLAY),
        "may_correct": event is not None and corrections.may_correct(event, by=by),
    }


def _shown_letter(request: PortalRequest, open_letters: Any, page: Any) -> DeadLetter | None:
    """Return the dead letter that was asked for, else the first of the page."""
    try:
        wanted = UUID(request.GET.get("letter", ""))
    except ValueError:
        return next(iter(page), None)
    found: DeadLetter | None = open_letters.filter(pk=wanted).first()
    return found
