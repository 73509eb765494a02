"""A contract written by someone who has never seen JSON Schema, and judged by a reviewer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator

from tests.journeys.people import Person

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

SAMPLE = {
    "specversion": "1.0", "id": "7", "source": "/returns", "type": "x",
    "data": {
        "return_id": "R-1", "reason": "too small", "returned_at": "2026-11-20T10:00:00Z",
        "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
    },
}  # fmt: skip


def field_of(person: Person, name: str) -> Locator:
    return person.page.get_by_role("group", name=name, exact=True)


def adds_group(person: Person, *, after: str) -> None:
    """Add a group with a field in it; what was unfolded elsewhere stays so."""
    person.press("Add a field")
    field_of(person, after).wait_for()
    card = field_of(person, "New field")
    card.wait_for()
    person.page.keyboard.type("card")
    details = field_of(person, "reason").locator("details")
    details.locator("summary").click()
    card.get_by_label("Holds").select_option("Group of fields")  # at once it may hold others
    field_of(person, "card").wait_for()
    assert details.get_attribute("open") is not None  # as it was left
    field_of(person, "card").get_by_role("button", name="Add inside").click()
    inside = field_of(person, "New field")
    inside.wait_for()  # the steps before have named every other
    person.page.keyboard.type("colour")
    inside.get_by_label("Meaning").fill("Of the paper.")
    field_of(person, "card").get_by_label("Meaning").fill("What the gift came with.")


def test_contract_grows_from_a_sample_and_is_reviewed(people: Callable[[str], Person]) -> None:
    tomas = people("citizen")
    tomas.opens("/changes/new/?kind=new_event_type")
    tomas.page.get_by_label("Topic").select_option(index=1)
    tomas.fills("Name", "com.acme.sales.order.returned")
    tomas.fills("Title", "Order returned")
    tomas.page.get_by_text("Start from a sample event").click()
    tomas.fills("A sample event", json.dumps(SAMPLE))
    tomas.press("Make fields of the sample")
    field_of(tomas, "return_id").wait_for()

    tomas.press("Add a field")
    note = field_of(tomas, "New field")
    note.wait_for()
    assert tomas.page.evaluate("document.activeElement.name").endswith("-name")
    tomas.page.keyboard.type("gift_note")  # the focus is in it, and stays there while it is checked
    checks = tomas.page.locator("#contract-checks")
    checks.get_by_text("Gift note has no meaning").wait_for()
    assert tomas.page.evaluate("document.activeElement.value") == "gift_note"
    note.get_by_label("Meaning").fill("What stood on the card.")
    checks.get_by_text("Gift note has no meaning").wait_for(state="detached")

    adds_group(tomas, after="gift_note")

    tomas.press("Keep as a draft")
    tomas.page.wait_for_url("**/changes/*/edit/")
    tomas.looks()
    draft = tomas.page.url
    tomas.opens("/changes/new/?kind=new_event_type")
    tomas.page.get_by_role("link", name="New event type: Order returned").click()
    tomas.page.wait_for_url(draft)

    tomas.fills("What it means", "A customer sent an order back.")
    tomas.fills("Reason", "The warehouse must know what comes back.")
    tomas.press("Ask for review")
    tomas.page.wait_for_url("**/changes/*/")
    tomas.sees("In review")
    change = tomas.page.url

    jonas = people("reviewer")
    jonas.page.goto(change)
    jonas.heading()
    jonas.page.get_by_text("What stood on the card.").filter(visible=True).first.wait_for()


def test_contract_is_written_on_a_phone_and_sees_what_breaks(
    people: Callable[[str], Person],
) -> None:
    tomas = people("citizen")
    tomas.page.set_viewport_size({"width": 390, "height": 800})
    tomas.opens("/changes/new/?event_type=com.acme.sales.order.created")
    field_of(tomas, "customer_email").get_by_label("Always there").check()
    checks = tomas.page.locator("#contract-checks")
    checks.get_by_text("becomes required").wait_for()
    checks.get_by_text("Breaking").first.wait_for()
    field_of(tomas, "lines").get_by_role("button", name="Add inside").click()
    field_of(tomas, "New field").wait_for()
    wide = tomas.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
