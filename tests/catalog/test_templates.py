"""Every template compiles, says what it takes, and holds nothing that the policy forbids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR) / "templates"
EVERY_TEMPLATE = sorted(
    str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.suffix in {".html", ".txt"}
)
_COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}", re.DOTALL)
_FORBIDDEN = re.compile(
    r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE
)


@pytest.mark.parametrize("name", EVERY_TEMPLATE)
def test_template_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", [name for name in EVERY_TEMPLATE if name.endswith(".html")])
def test_template_holds_nothing_inline(name: str) -> None:
    text = _COMMENT.sub("", (ROOT / name).read_text())
    assert _FORBIDDEN.findall(text) == []


@pytest.mark.parametrize("name", EVERY_TEMPLATE)
def test_template_opens_with_what_it_takes(name: str) -> None:
    opening = (ROOT / name).read_text()[:1500]
    assert "{% comment %}" in opening
    assert "Context:" in opening


@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "500.html", "503.html"])
def test_error_page_needs_no_context_and_no_database(name: str) -> None:
    html = get_template(name).render()
    assert html.startswith("<!doctype html>")
    assert "<h1>" in html
