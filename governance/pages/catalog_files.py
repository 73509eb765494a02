"""The catalog as files: where they are, and what others would change before they do."""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog import files
from catalog.files import Described, Unreadable
from catalog.files.archives import MAX_BYTES
from catalog.requests import PortalRequest
from governance import access, imports
from governance.actions import Action

# Between the preview and the import the browser carries the files; Django reads so much of a form.
MAX_CARRIED = 2 * 1024 * 1024


class FilesForm(forms.Form):
    """An archive to look at."""

    archive = forms.FileField(
        label=gettext_lazy("Zip archive of a catalog"),
        help_text=gettext_lazy(
            "As it was exported here, or the folder that you keep in git, zipped."
        ),
    )


class ReasonForm(forms.Form):
    """Why the files come in."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("It stands on every change request. Kept in the ledger."),
    )
    carried = forms.CharField(widget=forms.HiddenInput)


@login_required
def files_page(request: PortalRequest) -> HttpResponse:
    """Offer the catalog as files, show what an archive would change, and bring it in."""
    context: dict[str, Any] = {
        "form": FilesForm(),
        "may_import": access.allows(request.user, Action.CHANGE_PROPOSE),
    }
    if request.method == "POST":
        access.require(request.user, Action.CHANGE_PROPOSE)
        try:
            answer = _imported(request, context) if "carried" in request.POST else None
        except Unreadable as error:
            messages.error(request, str(error))
            return redirect("governance:catalog-files")
        if answer is not None:
            return answer
        if "carried" not in request.POST:
            _previewed(request, context)
    return render(request, "governance/catalog_files.html", context)


def _previewed(request: PortalRequest, context: dict[str, Any]) -> None:
    """Put the steps of the chosen archive into the page, or what is wrong with it."""
    form = FilesForm(request.POST, request.FILES)
    context["form"] = form
    if not form.is_valid():
        return
    try:
        held = files.unpack(form.cleaned_data["archive"].read())
        steps = imports.plan(files.read(held), by=request.user, now=timezone.now())
        context |= {"steps": steps, "reason": ReasonForm(initial={"carried": _carried(held)})}
    except (Unreadable, ValidationError) as error:
        told = error.messages if isinstance(error, ValidationError) else [str(error)]
        form.add_error("archive", told)


def _imported(request: PortalRequest, context: dict[str, Any]) -> HttpResponse | None:
    """Bring the carried files in; None with the preview again when something is refused."""
    form = ReasonForm(request.POST)
    wanted, now = _described(str(request.POST.get("carried", ""))), timezone.now()
    if form.is_valid():
        try:
            done = imports.carry_out(
                wanted, reason=form.cleaned_data["reason"], by=request.user, now=now
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            count = len(done.changes)
            words = ngettext(
                "The files are in; %(n)s change waits for its review.",
                "The files are in; %(n)s changes wait for their reviews.",
                count,
            )
            messages.success(request, words % {"n": count})
            return redirect("governance:change-request-list")
    context |= {"steps": imports.plan(wanted, by=request.user, now=now), "reason": form}
    return None


def _carried(held: dict[str, bytes]) -> str:
    text = base64.b64encode(zlib.compress(files.pack(held), 9)).decode()
    if len(text) > MAX_CARRIED:
        raise Unreadable(_("It is too large for this page: use manage.py import_catalog."))
    return text


def _described(carried: str) -> Described:
    try:
        inflate = zlib.decompressobj()
        archive = inflate.decompress(base64.b64decode(carried, validate=True), MAX_BYTES)
    except (binascii.Error, zlib.error, ValueError):
        raise Unreadable(_("The files did not arrive whole: choose the archive again.")) from None
    return files.read(files.unpack(archive))
