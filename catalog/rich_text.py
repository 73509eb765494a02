"""Turn people's Markdown and machines' JSON into safe HTML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p"),
    *("pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_HEADING = re.compile(r"(</?)h([12])>")
# One JSON token: a string that is a key, a string, a number or word, or anything else.
_TOKEN = re.compile(
    r'(?P<k>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<s>"(?:[^"\\]|\\.)*")'
    r"|(?P<n>-?\b\d[\d.eE+-]*|\b(?:true|false|null)\b)|(?P<other>[^\"\d\w-]+|.)",
    re.DOTALL,
)


def markdown(text: str) -> SafeString:
    """Return cleaned HTML; raw HTML in the text is shown as text, headings start at level 3."""
    html = _HEADING.sub(lambda found: f"{found[1]}h{int(found[2]) + 2}>", _MARKDOWN.render(text))
    cleaned = nh3.clean(
        html, tags=_TAGS, link_rel="noopener nofollow", url_schemes={"http", "https", "mailto"}
    )
    # Wide code scrolls: the keyboard must reach it.
    reachable = cleaned.replace("<pre>", '<pre tabindex="0">')
    return mark_safe(reachable)  # noqa: S308 -- nh3 has just removed all but the listed tags


def pretty_json(value: object) -> str:
    """Return `value` as indented JSON; text that is JSON is parsed first, other text is kept."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def plain_json(value: object) -> str:
    """Return a value on one line: text as it is, all else as JSON writes it; none is empty."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def highlighted_json(text: str) -> SafeString:
    """Return JSON text as escaped HTML with spans: k for keys, s for strings, n for the rest."""
    return mark_safe("".join(_highlight(text)))  # noqa: S308 -- every piece is escaped below


def _highlight(text: str) -> Iterator[str]:
    for token in _TOKEN.finditer(text):
        kind, piece = token.lastgroup, escape(token.group())
        yield piece if kind == "other" else f'<span class="{kind}">{piece}</span>'
