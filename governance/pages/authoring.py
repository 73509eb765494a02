"""Writing a change: the form of its kind, and for contracts the editor with its live checks.

One address takes every step: `do` says which. A step keeps nothing and shows the page again (htmx:
its pieces); `draft`, `open` and a plain submit hand the proposal to the verbs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.house_rules import HouseRule
from catalog.models import EventType, SchemaVersion, Topic
from catalog.requests import PortalRequest
from governance import access, change_forms, previews, reviews
from governance.actions import Action
from governance.models import ChangeRequest
from governance.pages import contract_editor
from governance.pages.contract_editor import Editor
from governance.states import ChangeKind, ChangeState

ABOUT_A_VERSION = {ChangeKind.PROMOTION, ChangeKind.DEPRECATION, ChangeKind.RETIREMENT}
ABOUT_A_TYPE = {ChangeKind.TRANSLATION}
ABOUT_A_TOPIC = {ChangeKind.TOPIC_POLICY}
UNFINISHED = (ChangeState.DRAFT, ChangeState.CHANGES_REQUESTED)
# What hands the proposal on; everything else that `do` says is a step within the page.
KEEPING = ("", "draft", "open")


@login_required
def change_new(request: PortalRequest) -> HttpResponse:
    """Propose: a contract by its fields or as JSON, or another kind of change by its form."""
    access.require(request.user, Action.CHANGE_PROPOSE)
    kind = request.GET.get("kind") or ChangeKind.SCHEMA_VERSION
    form_class = change_forms.FORMS.get(kind)
    if form_class is None:
        raise Http404
    event_type, base = _about(request)
    if event_type is not None:  # before the form: who may not send it loses nothing typed into it
        access.require(request.user, Action.CHANGE_PROPOSE, event_type.topic)
    about = _topic_named(request) if kind in ABOUT_A_TOPIC else None
    needs = base if kind in ABOUT_A_VERSION else event_type if kind in ABOUT_A_TYPE else kind
    if needs is None:
        raise Http404
    initial = form_class.initial_for(event_type, base)
    if about is not None:
        initial = form_class.initial_of({}, about)
    desk = _Desk(
        request=request,
        kind=kind,
        form_class=form_class,
        initial=initial,
        event_type=event_type,
        base=base,
    )
    return _worked(desk, _propose)


@login_required
def change_edit(request: PortalRequest, number: int) -> HttpResponse:
    """Change a draft, or what was sent back; approvals given before are void."""
    seen = access.restrict(ChangeRequest.objects.all(), request.user, Action.CHANGE_VIEW)
    change = get_object_or_404(
        seen.select_related("topic__owner", "event_type", "base", "proposed_by"), number=number
    )
    access.require(request.user, Action.CHANGE_EDIT, change)
    form_class = change_forms.FORMS.get(change.kind)
    if form_class is None:
        raise Http404
    desk = _Desk(
        request=request,
        kind=change.kind,
        form_class=form_class,
        initial=form_class.initial_of(json.loads(change.proposal), change.topic)
        | {"reason": change.reason},
        event_type=change.event_type,
        base=change.base,
        change=change,
    )
    return _worked(desk, _edit)


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


def _topic_named(request: PortalRequest) -> Topic:
    """Return the topic that the address names, of which the person may propose changes."""
    seen = access.restrict(Topic.objects.all(), request.user, Action.TOPIC_VIEW)
    topic = get_object_or_404(seen.select_related("owner"), name=request.GET.get("topic", ""))
    access.require(request.user, Action.CHANGE_PROPOSE, topic)
    return topic


@dataclass(kw_only=True)
class _Desk:
    """What lies before someone who writes a change: the form, and the editor of its contract."""

    request: PortalRequest
    kind: str
    form_class: type[change_forms.ProposalForm]
    initial: Mapping[str, Any]
    event_type: EventType | None
    base: SchemaVersion | None
    change: ChangeRequest | None = None
    form: change_forms.ProposalForm = field(init=False)
    editor: Editor = field(init=False)

    def __post_init__(self) -> None:
        self.editor = contract_editor.opened(str(self.initial.get("document", "")))
        self.form = self._form(initial=self.initial)

    @property
    def do(self) -> str:
        """Return what was asked for; "" for a plain submit."""
        asked = str(self.request.POST.get("do", ""))
        return "draft" if "draft" in self.request.POST else asked

    @property
    def has_contract(self) -> bool:
        """Tell whether a contract is written here."""
        return "document" in self.form_class.base_fields

    @property
    def is_unfinished(self) -> bool:
        """Tell whether a contract is kept before it is finished."""
        return self.do == "draft" and self.has_contract

    def _form(self, **kwargs: Any) -> change_forms.ProposalForm:
        made = self.form_class(user=self.request.user, **kwargs)
        if self.change is not None:
            made.fields.pop("topic", None)
        return made

    def take(self) -> None:
        """Take what was typed, as it was typed."""
        values = self.request.POST.copy()
        if self.has_contract:
            self.editor = contract_editor.typed(self.request.POST)
            values["document"] = self.editor.document
        self.form = self._form(data=values, initial=self.initial)
        if self.is_unfinished:
            self.form.allow_unfinished()

    def step(self) -> None:
        """Take one step within the page; what was typed stays, and nothing is kept."""
        values = self.request.POST.dict()
        self.editor = contract_editor.typed(self.request.POST)
        try:
            self._change_contract(values)
        except ValidationError as error:
            messages.error(self.request, " ".join(error.messages))
        values["document"] = self.editor.document
        self.form = self._form(initial={**self.initial, **values})

    def _change_contract(self, values: dict[str, Any]) -> None:
        match self.do:
            case "json":
                self.editor = Editor(document=self.editor.document)
            case "fields":
                self.editor = contract_editor.opened(self.editor.document)
                if not self.editor.is_as_fields:
                    raise ValidationError(_("It cannot be shown as fields: mend the JSON first."))
            case "empty":
                self.editor = contract_editor.opened(contract_editor.EMPTY)
                values["example"] = ""
            case "version":
                start = self._version(str(values.get("from_version", "")))
                self.editor = contract_editor.opened(start.document)
                values["example"] = start.example
            case "infer":
                self.editor = contract_editor.inferred(str(values.get("sample", "")))
                values["example"] = previews.sample_text(self.editor.document)
            case "state":
                self.editor = contract_editor.stated(self.editor.document, view=self.editor.view)
            case "example":
                values["example"] = previews.sample_text(self.editor.document)

    def _version(self, number: str) -> SchemaVersion:
        found = self.event_type.versions.filter(version=number) if self.event_type else None
        version = found.first() if found is not None else None
        if version is None:
            raise ValidationError(_("Choose a version to start from."))
        return version

    def topic(self) -> Topic | None:
        """Return the topic that the contract is for, as far as that is known yet."""
        if self.event_type is not None:
            return self.event_type.topic
        if self.change is not None:
            return self.change.topic
        chosen = str(self.form["topic"].value() or "") if "topic" in self.form.fields else ""
        offered = access.restrict(Topic.objects.all(), self.request.user, Action.CHANGE_PROPOSE)
        return next((one for one in offered if str(one.pk) == chosen), None)

    def context(self) -> dict[str, Any]:
        """Return what the page and its pieces show."""
        context: dict[str, Any] = {
            "form": self.form,
            "kind": self.kind,
            "kind_label": ChangeKind(self.kind).label,
            "event_type": self.event_type,
            "base": self.base,
            "change": self.change,
            "is_unfinished": self.change is None or self.change.state in UNFINISHED,
            "has_contract": self.has_contract,
            "drafts": self._drafts(),
        }
        if self.has_contract:
            told = previews.preview(
                self.editor.document,
                event_type=self.event_type,
                topic=self.topic(),
                example=str(self.form["example"].value() or ""),
                number=str(self.form["version"].value() or "").strip(),
            )
            context |= {
                "editor": self.editor,
                "rows": self.editor.shown,
                "told": told,
                "numbers": self._numbers(),
                "is_unstated": any(one.rule == HouseRule.CONTENT_IS_STATED for one in told.lint),
                "sample": self.request.POST.get("sample", ""),
            }
        return context

    def _numbers(self) -> list[str]:
        if self.event_type is None:
            return []
        return list(self.event_type.versions.newest_first().values_list("version", flat=True))

    def _drafts(self) -> list[ChangeRequest]:
        """Return the author's other drafts, the newest first."""
        mine = ChangeRequest.objects.filter(proposed_by=self.request.user, state=ChangeState.DRAFT)
        other = mine.exclude(pk=self.change.pk) if self.change else mine
        return list(other.order_by("-number")[:10])


def _worked(desk: _Desk, keep: Any) -> HttpResponse:
    """Answer a request at the desk: the page, a step of it, or on to what was kept."""
    request = desk.request
    if request.method == "POST" and desk.do not in KEEPING:
        desk.step()
    elif request.method == "POST":
        desk.take()
        kept = keep(desk) if desk.form.is_valid() and not _row_faults(desk) else None
        if kept is not None:
            return _onwards(desk, kept)
    context = desk.context()
    if request.htmx and desk.has_contract:
        piece = "checks" if desk.do == "check" else "step"
        return render(request, f"governance/_contract_{piece}.html", context)
    return render(request, "governance/change_new.html", context)


def _row_faults(desk: _Desk) -> bool:
    """Say on top that a field is not finished; its row says what is missing."""
    if not desk.has_contract or not desk.editor.is_as_fields or not desk.editor.problems:
        return False
    desk.form.add_error(None, _("One of the fields is not finished: see below."))
    return True


def _onwards(desk: _Desk, kept: ChangeRequest) -> HttpResponse:
    if desk.do == "draft":
        told = _("%s is kept as a draft: only you see it. It is on the list of changes.") % kept
        messages.success(desk.request, told)
        return redirect("governance:change-request-edit", kept.number)
    return redirect("governance:change-request-detail", kept.number)


def _propose(desk: _Desk) -> ChangeRequest | None:
    """Write the draft, and open it unless it shall stay one; None with the form's errors."""
    now, by, form = timezone.now(), desk.request.user, desk.form
    try:
        made = reviews.propose(
            desk.kind,
            topic=form.cleaned_data.get("topic"),
            event_type=desk.event_type,
            base=desk.base if desk.kind in ABOUT_A_VERSION else None,
            reason=form.cleaned_data["reason"],
            proposal=form.proposal(),
            is_unfinished=desk.is_unfinished,
            by=by,
            now=now,
        )
        return made if desk.do == "draft" else reviews.open_(made, by=by, now=now)
    except ValidationError as error:
        change_forms.put_errors(form, error)
        return None


def _edit(desk: _Desk) -> ChangeRequest | None:
    """Save the draft, and open it if asked for; None with the form's errors."""
    now, by, form = timezone.now(), desk.request.user, desk.form
    assert desk.change is not None  # noqa: S101 - tells the type check
    try:
        made = reviews.edit(
            desk.change,
            proposal=form.proposal(),
            reason=form.cleaned_data["reason"],
            is_unfinished=desk.is_unfinished,
            by=by,
            now=now,
        )
        return reviews.open_(made, by=by, now=now) if desk.do == "open" else made
    except ValidationError as error:
        change_forms.put_errors(form, error)
        return None
