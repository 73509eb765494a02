"""The ledger: every governed change, and the proof that none was altered."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog.requests import PortalRequest
from governance import access, telling, verification
from governance.actions import Action
from governance.models import LedgerEntry, LedgerHead


@login_required
def ledger_list(request: PortalRequest) -> HttpResponse:
    """List what changed: who, what, when, why; narrowed by a thing or by words."""
    seen = access.restrict(LedgerEntry.objects.all(), request.user, Action.LEDGER_VIEW)
    about = request.GET.get("about", "")
    words = request.GET.get("q", "").strip()
    if about:
        seen = seen.filter(related__contains=[about])
    if words:
        seen = seen.filter(
            Q(actor_name__icontains=words)
            | Q(action__icontains=words)
            | Q(action__in=telling.actions_with(words))
            | Q(subject_label__icontains=words)
            | Q(reason__icontains=words)
        )
    context = {
        "page": Paginator(seen.order_by("-number"), 40).get_page(request.GET.get("page")),
        "words": words,
        "about": about,
        "head": LedgerHead.objects.first(),
    }
    return render(request, "governance/ledger.html", context)


@login_required
def ledger_entry(request: PortalRequest, number: int) -> HttpResponse:
    """Show one entry with the values before and after, and its place in the chain."""
    seen = access.restrict(LedgerEntry.objects.all(), request.user, Action.LEDGER_VIEW)
    entry = get_object_or_404(seen, number=number)
    names = sorted({*entry.before, *entry.after})
    changes = [(name, entry.before.get(name), entry.after.get(name)) for name in names]
    context = {"entry": entry, "changes": changes}
    return render(request, "governance/ledger_entry.html", context)


@login_required
def ledger_verify(request: PortalRequest) -> HttpResponse:
    """Walk the whole chain and say whether it holds."""
    access.require(request.user, Action.LEDGER_VIEW)
    fault = verification.verify() if request.method == "POST" else None
    context = {
        "fault": fault,
        "was_run": request.method == "POST",
        "head": LedgerHead.objects.first(),
    }
    return render(request, "governance/ledger_verify.html", context)
