"""Subscriptions: the list, one of them, and its form; `wizard` makes a new one.

What the buttons of one do stands in `subscription_acts`.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from catalog import collecting_words, form_faults
from catalog.models import Application
from catalog.requests import PortalRequest, told_once
from delivery import (
    backlogs,
    batching,
    connecting,
    diagnosis,
    orders,
    parking,
    sealing,
    signing_secrets,
    standing_orders,
    subscriptions,
)
from delivery.models import Delivery, FailureGroup, Subscription
from delivery.standing import standing
from delivery.states import SubscriptionState
from delivery.subscription_forms import EditForm
from governance import access
from governance.actions import Action
from governance.forms import ReasonForm

PER_PAGE = 30
LATEST = 15
MOST_KEYS = 50
MOST_FAILURES = 3
ACTIONS = (
    Action.SUBSCRIPTION_CHANGE,
    Action.SUBSCRIPTION_PAUSE,
    Action.SUBSCRIPTION_TEST,
    Action.SUBSCRIPTION_END,
    Action.SECRET_ROTATE,
)


def _seen(request: PortalRequest) -> Any:
    return access.restrict(Subscription.objects.standing(), request.user, Action.SUBSCRIPTION_VIEW)


def standing_one(request: PortalRequest, number: int) -> Subscription:
    """Return a subscription that stands and that the person may see, else 404."""
    found: Subscription = get_object_or_404(_seen(request).with_names(), number=number)
    return found


@login_required
def subscription_list(request: PortalRequest) -> HttpResponse:
    """List the standing orders of this environment, those that fail first."""
    words = request.GET.get("q", "").strip()
    found = _seen(request).filter(environment=request.environment).with_names()
    if words:
        found = found.filter(
            Q(name__icontains=words)
            | Q(application__name__icontains=words)
            | Q(topic__name__icontains=words)
        )
    worst_first = F("circuit__state").desc(nulls_last=True)  # probing, open, closed
    page = Paginator(found.order_by(worst_first, "name"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    waiting = backlogs.of([one.pk for one in page])
    context = {
        "page": page,
        "words": words,
        "rows": [(one, standing(one), waiting.get(one.pk)) for one in page],
        "may_connect": access.restrict(
            Application.objects.active(), request.user, Action.SUBSCRIPTION_CREATE
        ).exists(),
    }
    return render(request, "delivery/subscription_list.html", context)


@login_required
@never_cache
def subscription_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show how a subscription fares, where it delivers, and what waits; also once it has ended."""
    subscription = subscription_of(request, number)
    deliveries = Delivery.objects.filter(subscription=subscription)
    seen_deliveries = access.restrict(deliveries, request.user, Action.DELIVERY_VIEW)
    latest = list(seen_deliveries.with_names().order_by("-id")[:LATEST])
    # Until it is shown, the session keeps the secret sealed, as it is everywhere at rest.
    new_number, sealed = told_once(request, "new_secret") or [None, ""]
    order = standing_orders.order_of(subscription)
    context = {
        "subscription": subscription,
        "standing": standing(subscription),
        "backlog": backlogs.of_one(subscription),
        "latest": latest,
        "hides_deliveries": not latest and deliveries.exists(),
        "failing": _failing(request, subscription),
        "secret": sealing.unseal(sealed) if new_number == number and sealed else "",
        "advice": orders.advice(order),
        "collects": collecting_words.tell(subscription.collecting_rule, now=timezone.now()),
        "public_keys": signing_secrets.public_keys(subscription, now=timezone.now()),
        "parked": list(parking.with_waiting(subscription.parked_keys.all())[:MOST_KEYS]),
        "collected": batching.collected([subscription.pk]).get(subscription.pk, 0),
        **_stand_ins(request, subscription),
        "clicks": connecting.clicks(subscription.application.kind),
        "is_paused": subscription.state != SubscriptionState.ACTIVE,
        "ping": told_once(request, "ping"),
        "form": ReasonForm(),
        "can": access.can(request.user, subscription, [] if subscription.ended_at else ACTIONS),
    }
    return render(request, "delivery/subscription_detail.html", context)


def _failing(
    request: PortalRequest, subscription: Subscription
) -> list[tuple[FailureGroup, diagnosis.Diagnosis]]:
    """Return what does not arrive, the most first, each with what it means."""
    groups = access.restrict(
        FailureGroup.objects.unsettled(), request.user, Action.FAILURE_VIEW
    ).filter(subscription=subscription, open_count__gt=0)
    kind = subscription.application.kind
    return [
        (one, diagnosis.explain(one.error_class, one.status_code, kind=kind))
        for one in groups.order_by("-open_count")[:MOST_FAILURES]
    ]


def _stand_ins(request: PortalRequest, subscription: Subscription) -> dict[str, Any]:
    """Return who stands in for whom, as far as the viewer may see them."""
    pk = subscription.fallback_subscription_id
    related = Subscription.objects.filter(Q(pk=pk) | Q(fallback_subscription=subscription))
    seen = access.restrict(related, request.user, Action.SUBSCRIPTION_VIEW).order_by("number")
    return {
        "stand_in": next((one for one in seen if one.pk == pk), None),
        "stands_in_for": [one for one in seen if one.pk != pk and one.ended_at is None],
    }


def subscription_of(request: PortalRequest, number: int) -> Subscription:
    """Return a subscription that the person may see, ended or not, else 404."""
    seen = access.restrict(Subscription.objects.all(), request.user, Action.SUBSCRIPTION_VIEW)
    found: Subscription = get_object_or_404(seen.with_names(), number=number)
    return found


@login_required
def subscription_edit(request: PortalRequest, number: int) -> HttpResponse:
    """Change a standing order: address, filter, body, pace."""
    subscription = standing_one(request, number)
    access.require(request.user, Action.SUBSCRIPTION_CHANGE, subscription)
    form = EditForm(request.POST or None, subscription=subscription)
    if request.method == "POST" and form.is_valid():
        try:
            subscriptions.change(
                subscription,
                by=request.user,
                now=timezone.now(),
                reason=form.cleaned_data["reason"],
                **form.wishes(),
            )
        except ValidationError as error:
            form_faults.put(form, error)
        else:
            messages.success(request, _("Saved. It holds from the next delivery on."))
            return redirect(way_back(request, number))
    context = {"subscription": subscription, "form": form, "next": request.GET.get("next", "")}
    return render(request, "delivery/subscription_edit.html", context)


def way_back(request: PortalRequest, number: int) -> str:
    """Return the page of ours that the form came from, else the subscription's."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()})
    if wanted.startswith("/") and is_ours:  # `redirect` takes other words for names of pages
        return wanted
    return reverse("delivery:subscription-detail", args=[number])
