"""A change that breaks subscribers: who is told, who is asked, who decides, and what voids it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator

from tests.journeys.people import Person
from tests.portal import RunningPortal

pytestmark = [pytest.mark.journey, pytest.mark.timeout(400)]

ORDER = "com.acme.sales.order.created"
PASSWORD = "a-mug-of-green-tea"
People = Callable[[str], Person]


def test_breaking_change_is_judged_by_owner_and_subscribers(
    portal: RunningPortal, people: People
) -> None:
    admit(people("admin"), portal, owner="omar", picker="priya")
    tomas, jonas = people("citizen"), people("reviewer")
    change = propose_what_breaks(tomas)
    omar = people("owner")
    subscribers_answer(omar, people("picker"), change)
    sent_back_while_another_decides(jonas, omar, change)
    comes_back_and_loses_an_approval(tomas, jonas, change)
    needs_two_approvals_one_of_the_owner(jonas, omar, change)
    tomas.page.reload()
    tomas.press("Withdraw the request")
    tomas.sees("Withdrawn")


def admit(ines: Person, portal: RunningPortal, **people: str) -> None:
    """Give people of the demo who have no password one, as an admin does."""
    for key, username in people.items():
        ines.page.goto(f"/admin/catalog/user/?q={username}")
        ines.page.locator("#result_list tbody th a").first.click()
        ines.page.get_by_role("button", name="Set password").click()
        ines.page.get_by_label("New password").fill(PASSWORD)
        ines.page.get_by_role("button", name="Set password").click()
        ines.page.get_by_role("list").filter(has_text="1").first.wait_for()
        portal.users[key] = {"username": username, "password": PASSWORD}
    ines.opens("/")


def propose_what_breaks(tomas: Person) -> str:
    tomas.opens("/catalog/?q=order")
    tomas.follows("Order placed")
    tomas.follows("Propose a change")
    field_of(tomas, "customer_email").get_by_label("Always there").check()
    field_of(tomas, "lines").get_by_label("Always there").uncheck()
    tomas.page.locator("#contract-checks").get_by_text("Breaking").first.wait_for()
    tomas.fills("Reason", "The confirmation must reach every customer.")
    tomas.press("Ask for review")
    tomas.page.wait_for_url("**/changes/*/")
    # Other journeys may have connected flows to this event meanwhile.
    tomas.page.get_by_text(re.compile(r"It breaks \d+ of \d+ subscribers")).first.wait_for()
    tomas.sees("One approval has to come from Sales operations.")
    tomas.panel("What real traffic says").get_by_text("of the last").wait_for()
    return tomas.page.url


def field_of(person: Person, name: str) -> Locator:
    return person.page.get_by_role("group", name=name, exact=True)


def subscribers_answer(omar: Person, priya: Person, change: str) -> None:
    """One team agrees, another cannot live with it; both find the question on their home page."""
    title = "Order placed 3.0.0 breaks"
    omar.follows(f"{title} Invoice robot: can you live with it?")
    answer(omar, "Invoice robot", "We ask the shop for the lines.", "We can live with it")
    priya.follows(f"{title} Fulfilment flow: can you live with it?")
    asked = priya.panel("Subscribers that break are asked")
    asked.get_by_text("due").nth(1).wait_for()  # the deadline of the two that have not answered
    answer(priya, "Fulfilment flow", "Without lines nobody knows what to pack.", "We object")
    assert priya.page.url.split("#")[0] == change
    asked.get_by_text("Objects: Priya Nair").wait_for()
    asked.get_by_text("Agrees: Omar Haddad").wait_for()
    # The third flow of the demo, and what other journeys connected.
    asked.get_by_text("No answer yet").first.wait_for()


def answer(person: Person, application: str, note: str, word: str) -> None:
    one = person.panel("Subscribers that break are asked").locator("li", has_text=application)
    one.get_by_label(f"For {application}").fill(note)
    one.get_by_role("button", name=word).click()
    person.sees("Your word stands beside the reviews.")


def sent_back_while_another_decides(jonas: Person, omar: Person, change: str) -> None:
    jonas.page.goto(change)
    jonas.looks()
    jonas.sees("Without lines nobody knows what to pack.")
    jonas.fills("Comment", "Can the lines stay?")
    jonas.page.get_by_role("button", name="Comment").click()
    omar.page.goto(change)
    omar.sees("Can the lines stay?")
    jonas.fills("Why", "Reads well.")
    omar.fills("Why", "Keep the lines: the warehouse needs them.")
    omar.press("Send back with the note")
    omar.sees("Sent back with your note.")
    jonas.press("Approve")
    jonas.is_refused("Omar Haddad sent it back in the meantime.", status=409)
    jonas.follows("See how it is now")
    jonas.sees("Its author finishes it.")


def comes_back_and_loses_an_approval(tomas: Person, jonas: Person, change: str) -> None:
    tomas.opens("/")
    tomas.follows("Order placed 3.0.0 was sent back")
    tomas.sees("Keep the lines: the warehouse needs them.")
    tomas.follows("Edit")
    field_of(tomas, "lines").get_by_label("Always there").check()
    tomas.press("Ask for review")
    # Who pinned another major version.
    tomas.page.get_by_text(re.compile(r"It may touch \d+ of \d+ subscribers")).first.wait_for()
    tomas.sees("2 approvals are missing.")
    jonas.page.goto(change)
    approve(jonas, "The lines stay.")
    jonas.sees("Your approval counts.")
    jonas.sees("1 approval is missing.")
    tomas.follows("Edit")
    tomas.fills("What changes", "Every order has an e-mail address.")
    tomas.sees("Approvals given to the earlier draft are void.")
    tomas.press("Save the change")
    tomas.sees("2 approvals are missing.")
    jonas.page.reload()
    jonas.sees("0 of 2 approvals")


def approve(person: Person, why: str) -> None:
    """Approve with a reason, and accept what traffic says where other journeys sent no address."""
    person.fills("Why", why)
    for box in person.page.get_by_label(re.compile("^I accept: ")).all():
        box.check()
    person.press("Approve")


def needs_two_approvals_one_of_the_owner(jonas: Person, omar: Person, change: str) -> None:
    for reviewer, told in ((jonas, "Your approval counts."), (omar, "Approved.")):
        reviewer.page.goto(change)
        approve(reviewer, "Every order has an address by now.")
        reviewer.sees(told)
    omar.looks()
    omar.page.get_by_role("button", name="Apply the change").wait_for()
