"""The main job as people do it: find, ask, grant, connect, publish, fail, mend, replay, change.

One story in chapters that build on each other, in one running portal; the producer speaks HTTP.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests

from delivery import signing
from tests.journeys.people import Person
from tests.portal import RunningPortal

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

ORDER = "com.acme.sales.order.created"
ORDER_DATA = {
    "order_id": "A-777",
    "total": {"amount": 12.5, "currency": "EUR"},
    "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
    "placed_at": "2026-11-22T09:12:44Z",
    "channel": "web",
}
PROBLEM = "urn:signalbox:problem:"


@dataclass
class Story:
    """What the chapters hand on."""

    portal: RunningPortal
    receiver: str
    secret: str = ""
    known: dict[str, Any] = field(default_factory=dict)

    def publish(
        self,
        data: object,
        *,
        application: str = "web-shop",
        environment: str = "production",
        event_id: str | None = None,
        **attributes: str,
    ) -> requests.Response:
        """Publish one order as a structured CloudEvent."""
        event = {
            "specversion": "1.0",
            "id": event_id or str(uuid4()),
            "source": "/journey",
            "type": ORDER,
            "data": data,
            **attributes,
        }
        return self.post(
            json.dumps(event), "application/cloudevents+json", application, environment
        )

    def post(
        self,
        body: str,
        content_type: str,
        application: str = "web-shop",
        environment: str = "production",
        **headers: str,
    ) -> requests.Response:
        """Send a body to the publish door with an application's key."""
        key = self.portal.keys[application][environment]
        return requests.post(
            f"{self.portal.url}/api/v1/events",
            data=body.encode(),
            headers={
                "Content-Type": content_type,
                "Authorization": f"Bearer {key}",
                **headers,
            },
            timeout=10,
        )

    def received(self, path: str) -> list[dict[str, Any]]:
        """Return what the demo's receiver got at a path, newest first."""
        answer = requests.get(f"{self.receiver}/received", params={"path": path}, timeout=10)
        return list(answer.json()["received"])

    def wait_for(self, path: str, text: str, *, seconds: float = 30) -> dict[str, Any]:
        """Wait until a body with the text arrived at a path; return the request."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for one in self.received(path):
                if text in one["body"]:
                    return one
            time.sleep(0.2)
        pytest.fail(f"Nothing with {text} came to {path} within {seconds} s")


@pytest.fixture(scope="module")
def story(portal: RunningPortal) -> Story:
    port = (portal.data_dir / "demo-receiver.port").read_text().strip()
    return Story(portal=portal, receiver=f"http://127.0.0.1:{port}")


def test_main_job_from_the_catalog_to_the_ledger(
    story: Story, people: Callable[[str], Person]
) -> None:
    chapters = Chapters(story, people)
    chapters.a_citizen_developer_finds_an_event_and_asks_for_it()
    chapters.an_admin_grants_it_until_a_date()
    chapters.the_citizen_connects_the_flow_and_a_test_event_arrives()
    chapters.a_producer_gets_exactly_the_promised_answers()
    chapters.the_flow_receives_what_passes_its_filter_signed()
    chapters.support_sees_a_failure_mends_the_address_and_replays()
    chapters.a_contract_changes_by_review_and_reaches_production_by_promotion()
    chapters.revoking_stops_delivery_and_every_step_is_in_the_ledger()


class Chapters:
    """Each needs the ones before."""

    def __init__(self, story: Story, people: Callable[[str], Person]) -> None:
        self.story = story
        self.people = people

    def a_citizen_developer_finds_an_event_and_asks_for_it(self) -> None:
        tomas = self.people("citizen")
        tomas.opens("/catalog/?q=order")
        tomas.follows("Order placed")
        tomas.sees("The number on the customer's confirmation.")
        tomas.sees("Web shop")
        tomas.sees("Fulfilment flow")
        tomas.sees("Version 0.9.0 ends on")
        tomas.opens("/applications/new/")
        tomas.fills("Name", "Order sheet")
        tomas.chooses("Built with", "n8n")
        tomas.chooses("Region", "European Union")
        tomas.press("Register application")
        tomas.sees("Order sheet is registered.")
        tomas.follows("Ask for permission")
        tomas.chooses("Topic", "sales.orders")
        tomas.fills("Reason", "One row in the team's sheet for each order.")
        tomas.press("Send request")
        tomas.sees("You are told as soon as it is decided")

    def an_admin_grants_it_until_a_date(self) -> None:
        ines = self.people("admin")
        ines.opens("/")
        ines.follows("Order sheet wants to subscribe: Orders")
        until = (datetime.now(tz=UTC) + timedelta(days=90)).date().isoformat()
        ines.fills("Until", until)
        ines.press("Grant access")
        ines.sees("Granted. It is in force now.")

    def the_citizen_connects_the_flow_and_a_test_event_arrives(self) -> None:
        tomas = self.people("citizen")
        tomas.opens(f"/subscriptions/new/?event_type={ORDER}")
        tomas.press("Continue")
        tomas.chooses("Application", "Order sheet")
        tomas.press("Continue")
        tomas.sees("Copy the Production URL")
        tomas.looks()
        tomas.fills("Address", "ftp://nowhere")
        tomas.press("Continue")
        tomas.sees("http")
        tomas.fills("Address", f"{self.story.receiver}/order-sheet")
        tomas.press("Continue")
        tomas.fills("Name", "Order sheet")
        tomas.fills("Field", "total.amount")
        tomas.chooses("Condition", "is above")
        tomas.fills("Value", "10")
        tomas.press("Connect the flow")
        tomas.sees("Copy the signing secret now")
        self.story.secret = tomas.page.get_by_text("whsec_").first.inner_text().strip()
        self.story.known["subscription"] = tomas.page.url
        tomas.press("Send a test event")
        tomas.sees("It works: the test event arrived.")
        assert self.story.received("/order-sheet")

    def a_producer_gets_exactly_the_promised_answers(self) -> None:
        first = self.story.publish(ORDER_DATA, event_id="story-1")
        assert (first.status_code, first.json()["status"]) == (202, "accepted")
        again = self.story.publish(ORDER_DATA, event_id="story-1")
        assert (again.status_code, again.json()["status"]) == (202, "duplicate")
        other = self.story.publish({**ORDER_DATA, "order_id": "A-778"}, event_id="story-1")
        assert other.status_code == 409
        binary = self.story.post(
            json.dumps({**ORDER_DATA, "order_id": "A-BINARY"}),
            "application/json",
            **{
                "ce-specversion": "1.0",
                "ce-id": str(uuid4()),
                "ce-source": "/journey",
                "ce-type": ORDER,
            },
        )
        assert binary.status_code == 202
        batch = [
            {
                "specversion": "1.0",
                "id": str(uuid4()),
                "source": "/journey",
                "type": ORDER,
                "data": {**ORDER_DATA, "order_id": f"A-BATCH-{number}"},
            }
            for number in range(3)
        ]
        batched = self.story.post(json.dumps(batch), "application/cloudevents-batch+json")
        assert [one["status"] for one in batched.json()["events"]] == ["accepted"] * 3
        broken = self.story.publish({**ORDER_DATA, "lines": []})
        assert broken.status_code == 422
        assert broken.json()["errors"][0]["pointer"] == "/data/lines"
        stranger = self.story.publish(ORDER_DATA, application="shelf-display")
        assert (stranger.status_code, stranger.json()["type"][: len(PROBLEM)]) == (403, PROBLEM)
        unknown = self.story.publish(ORDER_DATA, type="com.acme.no.such.event")
        assert unknown.status_code == 404
        nobody = requests.post(f"{self.story.portal.url}/api/v1/events", data="{}", timeout=10)
        assert nobody.status_code == 401

    def the_flow_receives_what_passes_its_filter_signed(self) -> None:
        arrived = self.story.wait_for("/order-sheet", "A-BATCH-2")
        headers = {name.lower(): value for name, value in arrived["headers"].items()}
        signing.verify(
            [self.story.secret],
            message_id=headers["webhook-id"],
            timestamp=headers["webhook-timestamp"],
            signature=headers["webhook-signature"],
            body=arrived["body"].encode(),
            now=time.time(),
        )
        cheap = {**ORDER_DATA, "order_id": "A-CHEAP", "total": {"amount": 1, "currency": "EUR"}}
        assert self.story.publish(cheap).status_code == 202
        assert self.story.publish({**ORDER_DATA, "order_id": "A-AFTER"}).status_code == 202
        self.story.wait_for("/order-sheet", "A-AFTER")
        assert not [one for one in self.story.received("/order-sheet") if "A-CHEAP" in one["body"]]

    def support_sees_a_failure_mends_the_address_and_replays(self) -> None:
        tomas = self.people("citizen")
        tomas.page.goto(self.story.known["subscription"])
        tomas.follows("Edit")
        tomas.fills("Address", f"{self.story.receiver}/gone-flow")
        tomas.fills("Reason", "The flow moved.")
        tomas.press("Save changes")
        tomas.sees("It holds from the next delivery on.")
        assert self.story.publish({**ORDER_DATA, "order_id": "A-LOST"}).status_code == 202
        maya = self.people("support")
        maya.opens("/")
        maya.comes_to_see("1 event has not reached Order sheet")
        maya.follows("1 event has not reached Order sheet")
        maya.sees("n8n answers 404")
        maya.sees("The requested webhook is not registered")
        maya.sees("A-LOST")
        maya.follows("Change the address")
        maya.fills("Address", f"{self.story.receiver}/order-sheet-mended")
        maya.fills("Reason", "The flow's production URL.")
        maya.press("Save changes")
        maya.press("Send a test")
        maya.sees("The test event arrived")
        maya.follows("Preview replay")
        maya.sees("Will be sent")
        maya.fills("Reason", "The flow listens again.")
        maya.press("Replay 1 event")
        maya.comes_to_see("The event arrived.")
        self.story.wait_for("/order-sheet-mended", "A-LOST")

    def a_contract_changes_by_review_and_reaches_production_by_promotion(self) -> None:
        tomas = self.people("citizen")
        tomas.opens(f"/changes/new/?event_type={ORDER}")
        tomas.press("Edit as JSON")
        tomas.fills("JSON Schema", '{"type": "objekt"}')
        tomas.fills("Reason", "Gifts need a note.")
        tomas.press("Ask for review")
        tomas.sees("/type")
        tomas.opens(f"/changes/new/?event_type={ORDER}")
        tomas.press("Add a field")
        field = tomas.page.get_by_role("group", name="New field")
        field.get_by_label("Name in the data").fill("gift_note")
        field.get_by_label("Meaning").fill("What the giver wants to say.")
        tomas.fills("Version", "2.1.0")
        tomas.fills("Reason", "Gifts need a note.")
        tomas.press("Ask for review")
        tomas.sees("This breaks nobody.")
        change = tomas.page.url
        self._decide(self.people("reviewer"), change)
        data = {**ORDER_DATA, "gift_note": "For you"}
        schema = f"{self.story.portal.url}/api/v1/event-types/{ORDER}/versions/2.1.0/schema"
        self._publishes(202, data, environment="staging", dataschema=schema)
        self._publishes(422, data, environment="production", dataschema=schema)
        tomas.page.goto(change)
        tomas.follows("Ask for promotion")
        tomas.fills("Reason", "Staging took it.")
        tomas.press("Ask for review")
        tomas.heading()
        self._decide(self.people("reviewer"), tomas.page.url)
        self._publishes(202, data, environment="production", dataschema=schema)

    def _decide(self, reviewer: Person, url: str) -> None:
        reviewer.page.goto(url)
        reviewer.looks()
        reviewer.fills("Why", "Reads well.")
        reviewer.page.get_by_label("Apply it as well", exact=False).check()
        reviewer.press("Approve")
        reviewer.sees("Applied")

    def _publishes(self, status: int, data: object, **how: str) -> None:
        """Publish until the answer is `status`: a change reaches every process within a second."""
        until = time.monotonic() + 5
        while True:
            answer = self.story.publish(data, **how)
            if answer.status_code == status or time.monotonic() > until:
                break
            time.sleep(0.2)
        assert answer.status_code == status, answer.text

    def revoking_stops_delivery_and_every_step_is_in_the_ledger(self) -> None:
        tomas = self.people("citizen")
        tomas.page.goto(self.story.known["subscription"])
        tomas.page.get_by_text("Pause", exact=True).first.click()
        tomas.page.locator("form[action*='/pause/'] textarea").fill("The sheet is full.")
        tomas.press("Pause deliveries")
        tomas.sees("Paused: its backlog is kept.")
        assert self.story.publish({**ORDER_DATA, "order_id": "A-STOPPED"}).status_code == 202
        ines = self.people("admin")
        ines.opens("/access/?q=Order sheet")
        ines.page.locator("a.grant[data-tone=good]").first.click()
        ines.page.get_by_text("Revoke", exact=True).first.click()
        ines.page.locator("form[action*='/revoke/'] textarea").fill("The pilot is over.")
        ines.press("Revoke the grant")
        ines.sees("Waiting deliveries end with")
        tomas.page.goto(self.story.known["subscription"])
        tomas.comes_to_see("has no grant for this topic")
        ines.opens("/ledger/?q=Order sheet")
        for happened in ("Registered an application", "Created a subscription"):
            ines.sees(happened)
        ines.opens("/ledger/?q=grant:revoke")
        ines.sees("The pilot is over.")
        ines.opens("/ledger/verify/")
        ines.press("Verify now")
        ines.sees("entries hold.")
