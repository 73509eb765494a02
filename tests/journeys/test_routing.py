"""A routing rule from the wish to the event that goes another way, and the page that says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
import requests

from tests.journeys.people import Person
from tests.portal import RunningPortal

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

ORDER = "com.acme.sales.order.created"


def publish(portal: RunningPortal, order_id: str) -> str:
    """Publish an order; return the id that its source gave it."""
    event_id = str(uuid4())
    data = {
        "order_id": order_id,
        "total": {"amount": 12.5, "currency": "EUR"},
        "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
        "placed_at": "2026-11-22T09:12:44Z",
        "channel": "web",
    }
    event = {"specversion": "1.0", "id": event_id, "source": "/journey", "type": ORDER}
    answer = requests.post(
        f"{portal.url}/api/v1/events",
        data=json.dumps({**event, "data": data}),
        headers={
            "Content-Type": "application/cloudevents+json",
            "Authorization": f"Bearer {portal.keys['web-shop']['production']}",
        },
        timeout=10,
    )
    assert answer.status_code == 202, answer.text
    return event_id


def opens_event(person: Person, event_id: str) -> None:
    person.opens(f"/events/?q={event_id}")
    link = person.page.locator("#found a[href^='/events/']").first
    link.wait_for()
    person.page.goto(str(link.get_attribute("href")))
    person.looks()


def test_a_reviewed_rule_sends_an_event_elsewhere_and_its_page_says_why(
    portal: RunningPortal, people: Callable[[str], Person]
) -> None:
    before = publish(portal, "A-SUSPICIOUS")
    ines = people("admin")
    ines.opens("/catalog/topics/sales.orders/")
    ines.follows("Routing rules")
    ines.follows("Propose a rule")
    ines.fills("Name", "Suspicious orders wait")
    ines.chooses("What it does", "Send it instead to")
    ines.chooses("Where it sends the event", "Warehouse loader, sales.orders, production")
    ines.chooses("Whom it concerns", "Fulfilment flow, sales.orders, production")
    ines.page.get_by_text("More than one condition", exact=True).click()
    ines.fills("Condition on the data, JMESPath", "order_id =")
    ines.fills("Reason", "Somebody looks at them before they are packed.")
    ines.press("Ask for review")
    ines.sees("order_id =")
    ines.fills("Condition on the data, JMESPath", "order_id == 'A-SUSPICIOUS'")
    ines.press("Ask for review")
    ines.sees("in place of Fulfilment flow")
    ines.sees("You proposed it: somebody else decides.")
    ines.looks()
    change = ines.page.url

    jonas = people("reviewer")
    jonas.page.goto(change)
    jonas.sees("What it would have done")
    jonas.sees("Not to Fulfilment flow any more.")
    jonas.looks()
    jonas.page.get_by_label("Apply it as well").check()
    jonas.press("Approve")
    jonas.sees("Approved.")

    jonas.opens("/routing/?topic=sales.orders")
    jonas.follows("Suspicious orders wait")
    jonas.sees("goes to Warehouse loader")
    ines.page.wait_for_timeout(2_000)  # a rule holds at most a second late
    after = publish(portal, "A-SUSPICIOUS")
    usual = publish(portal, "A-USUAL")

    opens_event(ines, after)
    ines.sees("“Suspicious orders wait”, version 1, sends it elsewhere.")
    ines.sees("“Suspicious orders wait”, version 1, sends it here.")
    for untouched in (before, usual):
        opens_event(ines, untouched)
        assert not ines.page.get_by_text("Suspicious orders wait").count()
