"""A version's whole life: tried as a draft, hurried, seen in staging, promoted, ended, retired."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.journeys.people import Person
from tests.portal import RunningPortal

pytestmark = [pytest.mark.journey, pytest.mark.timeout(500)]

CANCELLED = "com.acme.sales.order.cancelled"
TITLE = "Order cancelled"
VERSIONS = f"/catalog/events/{CANCELLED}/versions/"


def test_version_from_a_tried_draft_to_its_end(
    portal: RunningPortal, people: Callable[[str], Person]
) -> None:
    life = Life(portal, people)
    life.staging_has_a_subscriber()
    life.a_draft_is_tried_there_before_anybody_approves()
    life.an_admin_hurries_it_and_that_shows_for_ever()
    life.a_promotion_shows_what_staging_saw()
    life.the_old_version_ends_and_its_users_are_told()
    life.it_is_retired_although_it_is_used_with_a_reason()


class Life:
    """The chapters; each needs the ones before."""

    def __init__(self, portal: RunningPortal, people: Callable[[str], Person]) -> None:
        self.portal = portal
        port = (portal.data_dir / "demo-receiver.port").read_text().strip()
        self.receiver = f"http://127.0.0.1:{port}"
        self.tomas, self.jonas = people("citizen"), people("reviewer")
        self.ines = people("admin")
        self.change = ""

    def publish(
        self, version: str, environment: str = "production", **data: object
    ) -> requests.Response:
        """Publish one cancelled order under a version."""
        key = self.portal.keys["web-shop"][environment]
        contract = f"{self.portal.url}/api/v1/event-types/{CANCELLED}"
        event = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "/journey",
            "type": CANCELLED,
            "dataschema": f"{contract}/versions/{version}/schema",
            "data": {"order_id": "A-1", "reason": "customer", **data},
        }
        return requests.post(
            f"{self.portal.url}/api/v1/events",
            data=json.dumps(event),
            headers={
                "Content-Type": "application/cloudevents+json",
                "Authorization": f"Bearer {key}",
            },
            timeout=10,
        )

    def comes_to_answer(self, status: int, *how: str) -> requests.Response:
        """Publish until the answer is `status`: governance reaches each process within a second."""
        for _ in range(40):
            answer = self.publish(*how)
            if answer.status_code == status:
                break
            self.tomas.page.wait_for_timeout(250)
        assert answer.status_code == status, answer.text
        return answer

    def received(self) -> list[dict[str, Any]]:
        """Return what came to the staging subscriber, newest first."""
        asked = {"path": "/cancelled-in-staging"}
        answer = requests.get(f"{self.receiver}/received", params=asked, timeout=10)
        return list(answer.json()["received"])

    def staging_has_a_subscriber(self) -> None:
        tomas = self.tomas
        tomas.opens(f"/catalog/events/{CANCELLED}/")
        tomas.follows("Connect")
        tomas.chooses("Environment", "Staging")
        tomas.press("Continue")
        tomas.chooses("Application", "Invoice robot")
        tomas.press("Continue")
        tomas.fills("Address", f"{self.receiver}/cancelled-in-staging")
        tomas.press("Continue")
        tomas.fills("Name", "Invoices, staging")
        tomas.press("Connect the flow")
        tomas.sees("Copy the signing secret now")

    def a_draft_is_tried_there_before_anybody_approves(self) -> None:
        tomas = self.tomas
        assert self.publish("1.0.0", "staging").status_code == 202
        tomas.opens(f"/changes/new/?event_type={CANCELLED}")
        tomas.press("Add a field")
        field = tomas.page.get_by_role("group", name="New field")
        field.get_by_label("Name in the data").fill("refund_due")
        field.get_by_label("Meaning").fill("Whether money has to go back.")
        tomas.fills("Reason", "Care must know of refunds.")
        tomas.press("Ask for review")
        tomas.page.wait_for_url("**/changes/*/")
        self.change = tomas.page.url
        simulate = tomas.panel("Try it in staging")
        tomas.chooses("Send to", "Invoices, staging")
        for number in (0, 1):  # the draft's sample, then the event that staging has recorded
            simulate.get_by_label("What", exact=True).select_option(index=number)
            with tomas.page.expect_navigation():
                simulate.get_by_role("button", name="Send it").click()
            simulate.get_by_text("It works: the endpoint answered 200").wait_for()
        tomas.looks()
        tried = [one for one in self.received() if one["headers"].get("ce-test") == "true"]
        assert {one["headers"]["ce-dataschema"].split("/")[-2] for one in tried} == {"1.1.0"}
        assert [json.loads(one["body"])["order_id"] for one in tried[:2]] == ["A-1", "A-10442"]

    def an_admin_hurries_it_and_that_shows_for_ever(self) -> None:
        ines = self.ines
        ines.page.goto(self.change)
        ines.page.get_by_text("Make the change now, without the reviews").click()
        ines.fills("Why this cannot wait", "Refunds are stuck, and customers wait.")
        ines.press("Make the emergency change")
        ines.sees("Done without a review, and marked so for ever.")
        ines.looks()
        ines.follows("See the versions")
        row = ines.page.get_by_role("row", name=re.compile("^1.1.0"))
        row.get_by_role("link", name="Emergency, made without review").click()
        ines.sees("Refunds are stuck, and customers wait.")
        ines.opens("/ledger/?q=Refunds are stuck")
        ines.sees("Applied as an emergency")

    def a_promotion_shows_what_staging_saw(self) -> None:
        self.comes_to_answer(202, "1.1.0", "staging")
        assert self.publish("1.1.0", "staging", reason="a whim").status_code == 422
        tomas = self.tomas
        tomas.page.goto(self.change)
        tomas.follows("Ask for promotion")
        tomas.fills("Reason", "Staging took it.")
        tomas.press("Ask for review")
        tomas.page.wait_for_url("**/changes/*/")
        promotion = tomas.page.url
        jonas = self.jonas
        jonas.page.goto(promotion)
        for _ in range(30):  # what was refused is counted by and by
            if jonas.page.get_by_text("Staging took 1 event and refused 1; 1 delivery").count():
                break
            jonas.page.wait_for_timeout(1_000)
            jonas.press("Run the checks again")
            jonas.sees("The checks have run again.")
        jonas.sees("Staging took 1 event and refused 1; 1 delivery arrived, none died.")
        self.decides(promotion)
        self.comes_to_answer(202, "1.1.0")

    def decides(self, change: str) -> None:
        jonas = self.jonas
        jonas.page.goto(change)
        jonas.looks()
        jonas.fills("Why", "Reads well.")
        jonas.page.get_by_label("Apply it as well").check()
        jonas.press("Approve")
        jonas.sees("Applied")

    def the_old_version_ends_and_its_users_are_told(self) -> None:
        assert self.publish("1.0.0").status_code == 202
        tomas = self.tomas
        tomas.opens(VERSIONS)
        tomas.follows("Who uses 1.0.0")
        tomas.sees("Active")
        tomas.follows("Propose its end")
        tomas.fills("What users should do", "Send refund_due.")
        tomas.fills("Reason", "Nobody can tell who waits for money.")
        tomas.press("Ask for review")
        tomas.page.wait_for_url("**/changes/*/")
        tomas.looks()
        self.decides(tomas.page.url)
        answer = self.comes_to_answer(202, "1.0.0")
        assert answer.headers["Deprecation"]
        assert answer.headers["Sunset"]
        tomas.opens("/notifications/")
        tomas.comes_to_see("Version 1.1.0 takes its place. Send refund_due.")
        tomas.opens(f"/catalog/events/{CANCELLED}/")
        tomas.sees("Version 1.0.0 ends on")
        tomas.follows("See what changes")
        tomas.sees("refund_due is new.")

    def it_is_retired_although_it_is_used_with_a_reason(self) -> None:
        tomas = self.tomas
        tomas.follows("Who uses 1.0.0")
        tomas.follows("Propose to retire it")
        tomas.fills("Reason", "It ended.")
        tomas.press("Ask for review")
        tomas.page.wait_for_url("**/changes/*/")
        tomas.sees("Retire it later, or say why it has to go all the same.")
        change = tomas.page.url
        jonas = self.jonas
        jonas.page.goto(change)
        jonas.fills("Why", "Reads well.")
        jonas.press("Approve")
        jonas.is_refused("Retire it later, or say why it has to go all the same.", status=422)
        tomas.follows("Edit")
        tomas.fills("Although it is still used, because", "The shop changes over today.")
        tomas.press("Save the change")
        tomas.page.wait_for_url(change)
        self.decides(change)
        assert self.comes_to_answer(422, "1.0.0").json()
        tomas.opens(VERSIONS)
        row = tomas.page.get_by_role("row", name=re.compile("^1.0.0"))
        row.get_by_text("Retired").first.wait_for()
