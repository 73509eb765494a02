"""Pages follow their viewer: zone, theme and environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation

from catalog.middleware import viewer_preferences
from catalog.models import User


@pytest.fixture(autouse=True)
def _language_stays_here() -> Iterator[None]:
    with translation.override("en"):
        yield


def visit(
    path: str = "/", user: User | AnonymousUser | None = None, kept: str = ""
) -> tuple[dict[str, str], HttpResponse]:
    request = RequestFactory().get(path)
    request.user = user or AnonymousUser()
    if kept:
        request.COOKIES["environment"] = kept
    seen: dict[str, str] = {}

    def page(request: HttpRequest) -> HttpResponse:
        seen["environment"] = request.environment  # type: ignore[attr-defined]
        seen["theme"] = request.theme  # type: ignore[attr-defined]
        seen["zone"] = timezone.get_current_timezone_name()
        return HttpResponse()

    handler: Callable[[HttpRequest], HttpResponse] = viewer_preferences(page)
    return seen, handler(request)


def test_stranger_sees_production_in_the_installations_zone() -> None:
    seen, response = visit()
    assert seen == {"environment": "production", "theme": "system", "zone": "UTC"}
    assert not response.cookies


def test_person_sees_their_own_zone_theme_and_environment() -> None:
    maya = User(username="maya", time_zone="Europe/Berlin", theme="dark", environment="staging")
    seen, _ = visit(user=maya)
    assert seen == {"environment": "staging", "theme": "dark", "zone": "Europe/Berlin"}
    assert timezone.get_current_timezone_name() == "UTC"


def test_chosen_environment_sticks_in_this_browser() -> None:
    seen, response = visit("/?environment=staging")
    assert seen["environment"] == "staging"
    assert response.cookies["environment"].value == "staging"
    again, _ = visit(kept="staging")
    assert again["environment"] == "staging"


def test_unknown_environment_and_zone_are_passed_over() -> None:
    lost = User(username="maya", time_zone="Middle/Earth")
    seen, response = visit("/?environment=moon", user=lost, kept="mars")
    assert (seen["environment"], seen["zone"]) == ("production", "UTC")
    assert not response.cookies
