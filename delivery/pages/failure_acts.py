"""What the buttons of a failure do; text that was typed is never lost when one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog import form_faults
from catalog.models import User
from catalog.moves import IllegalMove
from catalog.requests import PortalRequest
from delivery import failures, letters
from delivery.failure_forms import AssignForm, IgnoreForm, NoteForm, ReopenForm, ResolveForm
from delivery.models import DeadLetter, FailureGroup
from delivery.pages.failures import group_of, show

_FORMS: Mapping[str, type[forms.Form]] = {
    "note": NoteForm,
    "resolve": ResolveForm,
    "ignore": IgnoreForm,
    "reopen": ReopenForm,
}


@login_required
@require_POST
def failure_act(request: PortalRequest, number: int, verb: str) -> HttpResponse:
    """Do what a button says: about the failure, or about the data that is dead."""
    group = group_of(request, number)
    kind = _FORMS.get(verb)
    if kind is not None:
        return _with_text(request, group, verb, kind(request.POST))
    by, now = request.user, timezone.now()
    if verb == "take":
        failures.assign(group, to=by, by=by, now=now)
        messages.success(request, _("Your name is on it."))
    elif verb == "give":
        _give(request, group)
    elif verb == "release":
        failures.assign(group, to=None, by=by, now=now)
    else:
        _validate(request, group)
    return redirect("delivery:failure-detail", number)


def _give(request: PortalRequest, group: FailureGroup) -> None:
    form = AssignForm(request.POST, group=group)
    if not form.is_valid():
        messages.error(request, _("Choose somebody who may work on it."))
        return
    to = form.cleaned_data["to"]
    failures.assign(group, to=to, by=request.user, now=timezone.now())
    messages.success(request, _("%(name)s has it now.") % {"name": to.display_name})


def _with_text(
    request: PortalRequest, group: FailureGroup, verb: str, form: forms.Form
) -> HttpResponse:
    """Do what needs words; refused, the page shows them again with what is wrong."""
    if form.is_valid():
        try:
            said = _act(group, verb, form.cleaned_data, by=request.user, now=timezone.now())
        except ValidationError as error:
            form_faults.put(form, error)
        except IllegalMove as late:
            return show(
                request,
                group_of(request, group.number),
                {"late": str(late), "typed": _typed(form)},
                status=409,
            )
        else:
            messages.success(request, said)
            return redirect("delivery:failure-detail", group.number)
    return show(request, group, {f"{verb}_form": form})


def _typed(form: forms.Form) -> str:
    return " ".join(str(value) for value in form.cleaned_data.values() if isinstance(value, str))


def _act(group: FailureGroup, verb: str, given: dict[str, Any], *, by: User, now: datetime) -> str:
    """Call the verb; return what to say about it."""
    match verb:
        case "note":
            failures.note(group, text=given["text"], by=by, now=now)
            return _("Kept.")
        case "resolve":
            failures.resolve(group, how=given["how"], by=by, now=now)
            return _("Resolved. If it comes back, it opens again by itself.")
        case "ignore":
            until = now + timedelta(days=given["days"])
            failures.ignore(group, until=until, reason=given["reason"], by=by, now=now)
            return _("Ignored until then.")
        case _unused:
            failures.reopen(group, reason=given["reason"], by=by, now=now)
            return _("It is open again.")


def _validate(request: PortalRequest, group: FailureGroup) -> None:
    """Keep for the next page what the contracts say of the oldest event that is dead."""
    letter = (
        DeadLetter.objects.filter(failure_group=group, resolved_at__isnull=True)
        .order_by("died_at")
        .first()
    )
    if letter is None:
        messages.info(request, _("Nothing is dead now, so there is nothing to check."))
        return
    request.session["validated"] = [
        {"version": one.version, "faults": [list(fault) for fault in one.faults[:10]]}
        for one in letters.held_against(letter)
    ]
