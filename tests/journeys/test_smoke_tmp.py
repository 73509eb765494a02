from __future__ import annotations
from typing import Any
import pytest
from playwright.sync_api import Browser
from tests.portal import RunningPortal
def test_smoke(portal: RunningPortal, browser: Browser, axe: Any) -> None:
    page = browser.new_page()
    page.goto(portal.url)
    print(page.url, page.title())
    print(axe(page))
