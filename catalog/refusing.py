"""Say why a page's verb was refused, and give back the words that somebody had typed for it.

A form that is shown again keeps its fields by itself. A button with a reason beside it has no page
of its own to be shown again: its words stand on the page that says no.
"""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

# Fields in which people write sentences, on every page of the portal.
WORDS = ("reason", "note", "text", "how")
_UNPROCESSABLE = 422


def words_of(request: HttpRequest) -> str:
    """Return what somebody wrote in a request's form, "" for nothing."""
    given = (request.POST.get(name, "").strip() for name in WORDS)
    return "\n\n".join(one for one in given if one)


def refused(request: HttpRequest, error: ValidationError, *, back: str) -> HttpResponse:
    """Say why: over the page that the form came from, or with the words that were typed."""
    said = " ".join(error.messages)
    if words_of(request):
        context = {"exception": said, "back": back}
        return render(request, "422.html", context, status=_UNPROCESSABLE)
    messages.error(request, said)
    return redirect(back)
