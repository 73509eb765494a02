"""The request that a page behind sign-in receives."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from catalog.models import User


class PortalRequest(HttpRequest):
    """A request with its person, the environment that is shown, and what htmx says of it."""

    user: User  # pages are behind login_required
    environment: str
    htmx: HtmxDetails


def told_once(request: HttpRequest, name: str) -> Any:
    """Return what the request before left in the session for this page; None, and then never again.

    A page that refreshes itself gets nothing: the one that is looked at, perhaps in another tab,
    would lose a secret that is shown once.
    """
    if "X-Refresh" in request.headers:
        return None
    return request.session.pop(name, None)
