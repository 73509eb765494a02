"""The playbook: short pages for each role, written in Markdown templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.template.loader import select_template
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.requests import PortalRequest
from catalog.rich_text import markdown


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """A page of the playbook; its text is `templates/governance/help/<slug>.md`."""

    slug: str
    title: str | Promise
    text: str | Promise
    icon: str


TOPICS: tuple[tuple[str | Promise, tuple[Topic, ...]], ...] = (
    (
        _("Connect"),
        (
            Topic(
                slug="receive",
                title=_("Receive an event in a flow"),
                text=_("n8n, Zapier, Make, Power Automate and Node-RED, click by click."),
                icon="link",
            ),
            Topic(
                slug="publish",
                title=_("Publish an event"),
                text=_("Permission, a key, one request, and what each answer means."),
                icon="paper-airplane",
            ),
            Topic(
                slug="verify",
                title=_("Verify a signature"),
                text=_("Know that an event came from here, in Python and JavaScript."),
                icon="shield-check",
            ),
        ),
    ),
    (
        _("Govern"),
        (
            Topic(
                slug="propose",
                title=_("Propose a change"),
                text=_("A new event, a new field, a version that ends."),
                icon="pencil-square",
            ),
            Topic(
                slug="review",
                title=_("Review a change"),
                text=_("What changes, whom it breaks, what real traffic says."),
                icon="eye",
            ),
            Topic(
                slug="access",
                title=_("Grant and revoke"),
                text=_("Who may publish or subscribe to what, until when and why."),
                icon="key",
            ),
        ),
    ),
    (
        _("Run"),
        (
            Topic(
                slug="mend",
                title=_("Mend and replay"),
                text=_("From a failure to its cause, and to everything arrived."),
                icon="arrow-uturn-left",
            ),
            Topic(
                slug="run",
                title=_("Keep it running"),
                text=_("What to watch, what may fail, and what to back up."),
                icon="chart-bar",
            ),
            Topic(
                slug="words",
                title=_("The words"),
                text=_("What each word means, on every page and in the API."),
                icon="book-open",
            ),
        ),
    ),
)
_PAGES = {topic.slug: topic for _title, topics in TOPICS for topic in topics}
# Words of the texts -> pages of the portal.
_LINKS = {
    "catalog": "catalog:event-type-list",
    "applications": "catalog:application-list",
    "changes": "governance:change-request-list",
    "rules": "delivery:rule-list",
    "rules_of_the_house": "governance:house-rules",
    "ledger": "governance:ledger",
    "verify": "governance:ledger-verify",
    "access": "governance:access",
    "requests": "governance:access-request-list",
    "failures": "delivery:failure-list",
    "search": "delivery:event-list",
    "choices": "delivery:notification-choices",
    "admin": "admin:index",
}
_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)
_IN_CODE = re.compile(r"```.*?```", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of a page, under its own heading."""

    title: str
    anchor: str
    html: SafeString


@login_required
def help_index(request: PortalRequest) -> HttpResponse:
    """List the pages of the playbook."""
    return render(request, "governance/help.html", {"groups": TOPICS})


@login_required
def help_page(request: PortalRequest, slug: str) -> HttpResponse:
    """Show one page of the playbook."""
    topic = _PAGES.get(slug)
    if topic is None:
        raise Http404
    begin, *rest = _parts(_text(slug))
    context = {
        "topic": topic,
        "lede": markdown(begin[1]),
        "sections": [
            Section(title=title, anchor=slugify(title), html=markdown(text)) for title, text in rest
        ],
        "groups": TOPICS,
    }
    return render(request, "governance/help_page.html", context)


def _text(slug: str) -> str:
    """Return the page's Markdown, in the reader's language where somebody wrote it."""
    language = get_language() or settings.LANGUAGE_CODE
    names = [f"governance/help/{language}/{slug}.md", f"governance/help/{slug}.md"]
    words = {name: _url(page) for name, page in _LINKS.items()}
    # Expressions of n8n are written with the braces of templates.
    words |= {"url": str(settings.PUBLIC_URL), "open": mark_safe("{{"), "close": mark_safe("}}")}
    return str(select_template(names).render(words))


def _url(page: str) -> str:
    try:
        return reverse(page)
    except NoReverseMatch:
        return "#"


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield (heading, text): first what stands before every heading; `#` in code is none."""
    hidden = _IN_CODE.sub(lambda found: "." * len(found[0]), text)
    starts = list(_HEADING.finditer(hidden))
    ends = [found.start() for found in starts] + [len(text)]
    yield "", text[: ends[0]]
    for found, end in zip(starts, ends[1:], strict=True):
        yield text[found.start(1) : found.end(1)], text[found.end() : end]
