"""The portal's parts as template tags; the library is a builtin: it needs no `{% load %}`.

Here are frames around content, small parts of pages and forms; larger ones are templates in
`templates/components/`, each of which opens with what it takes. Marks and times are in `ui_marks`,
the parts of lists in `ui_lists`, charts in `ui_charts`: all of them come with this library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, RadioSelect
from django.forms.widgets import CheckboxSelectMultiple, MultiWidget, Widget
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify

from catalog import form_sections, line_diff, refusing, rich_text, vocabulary
from catalog.templatetags import ui_charts, ui_lists, ui_marks
from catalog.templatetags.ui_components import component
from catalog.templatetags.ui_marks import tone_lamp

__all__ = ["component", "register", "tone_lamp"]  # what the libraries of higher apps build on

register = template.Library()
for part in (ui_charts, ui_lists, ui_marks):
    register.tags.update(part.register.tags)
    register.filters.update(part.register.filters)

register.filter("markdown", rich_text.markdown)
register.filter("pretty_json", rich_text.pretty_json)
register.filter("plain_json", rich_text.plain_json)


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
    live: int = 0,
) -> SafeString:
    """Frame a part of a page: `{% panel "Needs you" count=3 href=url link="All failures" %}`.

    `body=True` gives the content a padded stack; without it tables and lists meet the edges. It
    refreshes itself every `live` seconds; give such a one an `id` of its own.
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
        live=live,
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


@register.simple_tag(takes_context=True)
def kept_words(context: template.Context) -> SafeString:
    """Show what somebody wrote in the form that this page refuses; nothing where they did not."""
    request = context.get("request")
    return component("kept_words", words=refusing.words_of(request) if request else "")


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
    if note and kind not in ("choices", "group"):
        attributes["aria-describedby"] = note
    if bound.errors:
        attributes["aria-invalid"] = "true"
    # Some are asked for only by what is done with the form: a draft can be checked without them.
    is_optional = not bound.field.required and widget.attrs.get("aria-required") != "true"
    return component(
        f"field_{kind}",
        field=bound,
        control=bound.as_widget(attrs=attributes),
        note=note,
        is_optional=is_optional,
    )


def _kind(widget: Widget) -> str:
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, MultiWidget):
        return "group"
    return "input"


@register.simple_tag(name="form")
def form_tag(form: BaseForm) -> SafeString:
    """Draw a form's errors and all its fields; the `<form>` and its buttons stay with the page."""
    return component("form", form=form, sections=form_sections.of(form))


@register.simple_tag
def form_part(form: BaseForm, names: Sequence[str]) -> SafeString:
    """Draw the named fields of a form, in its sections; a wizard shows a form step by step."""
    return component("form_sections", sections=form_sections.of(form, names))


# Where things are


@register.simple_tag
def nav_url(name: str, *args: object) -> str:
    """Return a page's URL, or nothing while no page has this name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
