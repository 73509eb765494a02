"""The support desk: what fails and why, who is on it, and the way to mend it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.requests import PortalRequest
from catalog.vocabulary import MARKS
from delivery import backlogs, corrections, diagnosis, failures, letters, overview
from delivery.failure_forms import IgnoreForm, NoteForm, ResolveForm
from delivery.models import DeadLetter, FailureGroup
from delivery.pages import operation_charts as drawn
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
    context = {
        "page": page,
        "rows": [(one, _told(one)) for one in page],
        "words": words,
        "states": [(s, MARKS["failure_group"][s].word, s in states) for s in FailureGroupState],
    }
    return render(request, "delivery/failure_list.html", context)


def _told(group: FailureGroup) -> diagnosis.Diagnosis:
    kind = group.subscription.application.kind
    return diagnosis.explain(group.error_class, group.status_code, kind=kind)


def _group(request: PortalRequest, number: int) -> FailureGroup:
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
    group = _group(request, number)
    open_letters = DeadLetter.objects.filter(failure_group=group, resolved_at__isnull=True)
    page = Paginator(open_letters.order_by("died_at"), LETTERS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    now, changes = timezone.now(), list(failures.changes_before(group))
    shown = _shown_letter(request, open_letters, page)
    letter = letters.opened(shown, viewer=request.user) if shown else None
    context = {
        "group": group,
        "subscription": group.subscription,
        "told": _told(group),
        "backlog": backlogs.of_one(group.subscription),
        "page": page,
        "letters": letters.with_events(list(page)),
        "letter": letter,
        "changes": changes,
        "notes": failures.notes(group),
        "tries": drawn.failed_tries(
            overview.failed_per_hour(group.subscription, now=now), changes, now=now
        ),
        "known": failures.known_resolutions(group, viewer=request.user),
        "ping": request.session.pop("ping", None),
        "note_form": NoteForm(),
        "resolve_form": ResolveForm(),
        "ignore_form": IgnoreForm(),
        "is_settled": group.state in {FailureGroupState.RESOLVED, FailureGroupState.IGNORED},
        "can": {
            *access.can(request.user, group, [Action.FAILURE_HANDLE]),
            *access.can(
                request.user,
                group.subscription,
                [Action.SUBSCRIPTION_TEST, Action.SUBSCRIPTION_CHANGE, Action.SUBSCRIPTION_PAUSE],
            ),
        },
        "may_replay": access.allows(request.user, Action.DELIVERY_REPLAY),
        "may_correct": letter is not None
        and letter.event is not None
        and corrections.may_correct(letter.event, by=request.user),
    }
    return render(request, "delivery/failure_detail.html", context)


def _shown_letter(request: PortalRequest, open_letters: Any, page: Any) -> DeadLetter | None:
    """Return the dead letter that was asked for, else the first of the page."""
    try:
        wanted = UUID(request.GET.get("letter", ""))
    except ValueError:
        return next(iter(page), None)
    found: DeadLetter | None = open_letters.filter(pk=wanted).first()
    return found


@login_required
@require_POST
def failure_act(request: PortalRequest, number: int, verb: str) -> HttpResponse:
    """Take it, note, resolve, ignore, or open it again."""
    group = _group(request, number)
    try:
        _act(request, group, verb)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("delivery:failure-detail", number)


def _act(request: PortalRequest, group: FailureGroup, verb: str) -> None:
    by, now, data = request.user, timezone.now(), request.POST
    match verb:
        case "take":
            failures.assign(group, to=by, by=by, now=now)
            messages.success(request, _("Your name is on it."))
        case "release":
            failures.assign(group, to=None, by=by, now=now)
        case "note":
            failures.note(group, text=data.get("text", ""), by=by, now=now)
        case "resolve":
            failures.resolve(group, how=data.get("how", ""), by=by, now=now)
            messages.success(request, _("Resolved. If it comes back, it opens again by itself."))
        case "ignore":
            form = IgnoreForm(data)
            if not form.is_valid():
                raise ValidationError(_("Say why, and for 1 to 90 days."))
            until = now + timedelta(days=form.cleaned_data["days"])
            failures.ignore(group, until=until, reason=form.cleaned_data["reason"], by=by, now=now)
        case "reopen":
            failures.reopen(group, reason=data.get("reason", ""), by=by, now=now)
