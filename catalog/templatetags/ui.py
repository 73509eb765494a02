"""The portal's parts as template tags: marks, times, text, panels, forms and lists.

A template builtin: no `{% load %}` is needed. Small parts are made here, larger ones are templates
in `templates/components/`, each of which opens with what it takes. Charts are in `ui_charts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField, CheckboxInput, RadioSelect
from django.forms.widgets import CheckboxSelectMultiple, Widget
from django.http import HttpRequest
from django.template.loader import get_template
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from heroicons.templatetags.heroicons import heroicon_micro

from catalog import line_diff, rich_text, vocabulary, wording
from catalog.templatetags import ui_charts

register = template.Library()

_BETWEEN_TAGS = re.compile(r">\s+<")
register.tags.update(ui_charts.register.tags)

register.filter("count_of", wording.count_of)
register.filter("markdown", rich_text.markdown)
register.filter("pretty_json", rich_text.pretty_json)
register.simple_tag(wording.share)


def component(template_name: str, /, **context: object) -> SafeString:
    """Render `templates/components/<template_name>.html` with this context and nothing else."""
    return SafeString(get_template(f"components/{template_name}.html").render(context))


# Icons and marks


@lru_cache(maxsize=512)
def _icon(name: str, css: str) -> SafeString:
    attributes: dict[str, object] = {"class": f"icon {css}".strip(), "aria-hidden": "true"}
    drawn = heroicon_micro(name, size=16, **attributes)
    return mark_safe(_BETWEEN_TAGS.sub("><", drawn))  # noqa: S308 -- a drawing of a known name


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """Draw a heroicon (micro), hidden from screen readers: a word stands beside it."""
    return _icon(str(name), str(css))


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
    drawn = _icon(icon_name or vocabulary.TONE_ICONS[tone], "")
    return format_html('<span class="lamp" data-tone="{}">{}</span>', tone, drawn)


def _marked(css: str, mark: vocabulary.Mark) -> SafeString:
    return format_html(
        '<span class="{}" data-tone="{}">{}{}</span>',
        css,
        mark.tone,
        _icon(mark.icon, ""),
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
        _icon(icon_name, "") if icon_name else "",
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


# Frames around other content


@register.simple_block_tag
def panel(
    content: SafeString,
    title: str,
    *,
    count: int | None = None,
    note: str = "",
    href: str = "",
    link: str = "",
    tone: str = "",
    count_tone: str = "",
    id: str = "",
    body: bool = False,
    description: str = "",
) -> SafeString:
    """Frame a part of a page: `{% panel "Needs you" count=3 href=url link="All failures" %}`.

    `body=True` gives the content a padded stack; without it tables and lists meet the edges.
    """
    return component(
        "panel",
        content=content,
        title=title,
        count=count,
        count_tone=count_tone,
        note=note,
        href=href,
        link=link,
        tone=tone,
        id=id or slugify(title) or "panel",
        has_body=body,
        description=description,
    )


@register.simple_block_tag
def banner(
    content: SafeString, tone: str, title: str, icon_name: str = "", role: str = ""
) -> SafeString:
    """Say something about this page; `role="alert"` only where work would be lost."""
    mark = icon_name or vocabulary.TONE_ICONS[tone]
    return component("banner", content=content, tone=tone, title=title, icon_name=mark, role=role)


@register.simple_block_tag
def verdict(
    content: SafeString,
    tone: str,
    sentence: str,
    *,
    figures: Iterable[tuple[str, object]] = (),
    icon_name: str = "",
    label: str = "",
) -> SafeString:
    """Say the one sentence that a page exists for; `figures` are (label, value) pairs."""
    mark = icon_name or vocabulary.TONE_ICONS[tone]
    return component(
        "verdict",
        content=content,
        tone=tone,
        sentence=sentence,
        figures=figures,
        icon_name=mark,
        label=label,
    )


@register.simple_block_tag
def need(
    content: SafeString,
    tone: str,
    title: str,
    *,
    href: str = "",
    action: str = "",
    action_href: str = "",
    primary: bool = False,
    icon_name: str = "",
    id: str = "",
) -> SafeString:
    """One `<li>` of `<ol class="needs">`: lamp, sentence, what is known, one action."""
    mark = icon_name or vocabulary.TONE_ICONS[tone]
    return component(
        "need",
        content=content,
        tone=tone,
        title=title,
        href=href,
        action=action,
        action_href=action_href or href,
        primary=primary,
        icon_name=mark,
        id=id,
    )


@register.simple_block_tag
def scroll(content: SafeString, label: str) -> SafeString:
    """Let a wide table scroll sideways, by keyboard as well."""
    return format_html(
        '<div class="scroll" tabindex="0" role="group" aria-label="{}">{}</div>', label, content
    )


@register.simple_tag
def empty(
    title: str,
    text: str = "",
    *,
    action: str = "",
    href: str = "",
    tone: str = "idle",
    icon_name: str = "check",
) -> SafeString:
    """Say that there is nothing, what would appear here, and what one may do."""
    return component(
        "empty", title=title, text=text, action=action, href=href, tone=tone, icon_name=icon_name
    )


# Small parts of pages


@register.simple_tag
def crumbs(*steps: str) -> SafeString:
    """Say where we are: `{% crumbs "Catalog" url "Order placed" %}`; the last has no URL."""
    words, urls = steps[::2], (*steps[1::2], "")
    return component("crumbs", steps=list(zip(words, urls, strict=False)))


@register.simple_tag
def tabs(items: Iterable[Mapping[str, object]], label: str) -> SafeString:
    """Draw tabs as links; items have `label`, `url`, `is_current` and may have `count`, `tone`."""
    return component("tabs", items=items, label=label)


@register.simple_tag
def pairs(items: Iterable[tuple[str, object]]) -> SafeString:
    """Draw names and values; a pair with an empty value is left out."""
    return component("pairs", items=[(n, v) for n, v in items if v not in (None, "")])


@register.simple_tag
def steps(names: Sequence[str], current: int) -> SafeString:
    """Draw a wizard's steps, named by nouns; `current` counts from 1."""
    return component("steps", names=names, current=current)


@register.simple_tag
def timeline(entries: Iterable[object]) -> SafeString:
    """Draw what happened; `components/timeline.html` says what an entry has."""
    return component("timeline", entries=entries)


@register.simple_tag
def code(text: str, title: str = "", label: str = "") -> SafeString:
    """Show text that a machine would read, with its name and a copy button."""
    return component("code", text=text, title=title, label=label or title)


@register.simple_tag
def payload(value: object, title: str = "", label: str = "") -> SafeString:
    """Show JSON (a value, or text of it), indented and coloured, with a copy button."""
    text = rich_text.pretty_json(value)
    return component(
        "code", text=rich_text.highlighted_json(text), title=title, label=label or title
    )


@register.simple_tag
def diff(old: str, new: str, old_title: str = "", new_title: str = "") -> SafeString:
    """Compare two texts side by side; below 704 px one under the other."""
    rows = line_diff.side_by_side(old, new)
    return component("diff", rows=rows, old_title=old_title, new_title=new_title)


# Lists


@register.simple_tag(takes_context=True)
def pages(context: template.Context, page: Page[object], noun: str = "") -> SafeString:
    """Draw which rows of how many these are, with links that keep the rest of the query."""
    request: HttpRequest = context["request"]
    return component("pages", page=page, query=_without(request, "page"), noun=noun)


@register.simple_tag(takes_context=True)
def cursor_pages(context: template.Context, next_cursor: str, name: str = "after") -> SafeString:
    """Draw the way on through a list without a total, by a cursor in the query."""
    request: HttpRequest = context["request"]
    return component(
        "cursor_pages",
        next_cursor=next_cursor,
        name=name,
        query=_without(request, name),
        is_first=name not in request.GET,
    )


@register.simple_tag(takes_context=True)
def sort_head(context: template.Context, word: str, key: str, css: str = "") -> SafeString:
    """Draw a `<th>` that sorts by `?sort=key`, then by `-key`."""
    request: HttpRequest = context["request"]
    chosen = request.GET.get("sort", "")
    is_up, is_down = chosen == key, chosen == f"-{key}"
    query = _without(request, "page", "sort")
    return component(
        "sort_head", word=word, key=f"-{key}" if is_up else key, css=css, up=is_up, down=is_down,
        query=query,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def facet(
    context: template.Context, title: str, name: str, options: Iterable[tuple[object, ...]]
) -> SafeString:
    """Draw a group of check boxes; options are (value, label) or (value, label, count)."""
    chosen = set(context["request"].GET.getlist(name))
    rows = [(str(o[0]), o[1], o[2] if len(o) > 2 else None, str(o[0]) in chosen) for o in options]
    return component("facet", title=title, name=name, options=rows)


@register.simple_tag(takes_context=True)
def filter_chip(context: template.Context, word: str, name: str, value: str = "") -> SafeString:
    """Draw an applied filter with a link that takes this one value away."""
    query = context["request"].GET.copy()
    kept = [one for one in query.getlist(name) if value and one != str(value)]
    query.pop("page", None)
    query.setlist(name, kept) if kept else query.pop(name, None)
    return component("filter_chip", word=word, query=query.urlencode())


def _without(request: HttpRequest, *names: str) -> str:
    query = request.GET.copy()
    for name in names:
        query.pop(name, None)
    return query.urlencode()


# Forms


@register.simple_tag
def field(bound: BoundField, css: str = "") -> SafeString:
    """Draw a form's field: label above, help below, the error in place of the help."""
    widget = bound.field.widget
    kind = _kind(widget)
    note = f"{bound.auto_id}_note" if bound.errors or bound.help_text else ""
    attributes: dict[str, str | bool] = {}
    if kind == "input":
        attributes["class"] = f"input {widget.attrs.get('class', '')} {css}".strip()
    if note and kind != "choices":
        attributes["aria-describedby"] = note
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return component(
        f"field_{kind}", field=bound, control=bound.as_widget(attrs=attributes), note=note
    )


def _kind(widget: Widget) -> str:
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    return "input"


@register.simple_tag(name="form")
def form_tag(form: BaseForm) -> SafeString:
    """Draw a form's errors and all its fields; the `<form>` and its buttons stay with the page."""
    return component("form", form=form)


# Where things are


@register.simple_tag
def nav_url(name: str, *args: object) -> str:
    """Return a page's URL, or nothing while no page has this name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
