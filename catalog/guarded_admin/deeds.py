"""Deeds: what a person does to selected rows of the Django admin, by a verb."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin.links import Text, change_url
from catalog.models import User
from catalog.moves import IllegalMove
from governance.actions import Action

Rows = Sequence[models.Model]
REFUSALS = (ValidationError, IllegalMove, PermissionDenied)

MOST_AT_ONCE = 100  # rows for which one verb after the other runs within a request


class ReasonForm(forms.Form):
    """Why it is done."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the ledger with your name."),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Something that a person does to selected rows, by a verb.

    `each(row, by=, now=, **values)` is called for every row; `together(rows, by=, now=, **values)`
    once, and returns what it made. `form` asks for the values on a page of its own, which shows
    what `preview(rows, by=, now=)` says. A thing's page offers it only `when(row)`; a list always.
    """

    name: str
    label: Text
    needs: Action
    each: Callable[..., object] | None = None
    together: Callable[..., Iterable[models.Model]] | None = None
    form: type[forms.Form] | None = None
    preview: Callable[..., Sequence[tuple[Text, object]]] | None = None
    when: Callable[[Any], bool] | None = None
    most: int = MOST_AT_ONCE


def in_state(*states: str) -> Callable[[Any], bool]:
    """Return a test for `Deed.when`: whether a thing is in one of the states."""
    return lambda row: row.state in states


def told(error: Exception) -> str:
    """Return what an error says to a person."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def act(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, queryset: QuerySet[Any], *, deed: Deed
) -> HttpResponse | None:
    """Do a deed to the selected rows, once its page was filled in."""
    rows = list(queryset[: deed.most + 1])
    if len(rows) > deed.most:
        messages.error(request, gettext("Choose at most %d at once.") % deed.most)
        return None
    values: dict[str, Any] = {}
    if deed.form is not None:
        form = deed.form(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return _ask(model_admin, request, rows, deed, form)
        values = form.cleaned_data
    _do(request, rows, deed, values)
    if "from_page" in request.POST and len(rows) == 1:
        return redirect(change_url(rows[0]))
    return None


def _do(request: HttpRequest, rows: Rows, deed: Deed, values: dict[str, Any]) -> None:
    by, now = cast(User, request.user), timezone.now()
    if deed.together is not None:
        try:
            made = list(deed.together(rows, by=by, now=now, **values))
        except REFUSALS as error:
            messages.error(request, told(error))
            return
        for one in made:
            link = format_html('<a href="{}">{}</a>', change_url(one), one)
            messages.success(request, format_html("{}: {}", deed.label, link))
        return
    done = 0
    for row in rows:
        try:
            if deed.each is not None:
                deed.each(row, by=by, now=now, **values)
        except REFUSALS as error:
            messages.error(request, f"{row}: {told(error)}")
        else:
            done += 1
    if done:
        said = ngettext("%(deed)s: %(count)d done.", "%(deed)s: %(count)d done.", done)
        messages.success(request, said % {"deed": deed.label, "count": done})


def _ask(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: Rows,
    deed: Deed,
    form: forms.Form,
) -> HttpResponse:
    told_ahead: Sequence[tuple[Text, object]] = ()
    if deed.preview is not None:
        try:
            told_ahead = deed.preview(rows, by=cast(User, request.user), now=timezone.now())
        except REFUSALS as error:
            messages.error(request, told(error))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": deed.label,
        "opts": model_admin.opts,
        "deed": deed,
        "form": form,
        "rows": rows,
        "preview": told_ahead,
        "from_page": "from_page" in request.POST,
        "media": model_admin.media + form.media,
    }
    return render(request, "admin/guarded/ask.html", context)
