"""Who may publish and subscribe: the matrix, requests, giving and taking away."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import form_faults
from catalog.models import Application, Topic
from catalog.requests import PortalRequest
from governance import access, access_requests, grants, matrix
from governance.actions import Action
from governance.forms import DecisionForm, ReasonForm, WantedForm, end_of_day
from governance.models import AccessRequest, Grant, LedgerEntry
from governance.states import RequestState

MOST_COLUMNS = 12
MOST_ROWS = 60
MOST_DIGITS = 18  # of a number that the database can hold


def _grants(request: PortalRequest) -> Any:
    seen = access.restrict(Grant.objects.all(), request.user, Action.GRANT_VIEW)
    return seen.filter(environment=request.environment)


def _requests(request: PortalRequest) -> Any:
    seen = access.restrict(AccessRequest.objects.all(), request.user, Action.ACCESS_REQUEST_VIEW)
    return seen.filter(environment=request.environment)


def _tabs(request: PortalRequest, current: str, now: datetime) -> list[dict[str, Any]]:
    waiting = _requests(request).open().count()
    ending = _grants(request).in_force(now).filter(until__lte=now + matrix.ENDS_SOON).count()
    rows: list[tuple[str, str, int, str]] = [
        ("access", _("Matrix"), 0, ""),
        ("access-request-list", _("Requests"), waiting, "info"),
        ("access-ending", _("Ending soon"), ending, "warn"),
        ("access-history", _("History"), 0, ""),
    ]
    return [
        {
            "label": label,
            "url": reverse(f"governance:{name}"),
            "is_current": name == current,
            "count": count or None,
            "tone": tone,
        }
        for name, label, count, tone in rows
    ]


@login_required
def matrix_page(request: PortalRequest) -> HttpResponse:
    """Show grants by topic and application, and beside them the chosen one."""
    now = timezone.now()
    words = request.GET.get("q", "").strip()
    standing = list(_grants(request).in_force(now).with_names())
    waiting = list(_requests(request).open().with_names())
    topics, applications = _axes(request, words, standing, waiting)
    context = {
        "tabs": _tabs(request, "access", now),
        "rows": matrix.build(topics, applications, standing, waiting, now=now),
        "applications": applications,
        "words": words,
        "waiting": len(waiting),
        "ending": sum(matrix.mark_of(one, now=now).state == "ending" for one in standing),
        "may_give": access.allows(request.user, Action.GRANT_GIVE),
        "environment": request.environment,
        **_chosen(request, now),
    }
    return render(request, "governance/access_matrix.html", context)


def _axes(
    request: PortalRequest, words: str, standing: list[Grant], waiting: list[AccessRequest]
) -> tuple[list[Topic], list[Application]]:
    """Return the rows and columns: those with a grant or request, or those that the words name."""
    things = [*standing, *waiting]
    topics = access.restrict(Topic.objects.with_owners(), request.user, Action.TOPIC_VIEW)
    applications = access.restrict(
        Application.objects.active(), request.user, Action.APPLICATION_VIEW
    )
    teams = {one.team_id for one in things if one.team_id}
    used = Q(pk__in={one.application_id for one in things}) | Q(team__in=teams)
    by_word = applications.filter(name__icontains=words) if words else applications.none()
    columns = list((by_word if by_word.exists() else applications.filter(used))[:MOST_COLUMNS])
    by_name = topics.filter(Q(name__icontains=words) | Q(title__icontains=words))
    rows = by_name if words and by_name.exists() else topics
    return list(rows.order_by("domain__name", "name")[:MOST_ROWS]), columns


def _chosen(request: PortalRequest, now: datetime) -> dict[str, Any]:
    number = request.GET.get("grant", "")
    if not number.isdecimal() or len(number) > MOST_DIGITS:
        return {"grant": None}
    grant = _grants(request).with_names().filter(number=number).first()
    if grant is None:
        return {"grant": None}
    entries = access.restrict(
        LedgerEntry.objects.about(grant), request.user, Action.LEDGER_VIEW
    ).order_by("-number")[:10]
    return {
        "grant": grant,
        "mark": matrix.mark_of(grant, now=now),
        "entries": entries,
        "may_revoke": access.allows(request.user, Action.GRANT_REVOKE, grant),
        "form": ReasonForm(),
    }


@login_required
def request_list(request: PortalRequest) -> HttpResponse:
    """List access requests, those that wait first."""
    now = timezone.now()
    found = _requests(request).with_names().order_by("decided_at", "requested_at")
    page = Paginator(found, 30).get_page(request.GET.get("page"))
    context = {
        "tabs": _tabs(request, "access-request-list", now),
        "page": page,
        "open": RequestState.OPEN,
    }
    return render(request, "governance/access_request_list.html", context)


@login_required
def request_new(request: PortalRequest) -> HttpResponse:
    """Ask for permission to publish or subscribe."""
    form = WantedForm(
        request.POST or None,
        user=request.user,
        action=Action.ACCESS_REQUEST_MAKE,
        initial=_from_query(request),
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = access_requests.make(
                data["application"],
                verb=data["verb"],
                topic=data["topic"],
                environment=data["environment"],
                by=request.user,
                reason=data["reason"],
                wanted_until=end_of_day(data["until"]),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            messages.success(request, _("Asked. You are told as soon as it is decided."))
            return redirect("governance:access-request-detail", made.number)
    return render(request, "governance/access_request_form.html", {"form": form})


def _from_query(request: PortalRequest) -> dict[str, Any]:
    """Return what the address already says: topic and application by name."""
    query = request.GET
    return {
        "topic": Topic.objects.filter(name=query.get("topic", "")).first(),
        "application": Application.objects.filter(slug=query.get("application", "")).first(),
        "verb": query.get("verb", "subscribe"),
        "environment": query.get("environment", request.environment),
    }


def _access_request(request: PortalRequest, number: int) -> AccessRequest:
    seen = access.restrict(AccessRequest.objects.all(), request.user, Action.ACCESS_REQUEST_VIEW)
    return get_object_or_404(seen.with_names(), number=number)


@login_required
def request_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show one request, and let those who may decide it."""
    wanted = _access_request(request, number)
    form = DecisionForm(
        request.POST or None,
        initial={"until": wanted.wanted_until and timezone.localtime(wanted.wanted_until).date()},
    )
    may_decide = access.allows(request.user, Action.ACCESS_REQUEST_DECIDE, wanted)
    if request.method == "POST" and form.is_valid() and _decide(request, wanted, form):
        return redirect("governance:access-request-detail", number)
    context = {
        "wanted": wanted,
        "form": form,
        "is_open": wanted.state == RequestState.OPEN,
        "may_decide": may_decide,
        "may_withdraw": access.allows(request.user, Action.ACCESS_REQUEST_WITHDRAW, wanted),
        "entries": access.restrict(
            LedgerEntry.objects.about(wanted), request.user, Action.LEDGER_VIEW
        ).order_by("-number")[:10],
    }
    return render(request, "governance/access_request_detail.html", context)


def _decide(request: PortalRequest, wanted: AccessRequest, form: DecisionForm) -> bool:
    """Carry out the button that was pressed; False with the form's errors where it cannot be."""
    now, data = timezone.now(), form.cleaned_data
    choice = request.POST.get("decision")
    try:
        if choice == "approve":
            until = end_of_day(data["until"])
            access_requests.approve(
                wanted, by=request.user, until=until, note=data["note"], now=now
            )
            messages.success(request, _("Granted. It is in force now."))
        elif choice == "reject":
            access_requests.reject(wanted, by=request.user, note=data["note"], now=now)
            messages.success(request, _("Refused, with your note."))
        elif choice == "withdraw":
            access_requests.withdraw(wanted, by=request.user, now=now)
            messages.success(request, _("Withdrawn."))
    except ValidationError as error:
        form_faults.put(form, error)
        return False
    return True


@login_required
def grant_new(request: PortalRequest) -> HttpResponse:
    """Give a grant without a request."""
    access.require(request.user, Action.GRANT_GIVE)
    form = WantedForm(
        request.POST or None,
        user=request.user,
        action=Action.APPLICATION_VIEW,
        initial=_from_query(request),
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = grants.give(
                data["application"],
                verb=data["verb"],
                topic=data["topic"],
                environment=data["environment"],
                until=end_of_day(data["until"]),
                by=request.user,
                reason=data["reason"],
                now=timezone.now(),
            )
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            messages.success(request, _("Granted. It is in force now."))
            return redirect(f"{reverse('governance:access')}?grant={made.number}")
    return render(request, "governance/grant_form.html", {"form": form})


@login_required
@require_POST
def grant_revoke(request: PortalRequest, number: int) -> HttpResponse:
    """Revoke a grant: what waits under it ends with `no grant`."""
    seen = access.restrict(Grant.objects.all(), request.user, Action.GRANT_VIEW)
    grant = get_object_or_404(seen, number=number)
    form = ReasonForm(request.POST)
    if form.is_valid():
        grants.revoke(
            grant, by=request.user, reason=form.cleaned_data["reason"], now=timezone.now()
        )
        messages.success(request, _("Revoked. Waiting deliveries end with “no grant”."))
    else:
        messages.error(request, _("Not revoked: say why."))
    return redirect(f"{reverse('governance:access')}?grant={number}")


@login_required
def ending(request: PortalRequest) -> HttpResponse:
    """List grants that end within 14 days."""
    now = timezone.now()
    found = _grants(request).in_force(now).filter(until__lte=now + matrix.ENDS_SOON)
    return _list(request, found.order_by("until"), "access-ending", now)


@login_required
def history(request: PortalRequest) -> HttpResponse:
    """List every grant that ever was, the newest first."""
    return _list(
        request, _grants(request).order_by("-granted_at"), "access-history", timezone.now()
    )


def _list(request: PortalRequest, found: Any, current: str, now: datetime) -> HttpResponse:
    page = Paginator(found.with_names(), 30).get_page(request.GET.get("page"))
    context = {
        "tabs": _tabs(request, current, now),
        "page": page,
        "marks": [(one, matrix.mark_of(one, now=now)) for one in page],
        "current": current,
    }
    return render(request, "governance/grant_list.html", context)
