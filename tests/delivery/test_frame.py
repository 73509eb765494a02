"""The frame shows where a person may go, what waits there, and where they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import reverse

from catalog.models import User
from delivery import context_processors
from governance import roles
from tests.factories import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def _counts() -> Iterator[None]:
    before = dict(context_processors._COUNTS)
    context_processors._COUNTS.clear()
    yield
    context_processors._COUNTS.clear()
    context_processors._COUNTS.update(before)


def frame_of(user: User | AnonymousUser, where: str = "/") -> context_processors.Frame:
    request = RequestFactory().get(where)
    request.user = user
    return context_processors.frame(request)["frame"]


def places(user: User) -> set[str]:
    return {str(one.label) for _, group in context_processors.navigation(user) for one in group}


def test_everyone_finds_the_catalog_and_only_some_operations() -> None:
    citizen, support = (
        make_person("tom", role=roles.CITIZEN),
        make_person("maya", role=roles.SUPPORT),
    )
    assert {"Home", "Catalog", "Applications", "Changes", "Failures"} <= places(citizen)
    assert "Operations" not in places(citizen)
    assert "Operations" in places(support)


def test_stranger_gets_no_places_and_the_bare_layout() -> None:
    frame = frame_of(AnonymousUser())
    assert frame.groups == []
    assert frame.layout == "bare.html"
    assert frame.unread == 0


def test_current_place_is_the_longest_beginning_of_the_path() -> None:
    maya = make_person("maya")
    inside = reverse("governance:access") + "requests/"
    current = [
        str(link.label)
        for _, links in frame_of(maya, inside).groups
        for link in links
        if link.is_current
    ]
    assert current == ["Access"]


@pytest.mark.usefixtures("_counts")
def test_counts_are_asked_for_this_person_and_environment() -> None:
    asked: list[tuple[str, str]] = []

    def waiting(user: User, environment: str) -> int:
        asked.append((user.username, environment))
        return 4

    context_processors.register_count("access", waiting, tone="bad")
    frame = frame_of(make_person("maya"))
    assert asked == []  # nothing is counted for a page without the frame
    link = next(link for _, links in frame.groups for link in links if str(link.label) == "Access")
    assert (link.count, link.tone) == (4, "bad")
    assert asked == [("maya", "production")]


def test_roles_are_said_in_words() -> None:
    assert frame_of(make_person("maya", role=roles.SUPPORT)).roles == "Support"


def test_page_that_does_not_exist_is_left_out() -> None:
    assert context_processors.url_of("delivery:never") == ""
