"""Versions side by side: compared, converted for who stays, followed, and taken out and back in."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import FilePayload

from tests.journeys.people import Person
from tests.portal import RunningPortal

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

ORDER = "com.acme.sales.order.created"
VERSIONS = f"/catalog/events/{ORDER}/versions/"
People = Callable[[str], Person]


def test_pinned_subscriber_goes_on_in_its_version_by_a_reviewed_conversion(
    portal: RunningPortal, people: People
) -> None:
    tomas, jonas = people("citizen"), people("reviewer")
    tomas.opens(VERSIONS)
    tomas.follows("Propose a conversion")
    tomas.fills("Events of version", "2")
    tomas.fills("Become events of version", "0")
    tomas.fills("Mapping, JMESPath", "{order_id: order_id, sum: total.amount}")
    tomas.fills("Reason", "The old robot cannot change this year.")
    tomas.press("Ask for review")
    tomas.page.wait_for_url("**/changes/*/")
    tomas.looks()
    tomas.sees("recorded events cannot be converted.")
    tomas.follows("Edit")
    tomas.fills("Mapping, JMESPath", "{order_id: order_id, amount: total.amount}")
    tomas.press("Save the change")
    tomas.sees("and keep the contract of 0.9.0.")
    change = tomas.page.url

    jonas.page.goto(change)
    jonas.looks()
    jonas.panel("Tried on events").get_by_text("As converted").first.wait_for()
    jonas.fills("Why", "It says what the old one said.")
    jonas.page.get_by_label("Apply it as well").check()
    jonas.press("Approve")
    jonas.sees("Applied")

    receiver = f"http://127.0.0.1:{(portal.data_dir / 'demo-receiver.port').read_text().strip()}"
    tomas.opens(VERSIONS)
    tomas.panel("Conversions").get_by_role("rowheader", name="2.x").first.wait_for()
    tomas.follows("Connect")
    tomas.press("Continue")
    tomas.chooses("Application", "Invoice robot")
    tomas.press("Continue")
    tomas.fills("Address", f"{receiver}/pinned-to-0")
    tomas.press("Continue")
    tomas.chooses("Version", "0.x")
    tomas.fills("Name", "Old robot")
    tomas.press("Connect the flow")
    tomas.sees("Copy the signing secret now")
    arrived = published_until_it_arrives(portal, tomas, f"{receiver}/received")
    assert json.loads(arrived["body"]) == {"order_id": "A-OLD", "amount": 12.5}
    assert arrived["headers"]["ce-translatedfrom"] == "2.0.0"


def published_until_it_arrives(
    portal: RunningPortal, person: Person, received: str
) -> dict[str, Any]:
    """Publish an order under 2.0.0, and again until all processes know of the subscription."""
    data = {
        "order_id": "A-OLD",
        "total": {"amount": 12.5, "currency": "EUR"},
        "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
        "placed_at": "2026-11-22T09:12:44Z",
        "channel": "web",
    }
    for turn in range(60):
        if turn % 8 == 0:
            schema = f"{portal.url}/api/v1/event-types/{ORDER}/versions/2.0.0/schema"
            event = {"specversion": "1.0", "id": str(uuid4()), "source": "/journey", "type": ORDER}
            sent = requests.post(
                f"{portal.url}/api/v1/events",
                data=json.dumps({**event, "dataschema": schema, "data": data}),
                headers={
                    "Content-Type": "application/cloudevents+json",
                    "Authorization": f"Bearer {portal.keys['web-shop']['production']}",
                },
                timeout=10,
            )
            assert sent.status_code == 202, sent.text
        answer = requests.get(received, params={"path": "/pinned-to-0"}, timeout=10)
        if answer.json()["received"]:
            return dict(answer.json()["received"][0])
        person.page.wait_for_timeout(500)
    pytest.fail("Nothing came to the pinned subscriber")


def test_versions_are_compared_followed_and_kept_as_files(people: People) -> None:
    tomas = people("citizen")
    tomas.opens(VERSIONS)
    tomas.chooses("From", "0.9.0")
    tomas.chooses("to", "2.0.0")
    tomas.press("Compare")
    tomas.sees("From 0.9.0 to 2.0.0")
    tomas.panel("Compare two versions").get_by_text("Amount is removed").first.wait_for()
    changelog = tomas.page.get_by_role("link", name="Changelog of 2.0.0")
    assert fetched(tomas, str(changelog.get_attribute("href"))).json()["findings"]
    tomas.follows("For developers")
    feed = tomas.page.get_by_role("link", name="Changes of this contract, as Atom")
    assert "2.0.0" in fetched(tomas, str(feed.get_attribute("href"))).text()

    ines = people("admin")
    ines.opens("/catalog/")
    ines.follows("All as files")
    with ines.page.expect_download() as download:
        ines.page.get_by_role("link", name="Export the catalog").click()
    files = edited(download.value.path().read_bytes())
    ines.page.get_by_label("Zip archive").set_input_files(files)
    ines.press("Show what would change")
    ines.looks()
    ines.panel("What the files would change").get_by_text("By review").wait_for()
    ines.panel("What the files would change").get_by_text("At once").wait_for()
    ines.fills("Reason", "Less space, and another word.")
    ines.press("Bring the files in")
    ines.sees("The files are in; 1 change waits for its review.")
    ines.follows("Promises of Stock")
    ines.press("Withdraw the request")
    ines.sees("Withdrawn")


def fetched(person: Person, href: str) -> Any:
    answer = person.page.request.get(href)
    assert answer.ok, href
    return answer


def edited(archive: bytes) -> FilePayload:
    """Return the archive with another word about a team and another promise of a topic."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "teams/warehouse.yaml":
                text = text.replace(b"picking", b"packing")
            if name == "topics/inventory.stock.yaml":
                text = text.replace(b"retention_days: 90", b"retention_days: 60")
            new.writestr(name, text)
    return {"name": "catalog.zip", "mimeType": "application/zip", "buffer": made.getvalue()}
