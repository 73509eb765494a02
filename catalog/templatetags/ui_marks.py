"""Icons, marks of states, and times as template tags."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from heroicons.templatetags.heroicons import heroicon_micro

from catalog import vocabulary, wording

register = template.Library()

register.filter("count_of", wording.count_of)
register.simple_tag(wording.share)

_BETWEEN_TAGS = re.compile(r">\s+<")


@lru_cache(maxsize=512)
def draw(name: str, css: str) -> SafeString:
    attributes: dict[str, object] = {"class": f"icon {css}".strip(), "aria-hidden": "true"}
    drawn = heroicon_micro(name, size=16, **attributes)
    return mark_safe(_BETWEEN_TAGS.sub("><", drawn))  # noqa: S308 -- a drawing of a known name


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw a heroicon (micro), hidden from screen readers: a word stands beside it."""
    return draw(str(name), str(css))


@register.simple_tag
def status(thing: str, state: str, word: str = "", detail: str = "") -> SafeString:
    """Say a state in text and tables: `{% status "delivery" delivery.status %}`."""
    return _marked("status", vocabulary.mark(thing, state, word=word, detail=detail))


@register.simple_tag
def badge(thing: str, state: str, word: str = "", detail: str = "") -> SafeString:
    """Say a state beside a title: `{% badge "grant" "ending" word="6 days left" %}`."""
    return _marked("badge", vocabulary.mark(thing, state, word=word, detail=detail))


@register.simple_tag
def lamp(thing: str, state: str) -> SafeString:
    """Mark a sentence of a list with a state; the sentence says it in words."""
    found = vocabulary.mark(thing, state)
    return tone_lamp(found.tone, found.icon)


@register.simple_tag
def tone_status(tone: str, icon_name: str, word: str) -> SafeString:
    """Say what is no state of the vocabulary: `{% tone_status "good" "check" "Always" %}`."""
    return _marked("status", vocabulary.Mark(word=word, icon=icon_name, tone=tone))


@register.simple_tag
def tone_badge(tone: str, icon_name: str, word: str) -> SafeString:
    """The same with a ground, beside a title."""
    return _marked("badge", vocabulary.Mark(word=word, icon=icon_name, tone=tone))


@register.simple_tag
def tone_lamp(tone: str, icon_name: str = "") -> SafeString:
    """The same as a round mark before a sentence; without an icon the tone's own."""
    drawn = draw(icon_name or vocabulary.TONE_ICONS[tone], "")
    return format_html('<span class="lamp" data-tone="{}">{}</span>', tone, drawn)


def _marked(css: str, mark: vocabulary.Mark) -> SafeString:
    return format_html(
        '<span class="{}" data-tone="{}">{}{}</span>',
        css,
        mark.tone,
        draw(mark.icon, ""),
        mark.word,
    )


@register.simple_tag
def mark_of(mark: vocabulary.Mark, css: str = "status") -> SafeString:
    """Show a mark that the page worked out itself; `css` is status or badge."""
    return _marked(css, mark)


@register.simple_tag
def chip(word: str, icon_name: str = "", tone: str = "", css: str = "") -> SafeString:
    """Draw a small label; `css="code"` for names that a machine would recognise."""
    return format_html(
        '<span class="chip {}"{}>{}{}</span>',
        css,
        format_html(' data-tone="{}"', tone) if tone else "",
        draw(icon_name, "") if icon_name else "",
        word,
    )


@register.simple_tag
def count(value: int, tone: str = "") -> SafeString:
    """Draw a count in a pill."""
    attribute = format_html(' data-tone="{}"', tone) if tone else ""
    return format_html('<span class="count"{}>{}</span>', attribute, wording.number(value))


@register.simple_tag
def avatar(person: object, css: str = "") -> SafeString:
    """Draw a person's initials; the name must stand beside it."""
    return format_html(
        '<span class="avatar {}" aria-hidden="true">{}</span>', css, initials(str(person))
    )


@register.filter
def initials(name: str) -> str:
    """Return one or two capitals: the first and the last word's."""
    words = [word for word in str(name).replace(".", " ").replace("@", " ").split() if word]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


# Times


@register.simple_tag
def when(
    instant: datetime | date | None, style: str = "", empty: str = "", now: datetime | None = None
) -> SafeString | str:
    """Say an instant in the viewer's zone, the exact one in the tool tip.

    `style` is empty (relative up to a day, then a date), `clock` (Today 11:18), `exact` (with
    seconds) or `date` (18 Nov 2026). A plain date is always a date. Nothing says `empty`.
    """
    if not instant:
        return empty
    if not isinstance(instant, datetime):
        return format_html('<time datetime="{}">{}</time>', instant, wording.calendar_day(instant))
    now = now or timezone.now()
    if style == "date":
        said = wording.calendar_day(instant)
    elif style in {"clock", "exact"}:
        said = wording.clock(instant, now=now, with_seconds=style == "exact")
    else:
        said = wording.relative(instant, now=now)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', instant.isoformat(), wording.full(instant), said
    )


@register.filter
def duration(seconds: float | None) -> str:
    """Say a length of time; None says nothing."""
    return "" if seconds is None else wording.duration(seconds)


@register.filter
def number(value: float | None) -> str:
    """Say a figure with grouped thousands; None says nothing."""
    return "" if value is None else wording.number(value)


@register.simple_tag(name="duration")
def duration_tag(seconds: float | None, empty: str = "") -> str:
    """Say a length of time; None says `empty`."""
    return empty if seconds is None else wording.duration(seconds)
