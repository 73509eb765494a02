"""Support finds a dead letter in the Django admin and replays it; an admin gives a grant there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.portal import RunningPortal

pytestmark = pytest.mark.journey

Enter = Callable[[str, str], Page]


@pytest.fixture
def enter(browser: Browser, portal: RunningPortal) -> Iterator[Enter]:
    """Return how a person enters the admin at a page; any word in their console fails the test."""
    said: list[str] = []
    context = browser.new_context(base_url=portal.url, viewport={"width": 1440, "height": 900})

    def sign_in(who: str, path: str) -> Page:
        page = context.new_page()
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path)
        page.get_by_label("Username").fill(portal.users[who]["username"])
        page.get_by_label("Password").fill(portal.users[who]["password"])
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{portal.url}{path}")
        return page

    yield sign_in
    context.close()
    assert said == []  # a broken content security policy speaks here


def test_support_replays_a_dead_letter(enter: Enter) -> None:
    page = enter("support", "/admin/delivery/deadletter/?resolved_at__isempty=1")
    page.locator("#result_list tbody th a").first.click()
    expect(page.get_by_role("table").first).to_contain_text("ms")
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("#content")).to_contain_text("Would be sent")
    page.get_by_label("Reason").fill("The receiver was mended.")
    page.get_by_role("button", name="Replay").click()
    page.locator(".messagelist a").click()
    expect(page.locator("#content")).to_contain_text("The receiver was mended.")


def test_admin_picks_an_application_for_a_grant(enter: Enter) -> None:
    page = enter("admin", "/admin/governance/grant/add/")
    page.locator(".field-application .select2-selection").click()
    page.locator(".select2-results__option", has_text="CRM sync").click()
    expect(page.locator(".field-application .select2-selection")).to_contain_text("CRM sync")


def test_admin_opens_the_history_of_a_topic(enter: Enter) -> None:
    page = enter("admin", "/admin/catalog/topic/")
    page.locator("#result_list tbody th a").first.click()
    page.locator("#content").get_by_role("link", name="History").click()
    expect(page.locator("#change-history")).to_contain_text("Created")
