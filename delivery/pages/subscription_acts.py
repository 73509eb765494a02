"""What the buttons of a subscription do."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from catalog import refusing
from catalog.requests import PortalRequest
from delivery import parking, pings, probing, sealing, signing_secrets, subscriptions
from delivery.models import ParkedKey, Subscription
from delivery.pages.subscriptions import standing_one, subscription_of, way_back

# Their verbs say themselves that it has ended meanwhile: a page that is not found says nothing.
_SAY_THAT_IT_ENDED = ("pause", "end")


@login_required
@require_POST
def subscription_act(request: PortalRequest, number: int, verb: str) -> HttpResponse:
    """Pause, resume, test, end, or rotate the secret."""
    find = subscription_of if verb in _SAY_THAT_IT_ENDED else standing_one
    subscription = find(request, number)
    try:
        return _act(request, subscription, verb)
    except ValidationError as error:
        return refusing.refused(request, error, back=way_back(request, number))


@login_required
@require_POST
def parked_key_act(request: PortalRequest, number: int, pk: UUID) -> HttpResponse:
    """Let a parked key go: send what waits behind the event that failed, or discard it."""
    subscription = standing_one(request, number)
    key = get_object_or_404(subscription.parked_keys.select_related("subscription"), pk=pk)
    try:
        messages.success(request, _let_go(request, key))
    except ValidationError as error:
        return refusing.refused(request, error, back=way_back(request, number))
    return redirect(way_back(request, number))


def _let_go(request: PortalRequest, key: ParkedKey) -> str:
    """Call the verb; return what to say about it."""
    by, now, reason = request.user, timezone.now(), _reason(request)
    if request.POST.get("verb") == "discard":
        count = parking.discard(key, reason=reason, by=by, now=now)
        told = ngettext("%(n)s delivery is discarded.", "%(n)s deliveries are discarded.", count)
    else:
        count = parking.release(key, by=by, now=now, reason=reason)
        told = ngettext("%(n)s delivery goes on.", "%(n)s deliveries go on.", count)
    return told % {"n": count}


def _reason(request: PortalRequest) -> str:
    return request.POST.get("reason", "").strip()


def _act(request: PortalRequest, subscription: Subscription, verb: str) -> HttpResponse:
    now, reason = timezone.now(), _reason(request)
    by, number = request.user, subscription.number
    match verb:
        case "pause":
            subscriptions.pause(subscription, by=by, now=now, reason=reason)
            messages.success(request, _("Paused. Its backlog is kept."))
        case "resume":
            subscriptions.resume(subscription, by=by, now=now, reason=reason)
            messages.success(request, _("Resumed. What waited is on its way."))
        case "ping":
            request.session["ping"] = asdict(pings.ping(subscription, by=by, now=now))
        case "probe":
            probing.probe_now(subscription, by=by, now=now)
            messages.success(request, _("The next delivery goes out now, as a probe."))
        case "rotate-secret":
            secret = signing_secrets.rotate(subscription, by=by, now=now)
            request.session["new_secret"] = [number, sealing.seal(secret)]
            messages.success(
                request, _("A new secret signs from now on; the old one holds for 24 hours more.")
            )
        case "key-pair":
            signing_secrets.rotate_key_pair(subscription, by=by, now=now)
            messages.success(
                request, _("A new key pair signs from now on; one before it holds for 24 hours.")
            )
        case "end-key-pair":
            signing_secrets.end_key_pairs(subscription, by=by, now=now)
            messages.success(request, _("From now on the secret alone signs."))
        case "end":
            subscriptions.end(subscription, by=by, now=now, reason=reason)
            messages.success(request, _("Ended. Nothing more is delivered to it."))
            return redirect("delivery:subscription-list")
    return redirect(way_back(request, number))
