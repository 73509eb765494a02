"""Every kind of page that a person can reach by links: it answers, is accessible and says no error.

A crawl from the home page. Numbers and names in addresses make one kind: of each kind one page is
looked at, so the crawl is bounded by how many pages the portal has, not by its data.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.people import Person
from tests.portal import RunningPortal

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

MOST_PAGES = 90
# Other doors with their own tests, and what ends the visit.
NOT_PAGES = re.compile(r"^/(api|admin|static|sign-out|metrics)")
NAMED = re.compile(r"/(catalog/events|catalog/topics|catalog/domains|applications)/(?!new/)[^/]+")
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+")


def kind_of(path: str) -> str:
    """Return the path with every name and number taken out."""
    return IDENTIFIER.sub("…", NAMED.sub(r"/\1/…", path))


@pytest.mark.parametrize("role", ["admin", "citizen"])
def test_every_page_answers_and_is_accessible(
    role: str,
    browser: Browser,
    portal: RunningPortal,
    axe: Callable[[Page], list[dict[str, Any]]],
) -> None:
    person = Person(browser, portal, role, axe)
    page = person.page
    waiting, seen, troubles = ["/"], {"/"}, []
    while waiting and len(seen) <= MOST_PAGES:
        path = waiting.pop(0)
        answer = page.goto(path)
        if answer is None or answer.status != 200:
            troubles.append(f"{path}: {answer.status if answer else 'no answer'}")
            continue
        troubles += [f"{path}: {one['id']} {one['nodes'][0]['html'][:120]}" for one in axe(page)]
        links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href)")
        for link in links:
            parts = urlsplit(link)
            kind = kind_of(parts.path)
            is_ours = f"{parts.scheme}://{parts.netloc}" == portal.url
            if is_ours and kind not in seen and not NOT_PAGES.match(parts.path):
                seen.add(kind)
                waiting.append(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    assert not troubles, "\n".join(troubles)
    assert person.errors == []
    assert len(seen) > 15
    person.page.context.close()
