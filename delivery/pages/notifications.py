"""News for the person who is signed in."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.requests import PortalRequest
from delivery import notifications
from delivery.news_forms import ChoicesForm

PER_PAGE = 30


@login_required
def notification_list(request: PortalRequest) -> HttpResponse:
    """List what happened that concerns this person, the newest first."""
    page = Paginator(notifications.of(request.user), PER_PAGE).get_page(request.GET.get("page"))
    unread = notifications.unread(request.user)
    return render(request, "delivery/notification_list.html", {"page": page, "unread": unread})


@login_required
@require_POST
def notification_read(request: PortalRequest, pk: UUID) -> HttpResponse:
    """Mark one as read and go to the page that it is about."""
    news = get_object_or_404(notifications.of(request.user), pk=pk)
    notifications.mark_read(request.user, now=timezone.now(), pk=pk)
    is_ours = url_has_allowed_host_and_scheme(news.path, allowed_hosts={request.get_host()})
    if "open" in request.POST and news.path and is_ours:
        return redirect(news.path)
    return redirect("delivery:notification-list")


@login_required
@require_POST
def notifications_read(request: PortalRequest) -> HttpResponse:
    """Mark all as read."""
    notifications.mark_read(request.user, now=timezone.now())
    return redirect("delivery:notification-list")


@login_required
def notification_choices(request: PortalRequest) -> HttpResponse:
    """Let this person choose what they are told of, and how."""
    form = ChoicesForm(request.POST or None, chosen=notifications.choices(request.user))
    if request.method == "POST" and form.is_valid():
        notifications.choose(request.user, form.chosen())
        messages.success(request, _("Saved. It holds for news from now on."))
        return redirect("delivery:notification-choices")
    return render(request, "delivery/notification_choices.html", {"form": form})
