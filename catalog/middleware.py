"""Show every page as its viewer wants it, and say honestly when it cannot be shown.

The API has its own words for trouble (`catalog.problems`); these are the pages'.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme

from catalog.moves import IllegalMove
from catalog.words import Environment

ENVIRONMENT_COOKIE = "environment"
_YEAR_SECONDS = 31_536_000
_RETRY_SECONDS = 5

logger = logging.getLogger(__name__)


def viewer_preferences(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Put `environment` and `theme` on the request; `?environment=` sticks in a cookie.

    The zone holds while the response is made, the language until the next request sets its own.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            person = request.user if request.user.is_authenticated else None
        except (OperationalError, InterfaceError) as error:
            return _unavailable(request, error)
        language, zone, theme = "", None, "system"
        first = Environment.PRODUCTION.value
        if person:
            language, zone, theme = person.language, _zone(person.time_zone), person.theme
            first = person.environment
        asked = _environment(request.GET.get("environment"))
        kept = _environment(request.COOKIES.get(ENVIRONMENT_COOKIE))
        request.environment = asked or kept or first  # type: ignore[attr-defined]
        request.theme = theme  # type: ignore[attr-defined]
        if language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        with timezone.override(zone):
            response = get_response(request)
        if asked and asked != kept:
            response.set_cookie(
                ENVIRONMENT_COOKIE,
                asked,
                max_age=_YEAR_SECONDS,
                samesite="Lax",
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response

    return middleware


def _environment(word: str | None) -> str | None:
    return word if word in Environment.values else None


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None  # a zone that this system no longer knows: show the installation's own


class AnswerTrouble:
    """Turn what a page's verb could not do into a page.

    Too late is 409, a value that no column holds (NUL in a text) is 400, no database is 503.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for the errors named above; every other one stays our mistake, a 500."""
        if isinstance(error, IllegalMove):
            context = {"exception": str(error), "back": _came_from(request)}
            return render(request, "409.html", context, status=409)
        if isinstance(error, DataError):
            logger.warning("The database refused a value at %s.", request.path, exc_info=error)
            return render(request, "400.html", status=400)
        if isinstance(error, OperationalError | InterfaceError):
            return _unavailable(request, error)
        return None


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("The database did not answer for %s.", request.path, exc_info=error)
    # Without the context that asks the database.
    page = HttpResponse(render_to_string("503.html", {"request": request}), status=503)
    page["Retry-After"] = str(_RETRY_SECONDS)
    return page


def _came_from(request: HttpRequest) -> str:
    """Return the page that sent the form, if it is one of ours."""
    page = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if is_ours else "/"
