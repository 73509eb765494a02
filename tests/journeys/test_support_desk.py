"""Support at work: a runbook's step, a mended event, a backfill, in one running portal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.people import Person
from tests.portal import RunningPortal

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def maya(
    browser: Browser, portal: RunningPortal, axe: Callable[[Page], list[dict[str, Any]]]
) -> Iterator[Person]:
    """Return support, at work; at the end they may not have met a console error."""
    person = Person(browser, portal, "support", axe)
    yield person
    # Only a failed test shows this.
    print(person.page.url, person.page.get_by_role("main").inner_text()[:1500])  # noqa: T201
    person.page.context.close()
    assert person.errors == []


def opens_a_failure(maya: Person, words: str) -> None:
    maya.opens("/failures/")
    maya.page.get_by_role("main").get_by_role("link", name=re.compile(words)).first.click()
    maya.looks()


def test_runbook_says_what_to_do_and_its_buttons_do_it(maya: Person) -> None:
    opens_a_failure(maya, "answers 404")
    maya.sees("Is the flow switched on?")
    steps = maya.page.get_by_role("listitem").filter(has_text="Prove that it arrives")
    steps.get_by_role("button", name="Send a test").first.click()
    maya.sees("The test event did not arrive.")
    maya.follows("Versions")
    maya.sees("Nothing is at the address")
    maya.follows("Edit")
    maya.fills("Title", "The address is empty")
    maya.press("Save")
    maya.sees("Saved as a new version.")
    maya.follows("Version 2")
    maya.sees("What version 2 changed")


def test_data_is_mended_and_published_in_place_of_the_old(maya: Person) -> None:
    opens_a_failure(maya, "answers 404")
    maya.follows("Edit and replay")
    document = maya.page.get_by_label("Data").first
    data = json.loads(document.input_value())
    document.fill('{"order_id": ')
    maya.sees("thing does not fit yet")
    document.fill(json.dumps({**data, "order_id": "A-MENDED"}))
    maya.sees("It keeps its contract.")
    maya.sees("Invoice robot")
    maya.press("Publish the correction")
    maya.sees("Say why: the ledger keeps it.")
    assert "A-MENDED" in maya.page.get_by_label("Data").first.input_value()
    maya.fills("Reason", "The clerk mistyped the number.")
    maya.press("Publish the correction")
    maya.sees("This event corrects another one.")
    maya.looks()
    origin = maya.page.get_by_role("main").locator(".banner a.mono").first
    origin.click()
    maya.sees("This event was corrected.")


def test_past_of_a_topic_goes_to_a_subscription_again(maya: Person) -> None:
    maya.opens("/replays/")
    maya.follows("Choose what to replay")
    since = (datetime.now(tz=UTC) - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M")
    until = (datetime.now(tz=UTC) - timedelta(days=-1)).strftime("%Y-%m-%dT%H:%M")
    maya.page.get_by_label(re.compile("^Send to")).select_option(
        label="Fulfilment flow (Fulfilment flow, sales.orders)"
    )
    maya.chooses("What", "Everything of its topic that it has not got (backfill)")
    maya.fills("From", until)
    maya.fills("To", since)
    maya.press("Preview")
    maya.sees("Choose a time after the first one.")
    maya.fills("From", since)
    maya.fills("To", until)
    maya.page.get_by_label("Also what has arrived there since").check()
    maya.press("Preview")
    maya.sees("What the preview found")
    maya.sees("may do its work twice")
    maya.looks()
    maya.fills("Reason", "The sheet was emptied by mistake.")
    maya.fills("At most per second", "500")
    maya.page.get_by_role("main").get_by_role("button", name=re.compile("^Replay ")).click()
    maya.sees("What was ordered")
    maya.sees("Every event of sales.orders")
    maya.looks()


def test_production_event_is_tried_in_staging_without_its_personal_data(maya: Person) -> None:
    maya.opens("/events/?type=com.acme.sales.order.created")
    maya.page.locator("main table th a").first.click()
    maya.follows("Copy to staging")
    maya.sees("What is replaced")
    maya.press("Copy it to staging")
    maya.sees("Say why")
    maya.fills("Reason", "Try the new flow on a real order.")
    maya.press("Copy it to staging")
    maya.sees("This is a copy of a production event.")
    maya.looks()
    maya.page.get_by_role("main").get_by_role("link", name="The event in production").click()
    maya.sees("This event was copied to staging.")


def test_every_button_of_a_runbook_does_its_deed(maya: Person) -> None:
    opens_a_failure(maya, "answers 500")
    maya.comes_to_see("Circuit open", tries=90)
    failure = maya.page.url
    maya.opens(f"/runbooks/new/?failure={failure.rstrip('/').rsplit('/', 1)[-1]}")
    maya.fills("Title", "All deeds")
    maya.fills(
        "Steps",
        "## All\n\n[Test it](do:test) [Hold it](do:validate) [Change it](do:edit) "
        "[Turn it](do:rotate-secret) [Probe it](do:probe) [Stop it](do:pause) "
        "[Start it](do:resume) [Send again](do:replay) [Mend it](do:correct)",
    )
    maya.press("Save")
    maya.sees("Saved. It is shown on every failure that fits.")
    for button, told in {
        "Test it": "The test event did not arrive.",
        "Hold it": "The oldest dead event keeps contract version",
        "Probe it": "The next delivery goes out now, as a probe.",
        "Stop it": "Paused. Its backlog is kept.",
        "Start it": "Resumed. What waited is on its way.",
        "Turn it": "Copy the signing secret now",
    }.items():
        maya.page.goto(failure)
        maya.press(button)
        maya.sees(told)
    for link, told in {
        "Change it": "Where it goes",
        "Send again": "What the preview found",
        "Mend it": "Publish the correction",
    }.items():
        maya.page.goto(failure)
        maya.follows(link)
        maya.sees(told)
