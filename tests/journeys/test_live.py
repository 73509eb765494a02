"""Pages that refresh themselves under somebody who works on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.journeys.people import Person

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
CALM_MS = 90_000
# Each live part of the fetched page is marked, so that it differs and is replaced for sure.
_LIVE = re.compile(r'(<[a-z]+[^>]*\bdata-live="\d+")')
_LISTEN = """
window.refreshed = [];
document.addEventListener("portal:refreshed", (event) => window.refreshed.push(event.target.id));
"""
# What somebody has in hand: where it is, what is opened, ticked and half typed.
_WORK = """() => {
  const parts = [...document.querySelectorAll("[data-live][id]")];
  const find = (what) => parts.flatMap((part) => [...part.querySelectorAll(what)])[0];
  const box = find("input[type=checkbox]");
  const fold = find("details:not(.menu) summary");
  if (box) { box.checked = true; box.dataset.mine = "1"; }
  if (fold) fold.parentElement.open = true;
  const field = [...document.querySelectorAll("input[type=search], main textarea")]
    .find((one) => one.checkVisibility() && !parts.some((part) => part.contains(one)));
  if (field) {
    field.focus({ preventScroll: true });
    field.value = "half ty";
    field.setSelectionRange(2, 4);
  }
  window.scrollTo(0, Math.floor((document.body.scrollHeight - innerHeight) / 2));
  return {
    box: box ? box.value : "",
    fold: fold ? fold.innerText : "",
    parts: parts.map((one) => one.id),
  };
}"""
_KEPT = """(had) => {
  const parts = [...document.querySelectorAll("[data-live][id]")];
  const all = (what) => parts.flatMap((part) => [...part.querySelectorAll(what)]);
  const field = document.activeElement;
  const ticked = (one) => one.value === had.box && one.checked;
  return {
    scroll: Math.round(window.scrollY),
    typed: [field.value ?? "", field.selectionStart ?? null, field.selectionEnd ?? null],
    box: had.box ? all("input[type=checkbox]").some(ticked) : null,
    fold: had.fold ? all("details[open] summary").some((one) => one.innerText === had.fold) : null,
  };
}"""


def replays(maya: Person) -> None:
    maya.page.get_by_role("main").get_by_role("link", name="Preview replay").click()
    maya.fills("Reason", "The flow is switched on again.")
    maya.fills("At most per second", "1")
    maya.page.get_by_role("main").get_by_role("button", name=re.compile("^Replay ")).click()
    maya.sees("Progress")


def opens_first(maya: Person) -> None:
    maya.page.locator("main table th a").first.click()
    maya.heading()


PAGES: dict[str, tuple[str, tuple[Callable[[Person], None], ...]]] = {
    "home": ("/", ()),
    "operations": ("/operations/", ()),
    "topic": ("/catalog/topics/sales.orders/traffic/", ()),
    "failures": ("/failures/", ()),
    "failure": ("/failures/", (opens_first,)),
    "subscriptions": ("/subscriptions/", ()),
    "subscription": ("/subscriptions/", (opens_first,)),
    "events": ("/events/", ()),
    "notifications": ("/notifications/", ()),
    "replay": ("/failures/", (opens_first, replays)),
    "replays": ("/replays/", ()),
}


@pytest.mark.parametrize("page", PAGES)
def test_refresh_takes_nothing_out_of_anybodys_hands(
    people: Callable[[str], Person], page: str
) -> None:
    path, steps = PAGES[page]
    maya = people("support")
    maya.page.add_init_script(_LISTEN)
    _tell_apart(maya.page)
    maya.opens(path)
    for step in steps:
        step(maya)
    refresh(maya.page)
    had: dict[str, Any] = maya.page.evaluate(_WORK)
    before = maya.page.evaluate(_KEPT, had)
    refresh(maya.page)
    after = maya.page.evaluate(_KEPT, had)
    assert after == before
    assert before["box"] in (None, True)
    assert before["fold"] in (None, True)


def refresh(page: Page) -> None:
    """Have every part that refreshes itself replaced."""
    parts = page.evaluate("[...document.querySelectorAll('[data-live][id]')].map((one) => one.id)")
    assert parts, "Nothing on this page refreshes itself."
    page.evaluate("window.refreshed.length = 0")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function(
        "ids => ids.every((id) => window.refreshed.includes(id))", arg=parts, timeout=CALM_MS
    )


def _tell_apart(page: Page) -> None:
    """Have each refreshed part differ from the one before, and say the same as the first."""
    count, first = 0, dict[str, str]()

    def answer(route: Route) -> None:
        nonlocal count
        if "x-refresh" not in route.request.headers:
            route.continue_()
            return
        count += 1
        address = route.request.url
        if address not in first:
            first[address] = route.fetch().text()
        text = _LIVE.sub(rf'\1 data-probe="{count}"', first[address])
        route.fulfill(status=200, content_type="text/html; charset=utf-8", body=text)

    page.route("**/*", answer)
