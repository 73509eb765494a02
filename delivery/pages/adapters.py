"""Inbound addresses: making one, trying its mapping, changing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from catalog import form_faults
from catalog.models import Application
from catalog.requests import PortalRequest
from delivery import adapters, arriving, configuration
from delivery.adapter_forms import AdapterForm, MappingForm
from delivery.models import Adapter
from delivery.states import SecretKind
from governance import access
from governance.actions import Action


def _adapter(request: PortalRequest, slug: str) -> Adapter:
    seen = access.restrict(Adapter.objects.all(), request.user, Action.ADAPTER_VIEW)
    return get_object_or_404(seen.select_related("application__team", "event_type"), slug=slug)


@login_required
@never_cache
def adapter_new(request: PortalRequest, slug: str) -> HttpResponse:
    """Make an inbound address and show its secret once; or try the mapping on a sample."""
    seen = access.restrict(Application.objects.all(), request.user, Action.APPLICATION_VIEW)
    application = get_object_or_404(seen.select_related("team"), slug=slug)
    access.require(request.user, Action.ADAPTER_CREATE, application)
    form = AdapterForm(
        request.POST or None, user=request.user, initial={"environment": request.environment}
    )
    context: dict[str, Any] = {"application": application, "adapter": None, "form": form}
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if "try" in request.POST:
            context |= _tried(form, data["event_type"].name, data["environment"])
            return render(request, "delivery/adapter_form.html", context)
        try:
            adapter, plain = adapters.create(
                application,
                event_type=data["event_type"],
                environment=data["environment"],
                secret_kind=data["secret_kind"],
                by=request.user,
                now=timezone.now(),
                **form.wishes(),
            )
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            return _secret_page(request, adapter, plain)
    return render(request, "delivery/adapter_form.html", context)


@login_required
def adapter_detail(request: PortalRequest, slug: str) -> HttpResponse:
    """Show an inbound address; change its mapping, or try one on a sample."""
    adapter = _adapter(request, slug)
    may_change = adapter.is_active and access.allows(request.user, Action.ADAPTER_CHANGE, adapter)
    form = MappingForm(request.POST or None, initial=MappingForm.initial_of(adapter))
    context: dict[str, Any] = {
        "application": adapter.application,
        "adapter": adapter,
        "form": form if may_change else None,
        "address": _address(adapter),
    }
    if request.method == "POST":
        access.require(request.user, Action.ADAPTER_CHANGE, adapter)
        if form.is_valid() and "try" in request.POST:
            context |= _tried(form, adapter.event_type.name, adapter.environment)
        elif form.is_valid():
            try:
                adapters.change(adapter, by=request.user, now=timezone.now(), **form.wishes())
            except ValidationError as error:
                form_faults.put(form, error)
            else:
                messages.success(request, _("It holds from the next request on."))
                return redirect("delivery:adapter-detail", slug)
    return render(request, "delivery/adapter_form.html", context)


@login_required
@never_cache
@require_POST
def adapter_act(request: PortalRequest, slug: str, verb: str) -> HttpResponse:
    """Give an inbound address a new secret, or close it for good."""
    adapter = _adapter(request, slug)
    now = timezone.now()
    if verb == "rotate":
        adapter, plain = adapters.rotate(adapter, by=request.user, now=now)
        return _secret_page(request, adapter, plain)
    adapters.deactivate(adapter, by=request.user, now=now)
    messages.success(request, _("%(name)s is closed.") % {"name": adapter.name})
    return redirect("catalog:application-detail", adapter.application.slug)


def _tried(form: MappingForm, event_type: str, environment: str) -> dict[str, Any]:
    event, faults = arriving.rehearse(
        form.cleaned_data["sample"].encode(),
        form.shape(event_type=event_type),
        environment=environment,
    )
    return {"is_tried": True, "event": event.decode() if event else "", "faults": faults}


def _address(adapter: Adapter) -> str:
    return f"{configuration.public_url()}/in/{adapter.slug}"


def _secret_page(request: PortalRequest, adapter: Adapter, plain: str) -> HttpResponse:
    address = _address(adapter)
    if adapter.secret_kind == SecretKind.QUERY:
        address = f"{address}?{adapter.secret_name}={plain}"
    context = {"adapter": adapter, "plain": plain, "address": address}
    return render(request, "delivery/adapter_made.html", context)
