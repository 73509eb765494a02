"""Show every page in the viewer's time zone, language, theme and chosen environment."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from catalog.words import Environment

ENVIRONMENT_COOKIE = "environment"
_YEAR_SECONDS = 31_536_000


def viewer_preferences(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Put `environment` and `theme` on the request; `?environment=` sticks in a cookie.

    The zone holds while the response is made, the language until the next request sets its own.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        language, zone, theme = "", None, "system"
        first = Environment.PRODUCTION.value
        if user.is_authenticated:
            language, zone, theme = user.language, _zone(user.time_zone), user.theme
            first = user.environment
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
