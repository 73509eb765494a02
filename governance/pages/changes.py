"""Change requests: the queue, proposing, and the page on which a reviewer judges."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from catalog.models import EventType, Release, SchemaVersion
from catalog.requests import PortalRequest
from catalog.vocabulary import MARKS
from catalog.words import Environment, ReleaseState
from governance import access, authoring, change_forms, checks, proposals, reviews, workflow
from governance.actions import Action
from governance.models import ChangeRequest, LedgerEntry
from governance.states import ChangeKind, ChangeState

ABOUT_A_VERSION = {ChangeKind.PROMOTION, ChangeKind.DEPRECATION, ChangeKind.RETIREMENT}
ABOUT_A_TYPE = {ChangeKind.TRANSLATION}
PER_PAGE = 25
UNDECIDED_STATES = (ChangeState.OPEN, ChangeState.APPROVED, ChangeState.CHANGES_REQUESTED)


def _seen(request: PortalRequest) -> Any:
    return access.restrict(ChangeRequest.objects.all(), request.user, Action.CHANGE_VIEW)


def _change(request: PortalRequest, number: int) -> ChangeRequest:
    found: ChangeRequest = get_object_or_404(
        _seen(request).select_related("topic", "topic__owner", "event_type", "base", "proposed_by"),
        number=number,
    )
    return found


@login_required
def change_list(request: PortalRequest) -> HttpResponse:
    """List changes, those that wait for somebody first."""
    states = request.GET.getlist("state") or [*UNDECIDED_STATES, ChangeState.DRAFT]
    found = _seen(request).filter(state__in=states).select_related("topic", "proposed_by")
    page = Paginator(found.order_by("-number"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "states": [(s, MARKS["change_request"][s].word, s in states) for s in ChangeState],
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE),
    }
    return render(request, "governance/change_list.html", context)


@login_required
def change_new(request: PortalRequest) -> HttpResponse:
    """Propose: a contract by form or pasted JSON, a promotion, or a deprecation."""
    access.require(request.user, Action.CHANGE_PROPOSE)
    kind = request.GET.get("kind") or ChangeKind.SCHEMA_VERSION
    form_class = change_forms.FORMS.get(kind)
    if form_class is None:
        raise Http404
    event_type, base = _about(request)
    if event_type is not None:  # before the form: who may not send it loses nothing typed into it
        access.require(request.user, Action.CHANGE_PROPOSE, event_type.topic)
    needs = base if kind in ABOUT_A_VERSION else event_type if kind in ABOUT_A_TYPE else kind
    if needs is None:
        raise Http404
    initial = form_class.initial_for(event_type, base)
    form = form_class(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and "add_field" in request.POST:
        form = _with_field(request, form_class, initial)
    elif request.method == "POST" and form.is_valid():
        made = _propose(request, kind, form, event_type=event_type, base=base)
        if made is not None:
            return redirect("governance:change-request-detail", made.number)
    context = {
        "form": form,
        "field_form": change_forms.FieldForm(),
        "kind": kind,
        "kind_label": ChangeKind(kind).label,
        "event_type": event_type,
        "base": base,
        "has_document": "document" in form.fields,
    }
    return render(request, "governance/change_new.html", context)


def _about(request: PortalRequest) -> tuple[EventType | None, SchemaVersion | None]:
    """Return the event type and version that the address names; the newest version by itself."""
    types = access.restrict(EventType.objects.all(), request.user, Action.EVENT_TYPE_VIEW)
    name = request.GET.get("event_type", "")
    if not name:
        return None, None
    event_type: EventType = get_object_or_404(types.select_related("topic"), name=name)
    versions = event_type.versions.newest_first()
    wanted = request.GET.get("base", "")
    base = versions.filter(version=wanted).first() if wanted else versions.first()
    return event_type, base


def _with_field(
    request: PortalRequest, form_class: type[change_forms.ProposalForm], initial: dict[str, Any]
) -> change_forms.ProposalForm:
    """Return the form with one more field in its document; everything else as it was typed."""
    values = request.POST.copy()
    # The fields of the proposal have names of their own, some of them the same.
    field = change_forms.FieldForm(change_forms.FieldForm.typed(request.POST))
    try:
        if not field.is_valid():
            raise ValidationError(_("Give the new field a name and a meaning."))
        values["document"] = authoring.add_field(str(values["document"]), **field.cleaned_data)
        messages.success(request, _("The field is in the schema below."))
    except (ValidationError, ValueError) as error:
        told = error.messages if isinstance(error, ValidationError) else [str(error)]
        messages.error(request, " ".join(told))
    kept = {name: values[name] for name in form_class.base_fields if name in values}
    return form_class(user=request.user, initial={**initial, **kept})


def _propose(
    request: PortalRequest,
    kind: str,
    form: change_forms.ProposalForm,
    *,
    event_type: EventType | None,
    base: SchemaVersion | None,
) -> ChangeRequest | None:
    """Write the draft, and open it unless it shall stay one; None with the form's errors."""
    now = timezone.now()
    try:
        made = reviews.propose(
            kind,
            topic=form.cleaned_data.get("topic"),
            event_type=event_type,
            base=base if kind in ABOUT_A_VERSION else None,
            title=form.cleaned_data.get("title", ""),
            reason=form.cleaned_data["reason"],
            proposal=form.proposal(),
            by=request.user,
            now=now,
        )
        if "draft" not in request.POST:
            made = reviews.open_(made, by=request.user, now=now)
    except ValidationError as error:
        change_forms.put_errors(form, error)
        return None
    return made


@login_required
def change_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show what changes, whom it breaks, what traffic says, and take the decision."""
    change = _change(request, number)
    results = checks.latest(change)
    can = access.can(
        request.user,
        change,
        [
            Action.CHANGE_APPROVE,
            Action.CHANGE_REJECT,
            Action.CHANGE_SEND_BACK,
            Action.CHANGE_APPLY,
            Action.CHANGE_WITHDRAW,
            Action.CHANGE_EDIT,
            Action.CHANGE_OPEN,
            Action.CHANGE_COMMENT,
        ],
    )
    proposal = proposals.schema_of(change)
    old_document, new_document = proposals.of(change).sides(change)
    context = {
        "change": change,
        "results": results,
        "to_accept": checks.to_accept(results),
        "blocking": checks.blocking(results),
        "standing": workflow.standing(change),
        "old_document": old_document,
        "new_document": new_document,
        "values": _values(change),
        "new_version": proposal.version if proposal else "",
        "comments": change.comments.select_related("author"),
        "reviews": change.reviews.select_related("reviewer"),
        "entries": access.restrict(
            LedgerEntry.objects.about(change), request.user, Action.LEDGER_VIEW
        ).order_by("-number")[:15],
        "can": can,
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE, change.topic),
        "is_own": change.proposed_by_id == request.user.pk,
        "may_promote": _waits_for_production(change, proposal.version if proposal else ""),
    }
    return render(request, "governance/change_detail.html", context)


def _waits_for_production(change: ChangeRequest, version: str) -> bool:
    """Tell whether the applied version is in staging only."""
    return Release.objects.filter(
        version__event_type=change.event_type_id,
        version__version=version,
        environment=Environment.PRODUCTION,
        state=ReleaseState.STAGED,
    ).exists()


def _values(change: ChangeRequest) -> list[tuple[str, Any]]:
    """Return what the proposal says beside its documents, for a list of names and values."""
    hidden = {"version", *proposals.of(change).documents}
    said = json.loads(change.proposal)
    return [
        (name, ", ".join(value) if isinstance(value, list) else value)
        for name, value in said.items()
        if name not in hidden and value not in ("", None, [], {})
    ]


@login_required
def change_edit(request: PortalRequest, number: int) -> HttpResponse:
    """Change a draft, or what was sent back; approvals given before are void."""
    change = _change(request, number)
    access.require(request.user, Action.CHANGE_EDIT, change)
    form_class = change_forms.FORMS.get(change.kind)
    if form_class is None:
        raise Http404
    initial = {**json.loads(change.proposal), "title": change.title, "reason": change.reason}
    form = form_class(request.POST or None, user=request.user, initial=initial)
    if "topic" in form.fields:
        del form.fields["topic"]
    if request.method == "POST" and "add_field" in request.POST:
        form = _with_field(request, form_class, initial)
    elif request.method == "POST" and form.is_valid():
        try:
            reviews.edit(
                change,
                proposal=form.proposal(),
                title=form.cleaned_data.get("title", ""),
                reason=form.cleaned_data["reason"],
                by=request.user,
                now=timezone.now(),
            )
        except ValidationError as error:
            change_forms.put_errors(form, error)
        else:
            return redirect("governance:change-request-detail", number)
    context = {
        "form": form,
        "field_form": change_forms.FieldForm(),
        "change": change,
        "kind": change.kind,
        "kind_label": change.get_kind_display(),
        "event_type": change.event_type,
        "has_document": "document" in form.fields,
    }
    return render(request, "governance/change_new.html", context)


@login_required
@require_POST
def change_act(request: PortalRequest, number: int, verb: str) -> HttpResponse:
    """Open, approve, send back, reject, withdraw, apply or comment."""
    change = _change(request, number)
    try:
        _act(request, change, verb)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("governance:change-request-detail", number)


def _act(request: PortalRequest, change: ChangeRequest, verb: str) -> None:
    by, now, data = request.user, timezone.now(), request.POST
    note, seen = data.get("note", "").strip(), data.get("seen") or None
    match verb:
        case "open":
            reviews.open_(change, by=by, now=now)
            messages.success(request, _("In review. The checks have run."))
        case "approve":
            done = reviews.approve(
                change,
                by=by,
                note=note,
                now=now,
                seen_sha256=seen,
                accepted=data.getlist("accepted"),
                and_apply="and_apply" in data,
            )
            is_decided = done.state != ChangeState.OPEN
            messages.success(request, _("Approved.") if is_decided else _("Your approval counts."))
        case "request-changes":
            reviews.send_back(change, by=by, note=note, now=now, seen_sha256=seen)
            messages.success(request, _("Sent back with your note."))
        case "reject":
            reviews.reject(change, by=by, note=note, now=now, seen_sha256=seen)
            messages.success(request, _("Rejected, with your note."))
        case "withdraw":
            reviews.withdraw(change, by=by, reason=note, now=now)
        case "apply":
            reviews.apply(change, by=by, now=now)
            messages.success(request, _("Applied."))
        case "comment":
            reviews.comment(change, text=note, by=by, now=now)
