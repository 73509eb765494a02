"""Ordering a replay: choose what and for whom, see what would happen, say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import form_faults
from catalog.requests import PortalRequest
from delivery import replay_checks, replay_words, replays
from delivery.failure_forms import ReplayForm
from delivery.models import Delivery, FailureGroup, Replay, Subscription
from delivery.replay_forms import RangeForm, TargetForm
from delivery.replay_plans import Preview
from delivery.replay_selections import Selection
from governance import access
from governance.actions import Action

MOST_DIGITS = 18  # of a number that the database can hold
_KEPT = ("delivery", "failure", *RangeForm.base_fields)


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """What is to be replayed, where, and to whom; `form` changes the last."""

    selection: Selection
    environment: str
    form: TargetForm
    to: Subscription | None = None
    includes_arrived: bool = False

    @property
    def order(self) -> dict[str, Any]:
        """Return what `replays.preview` and `start` take."""
        return {
            "environment": self.environment,
            "subscription": self.to,
            "includes_arrived": self.includes_arrived,
        }


@login_required
def replay_choose(request: PortalRequest) -> HttpResponse:
    """Ask for whom, which part of the past, and from when to when."""
    environment = _environment(request, request.GET.get("to", ""))
    form = RangeForm(
        request.GET if "what" in request.GET else None,
        user=request.user,
        environment=environment,
        initial={"to": request.GET.get("to")},
    )
    if form.is_bound and form.is_valid():
        return redirect(f"{reverse('delivery:replay-new')}?{_query(request.GET)}")
    return render(request, "delivery/replay_choose.html", {"form": form})


@login_required
def replay_new(request: PortalRequest) -> HttpResponse:
    """Show what a replay would do; by POST with a reason, order it."""
    source = request.POST if request.method == "POST" else request.GET
    chosen = _chosen(request, source)
    if chosen is None:
        messages.error(request, _("Choose what to replay first."))
        return redirect(f"{reverse('delivery:replay-choose')}?{_query(source)}")
    form = ReplayForm(request.POST or None)
    is_order = request.method == "POST" and "preview" not in request.POST
    if form.is_valid() and is_order and not chosen.form.errors:
        made = _start(request, chosen, form)
        if made is not None:
            return redirect("delivery:replay-detail", made.number)
    rate = form.cleaned_data.get("rate") if form.is_bound else None
    preview, refused = _preview(request, chosen, rate)
    context = {
        "form": form if is_order else ReplayForm(initial=source.dict()),
        "told": replay_words.told(chosen.selection, to=chosen.to),
        "target": chosen.form,
        "is_range": isinstance(chosen.form, RangeForm),
        "preview": preview,
        "refused": refused,
        "why": [
            (replay_checks.SENTENCES.get(reason, reason), count)
            for reason, count in (preview.refused if preview else {}).items()
        ],
        "left_out": [
            (one.event_id, replay_checks.SENTENCES.get(why, why))
            for one, why in (preview.left_out if preview else ())
        ],
        "kept": _kept(source),
        "named": [one for one in _kept(source) if one[0] in ("delivery", "failure")],
        "query": _query(source),
    }
    return render(request, "delivery/replay_new.html", context)


def _start(request: PortalRequest, chosen: _Chosen, form: ReplayForm) -> Replay | None:
    """Order the replay; None, and faults of the form, where the verb refuses it."""
    try:
        return replays.start(
            chosen.selection,
            by=request.user,
            now=timezone.now(),
            **chosen.order,
            **form.cleaned_data,
        )
    except ValidationError as error:
        form_faults.put(form, error)
        return None


def _preview(
    request: PortalRequest, chosen: _Chosen, rate: int | None
) -> tuple[Preview | None, str]:
    if chosen.form.errors:
        return None, _("Nothing can be sent to that subscription by you. Choose another one.")
    try:
        found = replays.preview(
            chosen.selection, by=request.user, now=timezone.now(), rate=rate, **chosen.order
        )
    except ValidationError as error:
        return None, " ".join(error.messages)
    return found, ""


def _kept(source: QueryDict) -> list[tuple[str, str]]:
    """Return what was selected, for the form that orders it."""
    return [(name, value) for name in _KEPT for value in source.getlist(name) if value]


def _query(source: QueryDict) -> str:
    kept = QueryDict(mutable=True)
    for name, value in _kept(source):
        kept.appendlist(name, value)
    return kept.urlencode()


def _chosen(request: PortalRequest, source: QueryDict) -> _Chosen | None:
    """Return what is selected; None when nothing is, or the parts do not fit together."""
    named = _named(request, source)
    if named is not None:
        selection, environment = named
        target = TargetForm(source, user=request.user, environment=environment)
        target.full_clean()
        given = target.cleaned_data
        return _Chosen(
            selection=selection,
            environment=environment,
            form=target,
            to=given.get("to"),
            includes_arrived=bool(given.get("again")),
        )
    environment = _environment(request, source.get("to", ""))
    form = RangeForm(source, user=request.user, environment=environment)
    if not form.is_valid():
        return None
    return _Chosen(
        selection=form.selection(),
        environment=environment,
        form=form,
        to=form.cleaned_data["to"],
        includes_arrived=form.includes_arrived,
    )


def _named(request: PortalRequest, source: QueryDict) -> tuple[Selection, str] | None:
    """Return the deliveries or the failure group that are named, and the environment they are in.

    It is theirs, not the one that is shown: a link may come from the other one's page.
    """
    chosen = source.getlist("delivery")
    if chosen:
        return _deliveries(request, chosen)
    number = source.get("failure")
    if not number:
        return None
    if not number.isdecimal() or len(number) > MOST_DIGITS:
        raise Http404
    groups = access.restrict(FailureGroup.objects.all(), request.user, Action.FAILURE_VIEW)
    group = get_object_or_404(groups, number=number)
    return Selection(failure_group=group.pk), group.environment


def _deliveries(request: PortalRequest, chosen: list[str]) -> tuple[Selection, str]:
    try:
        ids = tuple(UUID(one) for one in chosen)
    except ValueError as error:
        raise Http404 from error
    seen = access.restrict(Delivery.objects.all(), request.user, Action.DELIVERY_VIEW)
    found = list(seen.filter(pk__in=ids).values_list("pk", "environment"))
    environments = {environment for _pk, environment in found} or {request.environment}
    return Selection(deliveries=tuple(pk for pk, _e in found)), min(environments)


def _environment(request: PortalRequest, number: str) -> str:
    """Return the environment of the subscription that is named, else the one that is shown."""
    if not number.isdecimal() or len(number) > MOST_DIGITS:
        return request.environment
    seen = access.restrict(Subscription.objects.all(), request.user, Action.SUBSCRIPTION_VIEW)
    found = seen.filter(number=number).values_list("environment", flat=True).first()
    return found or request.environment
