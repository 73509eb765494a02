"""Pages follow their viewer: zone, theme and environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation

from catalog.middleware import AnswerTrouble, viewer_preferences
from catalog.models import User
from catalog.moves import IllegalMove
from tests import factories
from tests.visitors import signed_in


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


def trouble(error: Exception, **headers: str) -> HttpResponse | None:
    request = RequestFactory().post("/changes/42/approve", headers=headers)
    request.user = AnonymousUser()
    return AnswerTrouble(lambda _: HttpResponse()).process_exception(request, error)


def test_too_late_is_a_conflict_that_says_what_happened_meanwhile() -> None:
    error = IllegalMove("Jonas Weber approved this at 14:20.", current="approved")
    response = trouble(error, referer="http://testserver/changes/42/")
    assert response is not None
    assert response.status_code == 409
    page = response.content.decode()
    assert "Jonas Weber approved this at 14:20." in page
    assert 'href="http://testserver/changes/42/"' in page


def test_way_back_never_leads_to_another_site() -> None:
    response = trouble(IllegalMove("Too late.", current=None), referer="https://evil.example/")
    assert response is not None
    assert "evil" not in response.content.decode()


def test_no_database_is_a_pause_not_our_mistake() -> None:
    response = trouble(OperationalError("connection refused"))
    assert response is not None
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_unreachable_session_store_is_a_pause_too() -> None:
    request = RequestFactory().get("/")

    class Unreachable:
        @property
        def is_authenticated(self) -> bool:
            raise OperationalError("connection refused")

    request.user = Unreachable()  # type: ignore[assignment]
    response = viewer_preferences(lambda _: HttpResponse())(request)
    assert response.status_code == 503


def test_other_errors_stay_our_mistake() -> None:
    assert trouble(RuntimeError()) is None


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/applications/?q=a%00", "/catalog/topics/a%00b/"])
def test_address_with_nul_is_refused_in_words(address: str) -> None:
    response = signed_in(factories.make_admin()).get(address)
    assert response.status_code == 400
    assert "Nothing has been changed." in response.content.decode()
