"""The playbook: every page reads, links lead somewhere, and its code does what it says."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from governance.pages import help
from tests import factories
from tests.brokers import program

pytestmark = pytest.mark.django_db
SLUGS = [topic.slug for _title, topics in help.TOPICS for topic in topics]
TEXTS = Path(settings.BASE_DIR) / "templates" / "governance" / "help"
_LINK = re.compile(r'href="(/[^"#?]*)')


@pytest.fixture
def reader() -> Client:
    client = Client()
    client.force_login(factories.make_person())
    return client


def code_of(slug: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", (TEXTS / f"{slug}.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_help_is_for_people_who_are_signed_in() -> None:
    for page in (reverse("governance:help"), reverse("governance:help-page", args=["mend"])):
        assert Client().get(page).status_code == 302


def test_index_leads_to_every_page(reader: Client) -> None:
    index = reader.get(reverse("governance:help")).content.decode()
    for slug in SLUGS:
        assert reverse("governance:help-page", args=[slug]) in index


@pytest.mark.parametrize("slug", SLUGS)
def test_page_reads_and_its_links_lead_somewhere(reader: Client, slug: str) -> None:
    answer = reader.get(reverse("governance:help-page", args=[slug]))
    assert answer.status_code == 200
    assert answer.context["sections"]
    prose = "".join(part.html for part in answer.context["sections"]) + answer.context["lede"]
    for link in _LINK.findall(prose):
        try:
            resolve(link)
        except Resolver404:
            pytest.fail(f"{slug}: {link} leads nowhere")
    assert 'href="#"' not in prose
    assert "{%" not in prose


def test_page_that_nobody_wrote_is_not_found(reader: Client) -> None:
    assert reader.get(reverse("governance:help-page", args=["nonsense"])).status_code == 404


def test_every_text_has_its_page() -> None:
    assert {path.stem for path in TEXTS.glob("*.md")} == set(SLUGS)


def signed() -> tuple[str, dict[str, str], bytes]:
    from delivery import signing  # noqa: PLC0415 - what the text is about

    secret, stamp, body = signing.new_secret(), int(time.time()), b'{"order_id": "A-1"}'
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signing.sign([signing.new_secret(), secret], "msg_1", stamp, body),
    }
    return secret, headers, body


def test_python_of_the_text_verifies_what_we_sign_and_nothing_else() -> None:
    scope: dict[str, object] = {}
    exec(code_of("verify", "python"), scope)
    is_ours = scope["is_ours"]
    assert callable(is_ours)
    secret, headers, body = signed()
    assert is_ours(secret, headers, body)
    assert not is_ours(secret, headers, body + b" ")
    assert not is_ours(secret, {**headers, "webhook-timestamp": "1"}, body)


def test_javascript_of_the_text_verifies_what_we_sign_and_nothing_else() -> None:
    node = program("node")
    secret, headers, body = signed()
    script = code_of("verify", "javascript") + (
        f"const given = {json.dumps([secret, headers, body.decode()])};"
        "console.log(isOurs(...given), isOurs(given[0], given[1], given[2] + ' '));"
    )
    said = subprocess.run(
        [node, "-e", script], capture_output=True, text=True, timeout=20, check=True
    )
    assert said.stdout.strip() == "true false"
