"""A person chooses what they are told, is told, and looks at the traffic behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.journeys.people import AxeFindings, Person
from tests.portal import RunningPortal

pytestmark = pytest.mark.journey


def test_support_chooses_reads_and_looks(
    browser: Browser, portal: RunningPortal, axe: AxeFindings
) -> None:
    support = Person(browser, portal, "support", axe)
    support.opens("/profile")
    support.follows("Choose what you are told")
    assert support.heading() == "What you are told"
    row = support.page.get_by_role("row", name="An endpoint answers again")
    row.get_by_role("combobox").select_option(label="Never")
    support.press("Save")
    support.sees("It holds for news from now on")
    chosen = support.page.get_by_role("row", name="An endpoint answers again")
    assert chosen.get_by_role("combobox").input_value() == "never"

    # The demo's dead receivers open circuits and failures while it runs.
    support.opens("/notifications/")
    support.comes_to_see("does not answer")
    support.page.get_by_role("button", name="Open", exact=True).first.click()
    support.heading()

    # What goes through a topic stands on a tab of its page.
    support.opens("/catalog/topics/sales.orders/")
    support.follows("Traffic")
    support.sees("Age of the oldest waiting")
    support.page.get_by_role("link", name="7 d").click()
    support.looks()
    support.page.get_by_text("The numbers").first.click()
    support.page.get_by_role("table").first.wait_for()

    # It refreshes itself, and what was opened stays open, and the focus where it was.
    period = support.page.get_by_role("link", name="7 d")
    period.focus()
    before = support.page.locator("#updated").inner_text()
    support.page.wait_for_function(
        "text => document.getElementById('updated').innerText !== text", arg=before, timeout=90_000
    )
    assert support.page.locator("#charts details[open]").count() == 1
    assert period.evaluate("link => link === document.activeElement")
    assert support.errors == []


def test_citizen_finds_the_traffic_of_their_own_application_only(
    browser: Browser, portal: RunningPortal, axe: AxeFindings
) -> None:
    citizen = Person(browser, portal, "citizen", axe)
    citizen.opens("/operations/")
    citizen.sees("You may not")
    citizen.opens("/notifications/choices/")
    assert citizen.heading() == "What you are told"
    assert all("403" in error for error in citizen.errors)
