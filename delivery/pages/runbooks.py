"""Runbooks: the list, one with its versions, and writing them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import form_faults
from catalog.moves import IllegalMove
from catalog.requests import PortalRequest
from delivery import runbook_steps, runbooks
from delivery.models import FailureGroup, Runbook
from delivery.runbook_forms import RunbookForm
from governance import access
from governance.actions import Action

PER_PAGE = 30
VERSIONS = 30
_NAMES = ("topic", "subscription__application__team", "changed_by")


def _seen(request: PortalRequest) -> QuerySet[Runbook]:
    seen = access.restrict(Runbook.objects.all(), request.user, Action.RUNBOOK_VIEW)
    return seen.select_related(*_NAMES)


def _runbook(request: PortalRequest, number: int) -> Runbook:
    return get_object_or_404(_seen(request), number=number)


@login_required
def runbook_list(request: PortalRequest) -> HttpResponse:
    """List the runbooks that are in use, or find one by its words."""
    words = request.GET.get("q", "").strip().replace("\x00", "")
    found = _seen(request).filter(is_active="retired" not in request.GET)
    if words:
        found = found.filter(Q(title__icontains=words) | Q(text__icontains=words))
    page = Paginator(found.order_by("title"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "words": words,
        "is_retired": "retired" in request.GET,
        "may_write": access.allows(request.user, Action.RUNBOOK_CHANGE),
    }
    return render(request, "delivery/runbook_list.html", context)


@login_required
def runbook_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show one with its steps, and what each version changed."""
    runbook = _runbook(request, number)
    versions = list(runbook.history.order_by("-history_date", "-history_id")[:VERSIONS])
    shown = _version(request, versions)
    before = versions[versions.index(shown) + 1] if shown and shown != versions[-1] else None
    context = {
        "runbook": runbook,
        "steps": runbook_steps.steps(runbook.text),
        "versions": versions,
        "shown": shown,
        "before": before,
        "may_change": access.allows(request.user, Action.RUNBOOK_CHANGE, runbook),
    }
    return render(request, "delivery/runbook_detail.html", context)


def _version(request: PortalRequest, versions: list[Any]) -> Any:
    wanted = request.GET.get("version", "")
    return next((one for one in versions if str(one.version) == wanted), None)


@login_required
def runbook_new(request: PortalRequest) -> HttpResponse:
    """Write one; a failure that is named says what it is for."""
    access.require(request.user, Action.RUNBOOK_CHANGE)
    form = RunbookForm(request.POST or None, user=request.user, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            made = runbooks.write(form.content(), by=request.user, now=timezone.now())
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            messages.success(request, _("Saved. It is shown on every failure that fits."))
            return redirect("delivery:runbook-detail", made.number)
    return render(request, "delivery/runbook_form.html", {"form": form, "runbook": None})


def _initial(request: PortalRequest) -> dict[str, Any]:
    number = request.GET.get("failure", "")
    if not number.isdecimal() or len(number) > 18:
        return {}
    groups = access.restrict(FailureGroup.objects.all(), request.user, Action.FAILURE_VIEW)
    group = groups.select_related("subscription").filter(number=number).first()
    if group is None:
        return {}
    return {
        "error_class": group.error_class,
        "status_code": group.status_code,
        "subscription": group.subscription.number,
    }


@login_required
def runbook_edit(request: PortalRequest, number: int) -> HttpResponse:
    """Write another version; what somebody else saved meanwhile is not overwritten."""
    runbook = _runbook(request, number)
    access.require(request.user, Action.RUNBOOK_CHANGE, runbook)
    initial = RunbookForm.initial_of(runbook)
    form = RunbookForm(request.POST or None, user=request.user, initial=initial)
    newer = ""
    if request.method == "POST" and form.is_valid():
        try:
            runbooks.change(
                runbook,
                form.content(),
                version=form.cleaned_data["version"] or 0,
                by=request.user,
                now=timezone.now(),
            )
        except ValidationError as error:
            form_faults.put(form, error)
        except IllegalMove as late:
            form.add_error(None, str(late))
            newer = Runbook.objects.get(pk=runbook.pk).text
        else:
            messages.success(request, _("Saved as a new version."))
            return redirect("delivery:runbook-detail", number)
    context = {"form": form, "runbook": runbook, "newer": newer, "typed": form["text"].value()}
    return render(request, "delivery/runbook_form.html", context)


@login_required
@require_POST
def runbook_act(request: PortalRequest, number: int, verb: str) -> HttpResponse:
    """Take it out of use, or put it back."""
    runbook = _runbook(request, number)
    act = runbooks.retire if verb == "retire" else runbooks.restore
    act(runbook, by=request.user, now=timezone.now())
    messages.success(request, _("Done."))
    return redirect("delivery:runbook-detail", number)
