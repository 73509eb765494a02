"""The wizard that connects a flow: one question a step; the last one makes the order."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import form_faults
from catalog.models import Application, EventType
from catalog.requests import PortalRequest
from catalog.words import ApplicationKind, Environment
from delivery import connecting, sealing, subscriptions
from delivery.subscription_forms import MOST_NAME, SubscriptionForm
from governance import access
from governance.actions import Action


@login_required
def subscription_new(request: PortalRequest) -> HttpResponse:
    """Connect a flow: one question a step; the last one makes the order."""
    source = request.POST if request.method == "POST" else request.GET
    event_type = _event_type(request, source.get("event_type", ""), source.get("topic", ""))
    environment = source.get("environment") or request.environment
    application = _chosen_application(request, source)
    form = SubscriptionForm(
        _answers(request, application, event_type),
        user=request.user,
        majors=connecting.majors(event_type, environment) if event_type else [],
        initial=_initial(request, event_type, environment),
    )
    step = _step(source)
    if request.method == "POST":
        step = _next_step(request, form, step)
        if step > len(form.STEPS):
            made = _create(request, form)
            if made is not None:
                return made
            step = _first_faulty(form)
    names = form.STEPS[step - 1][1]
    context = {
        "form": form,
        "step": step,
        "steps": [str(title) for title, _names in form.STEPS],
        "names": names,
        "hidden": _kept(form, names),
        "event_type": event_type,
        "application": application,
        "kind": _kind(source),
        "kind_label": dict(ApplicationKind.choices).get(_kind(source), ""),
        "has_own": _has_own(form, _kind(source)),
        "is_last": step == len(form.STEPS),
        **_guidance(application, event_type, environment),
    }
    return render(request, "delivery/subscription_new.html", context)


def _answers(
    request: PortalRequest, application: Application | None, event_type: EventType | None
) -> QueryDict | None:
    """Return what was sent, with a name that tells the flow and the event where none was given."""
    if request.method != "POST":
        return None
    answers = request.POST.copy()
    if application and event_type and not answers.get("name", "").strip():
        answers["name"] = f"{application.name}: {event_type.title}"[:MOST_NAME]
    return answers


def _event_type(request: PortalRequest, name: str, topic: str) -> EventType | None:
    seen = access.restrict(EventType.objects.all(), request.user, Action.EVENT_TYPE_VIEW)
    wanted = Q(name=name) if name else Q(topic__name=topic)
    return seen.select_related("topic").filter(wanted).order_by("name").first()


def _initial(
    request: PortalRequest, event_type: EventType | None, environment: str
) -> dict[str, Any]:
    return {
        "event_type": event_type.name if event_type else None,
        "environment": environment,
        "application": request.GET.get("application") or _own_of(request, kind=_kind(request.GET)),
    }


def _kind(source: Any) -> str:
    """Return what the person said that the flow is built with, "" for nothing known."""
    kind = source.get("kind", "")
    return kind if kind in ApplicationKind.values else ""


def _own_of(request: PortalRequest, *, kind: str) -> str | None:
    """Return the first of the person's applications of a kind, None where there is none."""
    mine = access.restrict(Application.objects.active(), request.user, Action.SUBSCRIPTION_CREATE)
    found = mine.filter(kind=kind).order_by("name").first() if kind else None
    return found.slug if found else None


def _has_own(form: SubscriptionForm, kind: str) -> bool:
    """Tell whether the person has an application to connect, of this kind where one is named."""
    mine = form.fields["application"].queryset  # type: ignore[attr-defined]
    return bool((mine.filter(kind=kind) if kind else mine).exists())


def _step(source: Any) -> int:
    asked = source.get("step", "")
    steps = range(1, len(SubscriptionForm.STEPS) + 1)
    return next((step for step in steps if asked == str(step)), 1)


def _next_step(request: PortalRequest, form: SubscriptionForm, step: int) -> int:
    """Return the step to show now: back is free, forward only over a step without faults."""
    if "back" in request.POST:
        form.errors.clear()
        return max(step - 1, 1)
    form.full_clean()
    here = {name for _title, names in form.STEPS[:step] for name in names}
    faulty = here & set(form.errors)
    if faulty or "again" in request.POST:
        return step
    if step < len(form.STEPS):
        form.errors.clear()
    return step + 1


def _first_faulty(form: SubscriptionForm) -> int:
    for number, (_title, names) in enumerate(form.STEPS, 1):
        if set(names) & set(form.errors):
            return number
    return len(form.STEPS)


def _kept(form: SubscriptionForm, shown: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Return what the other steps hold, so that going back and forth loses nothing."""
    return [(name, form[name].value() or "") for name in form.fields if name not in shown]


def _chosen_application(request: PortalRequest, source: Any) -> Application | None:
    mine = access.restrict(Application.objects.active(), request.user, Action.SUBSCRIPTION_CREATE)
    return mine.filter(slug=source.get("application", "")).first()


def _guidance(
    application: Application | None, event_type: EventType | None, environment: str
) -> dict[str, Any]:
    if application is None or event_type is None:
        return {}
    topic, now = event_type.topic, timezone.now()
    staging = Environment.STAGING
    has_grant = connecting.may_subscribe(application, topic, environment, now=now)
    return {
        "clicks": connecting.clicks(application.kind),
        "has_grant": has_grant,
        "may_start_in_staging": not has_grant
        and environment != staging
        and connecting.may_subscribe(application, topic, staging, now=now),
    }


def _create(request: PortalRequest, form: SubscriptionForm) -> HttpResponse | None:
    """Make the order and show its secret once; None where the verb refuses it."""
    if not form.is_valid():
        return None
    data = form.cleaned_data
    try:
        made, secret = subscriptions.create(
            application=data["application"],
            topic=data["event_type"].topic,
            environment=data["environment"],
            by=request.user,
            now=timezone.now(),
            **form.wishes(),
        )
    except ValidationError as error:
        form_faults.put(form, error)
        return None
    request.session["new_secret"] = [made.number, sealing.seal(secret)]
    messages.success(request, _("Connected. Send a test event to see that it works."))
    return redirect("delivery:subscription-detail", made.number)
