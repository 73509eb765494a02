"""Who comes to the portal in a journey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.people import Person
from tests.portal import RunningPortal


@pytest.fixture
def people(
    browser: Browser, portal: RunningPortal, axe: Callable[[Page], list[dict[str, Any]]]
) -> Iterator[Callable[[str], Person]]:
    """Return a way to let people in; at the end nobody may have met a console error."""
    present: list[Person] = []

    def enter(role: str) -> Person:
        present.append(Person(browser, portal, role, axe))
        return present[-1]

    yield enter
    said = [error for person in present for error in person.errors]
    for person in present:
        # Only a failed test shows this: where each person was, and what they saw.
        print(person.page.url, person.page.get_by_role("main").inner_text()[:1500])  # noqa: T201
        person.page.context.close()
    assert said == []
