"""The parts of a list as template tags: pages, sorting, facets, applied filters."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.core.paginator import Page
from django.http import HttpRequest
from django.utils.safestring import SafeString

from catalog.templatetags.ui_components import component

register = template.Library()


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
