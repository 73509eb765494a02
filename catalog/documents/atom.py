"""A feed of changes as Atom (RFC 4287). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

NAMESPACE = "http://www.w3.org/2005/Atom"
CONTENT_TYPE = "application/atom+xml; charset=utf-8"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One change: `id` is a URI that never changes, `url` leads to its page."""

    id: str
    title: str
    summary: str
    url: str
    author: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """Changes of one thing, newest first; `url` is the feed's own."""

    id: str
    title: str
    url: str
    page_url: str
    updated: datetime
    entries: Sequence[Entry]


def atom(feed: Feed) -> bytes:
    """Return the feed as UTF-8 XML."""
    root = ET.Element("feed", {"xmlns": NAMESPACE})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "updated", _instant(feed.updated))
    ET.SubElement(root, "link", {"rel": "self", "href": feed.url})
    ET.SubElement(root, "link", {"rel": "alternate", "href": feed.page_url})
    _text(root, "generator", "Signalbox")
    for entry in feed.entries:
        node = ET.SubElement(root, "entry")
        _text(node, "id", entry.id)
        _text(node, "title", entry.title)
        _text(node, "updated", _instant(entry.at))
        ET.SubElement(node, "link", {"rel": "alternate", "href": entry.url})
        _text(ET.SubElement(node, "author"), "name", entry.author)
        _text(node, "summary", entry.summary)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _text(parent: ET.Element, name: str, text: str) -> None:
    # XML 1.0 has no form for control characters (section 2.2), and one would spoil the whole feed.
    ET.SubElement(parent, name).text = "".join(
        char for char in text if char in "\t\n\r" or ord(char) >= 32
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
