"""Applications: the list, one of them, registering, and its keys."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from catalog import form_faults
from catalog.forms import ApplicationForm, DeployForm, KeyForm
from catalog.models import Application
from catalog.requests import PortalRequest
from governance import access, applications, deploys, keys
from governance.actions import Action
from governance.models import ApiKey, Grant

PER_PAGE = 30
SENT_KEY_FORMS = "sent_key_forms"
LATEST_DEPLOYS = 5


@login_required
def application_list(request: PortalRequest) -> HttpResponse:
    """List the systems that publish and subscribe, the person's own first."""
    words = request.GET.get("q", "").strip()
    seen = access.restrict(Application.objects.all(), request.user, Action.APPLICATION_VIEW)
    if words:
        seen = seen.filter(
            Q(name__icontains=words) | Q(team__name__icontains=words) | Q(kind__icontains=words)
        )
    counted = seen.select_related("team", "region").annotate(
        subscription_count=Count(
            "subscriptions",
            filter=Q(
                subscriptions__environment=request.environment,
                subscriptions__ended_at__isnull=True,
            ),
            distinct=True,
        ),
    )
    mine = Q(team__group__in=request.user.groups.all())
    page = Paginator(
        counted.annotate(is_mine=Count("team", filter=mine)).order_by("-is_mine", "name"), PER_PAGE
    ).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "words": words,
        "may_register": access.allows(request.user, Action.APPLICATION_REGISTER),
    }
    return render(request, "catalog/application_list.html", context)


def _application(request: PortalRequest, slug: str) -> Application:
    seen = access.restrict(Application.objects.all(), request.user, Action.APPLICATION_VIEW)
    return get_object_or_404(seen.select_related("team", "region"), slug=slug)


@login_required
def application_detail(request: PortalRequest, slug: str) -> HttpResponse:
    """Show what an application may do, what it receives, and its keys to those who own it."""
    return _show(request, _application(request, slug), DeployForm())


def _show(request: PortalRequest, application: Application, form: DeployForm) -> HttpResponse:
    grants = access.restrict(
        Grant.objects.filter(Q(application=application) | Q(team=application.team_id)),
        request.user,
        Action.GRANT_VIEW,
    )
    own_keys = access.restrict(
        ApiKey.objects.filter(application=application), request.user, Action.KEY_VIEW
    )
    context = {
        "application": application,
        "grants": grants.with_names().order_by("state", "topic__name")[:50],
        "keys": own_keys.order_by("revoked_at", "-created_at")[:50],
        "now": timezone.now(),
        "deploys": deploys.marks(application)[:LATEST_DEPLOYS],
        "deploy_form": form,
        "can": {
            "deploy": access.allows(request.user, Action.APPLICATION_DEPLOY, application),
            "change": access.allows(request.user, Action.APPLICATION_CHANGE, application),
            "make_key": access.allows(request.user, Action.KEY_CREATE, application),
            "subscribe": access.allows(request.user, Action.SUBSCRIPTION_CREATE, application),
            "see_keys": access.allows(request.user, Action.KEY_VIEW, application),
        },
    }
    return render(request, "catalog/application_detail.html", context)


@login_required
@require_POST
def application_deployed(request: PortalRequest, slug: str) -> HttpResponse:
    """Mark that the application was deployed."""
    application = _application(request, slug)
    form = DeployForm(request.POST)
    if form.is_valid():
        deploys.mark(application, **form.cleaned_data, by=request.user, now=timezone.now())
        messages.success(request, _("Marked. A failure that begins now names it."))
        return redirect("catalog:application-detail", slug)
    return _show(request, application, form)


@login_required
def application_new(request: PortalRequest) -> HttpResponse:
    """Register an application; who was about to connect it to an event goes on there."""
    access.require(request.user, Action.APPLICATION_REGISTER)
    form = ApplicationForm(
        request.POST or None, user=request.user, initial={"kind": request.GET.get("kind")}
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = applications.register(**form.cleaned_data, by=request.user, now=timezone.now())
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            messages.success(request, _("%(name)s is registered.") % {"name": made.name})
            wanted = request.GET.get("connect", "")
            if wanted:
                query = urlencode({"event_type": wanted, "application": made.slug, "step": 2})
                return redirect(f"{reverse('delivery:subscription-new')}?{query}")
            return redirect("catalog:application-detail", made.slug)
    return render(request, "catalog/application_form.html", {"form": form, "application": None})


@login_required
def application_edit(request: PortalRequest, slug: str) -> HttpResponse:
    """Change what is said of an application."""
    application = _application(request, slug)
    access.require(request.user, Action.APPLICATION_CHANGE, application)
    form = ApplicationForm(request.POST or None, instance=application, user=request.user)
    if request.method == "POST" and form.is_valid():
        # The form has written its values on the instance; the verb starts from the stored row.
        fresh = Application.objects.get(pk=application.pk)
        try:
            applications.change(fresh, **form.cleaned_data, by=request.user, now=timezone.now())
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            return redirect("catalog:application-detail", slug)
    context = {"form": form, "application": application}
    return render(request, "catalog/application_form.html", context)


@login_required
@never_cache
def key_new(request: PortalRequest, slug: str) -> HttpResponse:
    """Make an API key and show it once."""
    application = _application(request, slug)
    access.require(request.user, Action.KEY_CREATE, application)
    first = {"environment": request.environment, "once": uuid4()}
    form = KeyForm(request.POST or None, initial=first)
    context = {"application": application, "form": form}
    if request.method == "POST" and form.is_valid():
        made = {**form.cleaned_data}
        if not _is_first(request, str(made.pop("once"))):
            text = _("That key was made and shown already. If it is lost, make another.")
            messages.warning(request, text)
            return redirect("catalog:application-detail", slug)
        key, plain = keys.create(application, **made, by=request.user, now=timezone.now())
        context |= {"key": key, "plain": plain}
        return render(request, "catalog/key_made.html", context)
    return render(request, "catalog/key_form.html", context)


def _is_first(request: PortalRequest, once: str) -> bool:
    """Tell whether this form is sent for the first time: a reload sends it again."""
    sent: list[str] = request.session.get(SENT_KEY_FORMS, [])
    request.session[SENT_KEY_FORMS] = [*sent[-20:], once]
    return once not in sent


@login_required
@require_POST
def key_revoke(request: PortalRequest, slug: str, pk: str) -> HttpResponse:
    """Revoke a key: it stops working within a second."""
    application = _application(request, slug)
    seen = access.restrict(ApiKey.objects.all(), request.user, Action.KEY_VIEW)
    key = get_object_or_404(seen, pk=pk, application=application)
    reason = request.POST.get("reason", "").strip()
    keys.revoke(key, by=request.user, reason=reason, now=timezone.now())
    messages.success(request, _("The key %(prefix)s… is revoked.") % {"prefix": key.prefix})
    return redirect("catalog:application-detail", slug)
