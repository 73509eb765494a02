"""The request that a page behind sign-in receives."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from catalog.models import User


class PortalRequest(HttpRequest):
    """A request with its person, the environment that is shown, and what htmx says of it."""

    user: User  # pages are behind login_required
    environment: str
    htmx: HtmxDetails
