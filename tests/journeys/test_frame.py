"""A person finds their way: by keyboard, on a phone, in the dark, and without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.portal import RunningPortal

pytestmark = pytest.mark.journey

# Where every person may go; what they find there is other tests' business.
PLACES = ["/", "/catalog/", "/applications/", "/changes/", "/access/", "/failures/", "/profile"]
NARROW: ViewportSize = {"width": 380, "height": 800}


@pytest.fixture
def page(browser: Browser, portal: RunningPortal) -> Iterator[Page]:
    """Return the page of the support person, signed in, that fails on any console error."""
    context = browser.new_context(
        base_url=portal.url,
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",  # colours are measured, not their change
    )
    page = context.new_page()
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(page, portal)
    yield page
    context.close()
    assert said == []  # a broken content security policy speaks here


def sign_in(page: Page, portal: RunningPortal) -> None:
    user = portal.users["support"]
    page.goto("/sign-in")
    page.get_by_label("Username").fill(user["username"])
    page.get_by_label("Password").fill(user["password"])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("main").get_by_role("heading", level=1).wait_for()


def is_wider_than_its_window(page: Page) -> bool:
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))


def test_slash_goes_to_the_search_and_escape_leaves_it(page: Page) -> None:
    page.goto("/catalog/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.name") is None


def test_first_tab_skips_to_the_content(page: Page) -> None:
    page.goto("/catalog/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("place", PLACES)
def test_place_fits_a_phone_and_is_accessible_in_both_themes(
    page: Page, place: str, axe: Callable[[Page], list[dict[str, Any]]]
) -> None:
    page.goto(place)
    assert axe(page) == []
    page.emulate_media(color_scheme="dark")
    assert axe(page) == []
    page.set_viewport_size(NARROW)
    assert not is_wider_than_its_window(page)


def test_menu_is_a_drawer_on_a_phone(page: Page) -> None:
    page.set_viewport_size(NARROW)
    page.goto("/catalog/")
    menu = page.get_by_role("navigation", name="Main")
    assert not menu.is_visible()
    page.get_by_role("button", name="Menu").click()
    menu.get_by_role("link", name="Access").click()
    page.wait_for_url("**/access/**")


def test_environment_sticks_from_page_to_page(page: Page) -> None:
    page.goto("/catalog/")
    page.get_by_role("navigation", name="Environment").get_by_text("Staging").click()
    page.goto("/applications/")
    current = page.locator(".environment [aria-current]")
    assert current.inner_text() == "Staging"
    page.get_by_role("navigation", name="Environment").get_by_text("Production").click()


def test_everything_is_reached_without_scripts(browser: Browser, portal: RunningPortal) -> None:
    context = browser.new_context(
        base_url=portal.url, java_script_enabled=False, viewport={"width": 380, "height": 800}
    )
    page = context.new_page()
    sign_in(page, portal)
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Catalog").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Catalog"
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    context.close()
