"""People at work in the portal, each in a window of their own; every page is checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests.portal import RunningPortal

AxeFindings = Callable[[Page], list[dict[str, Any]]]
PATIENCE_MS = 15_000


class Person:
    """One signed-in person; `visited` pages are checked for accessibility, errors are collected."""

    def __init__(
        self, browser: Browser, portal: RunningPortal, role: str, axe: AxeFindings
    ) -> None:
        context = browser.new_context(
            base_url=portal.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_MS)
        self.page = context.new_page()
        self.errors: list[str] = []
        self._axe = axe
        self._checked: set[str] = set()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        user = portal.users[role]
        self.page.goto("/sign-in")
        self.page.get_by_label("Username").fill(user["username"])
        self.page.get_by_label("Password").fill(user["password"])
        self.press("Sign in")
        self.heading()

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{self.page.url}: {message.text}")

    def heading(self) -> str:
        """Return the page's title."""
        title = self.page.get_by_role("main").get_by_role("heading", level=1)
        title.wait_for()
        return title.inner_text()

    def opens(self, path: str) -> str:
        """Go to a page; return its title."""
        self.page.goto(path)
        self.looks()
        return self.heading()

    def looks(self) -> None:
        """Check the page that is shown for accessibility, once per kind of page."""
        self.heading()
        kind = "".join(c for c in self.page.url.split("?")[0] if not c.isdigit())
        if kind in self._checked:
            return
        self._checked.add(kind)
        found = self._axe(self.page)
        told = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]
        assert not told, f"{self.page.url}: {told}"

    def follows(self, name: str) -> None:
        """Follow the first link with this name in the page's content."""
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()
        self.looks()

    def press(self, name: str) -> None:
        """Press the first button with this name in the page's content."""
        self.page.get_by_role("main").get_by_role("button", name=name).first.click()

    def fills(self, label: str, value: str) -> None:
        """Fill a labelled field."""
        self._labelled(label).fill(value)

    def chooses(self, label: str, value: str) -> None:
        """Choose an option of a labelled list by its text."""
        self._labelled(label).select_option(label=value)

    def _labelled(self, label: str) -> Locator:
        """Return the field with this label; an optional one says so behind it."""
        return (
            self.page.get_by_role("main").get_by_label(re.compile(rf"^{re.escape(label)}\b")).first
        )

    def panel(self, title: str) -> Locator:
        """Return the part of the page with this title."""
        return self.page.get_by_role("region", name=title, exact=True)

    def sees(self, text: str) -> None:
        """Wait until the text stands on the page."""
        self.page.get_by_text(text).first.wait_for()

    def is_refused(self, text: str, *, status: int) -> None:
        """Wait for what a refusal says; that the browser logs its status is no error."""
        self.sees(text)
        self.looks()
        self.errors = [error for error in self.errors if f"status of {status}" not in error]

    def comes_to_see(self, text: str, *, tries: int = 30) -> None:
        """Reload until the text stands on the page."""
        for _ in range(tries):
            if self.page.get_by_text(text).count():
                return
            self.page.wait_for_timeout(1000)
            self.page.reload()
        self.sees(text)
