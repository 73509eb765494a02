"""Charts, sparks and bars as template tags; `catalog.charts` does the arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from catalog import charts
from catalog.templatetags.ui_components import component

register = template.Library()


@register.simple_tag
def chart(chart: charts.Chart) -> SafeString:
    """Draw a `catalog.charts.Chart` with its legend and its numbers."""
    return component("chart", plot=charts.plot(chart))


@register.simple_tag
def spark(values: Sequence[float], label: str, tone: str = "") -> SafeString:
    """Draw activity as small bars; `label` says the conclusion ("rising to 4,210 today")."""
    highest = max(values, default=0) or 1
    step = 120 / max(len(values), 1)
    css = "tone" if tone else ""
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
        (
            (css, *_short(i * step, 24 - height, step * 0.84, height))
            for i, height in enumerate(24 * value / highest for value in values)
        ),
    )
    return _svg("spark", "0 0 120 24", label, bars, tone)


@register.simple_tag
def strip(outcomes: Iterable[str], label: str) -> SafeString:
    """Draw one mark an hour: `ok`, `some` (failed), `no` (all failed) or `nil` (nothing)."""
    marks = list(outcomes)
    step = 120 / max(len(marks), 1)
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" width="{}" height="16"/>',
        ((mark, *_short(i * step, step * 0.8)) for i, mark in enumerate(marks)),
    )
    return _svg("strip", "0 0 120 16", label, bars, "")


@register.simple_tag
def share_bar(percent: float, tone: str = "idle") -> SafeString:
    """Draw a part of a whole, 0 to 100; the figure must stand beside it."""
    return format_html(
        '<svg class="bar-share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"'
        ' data-tone="{}"><rect width="{}" height="4"/></svg>',
        tone,
        f"{min(max(percent, 0), 100):.1f}",
    )


@register.simple_tag
def progress(value: float, most: float, label: str, tone: str = "") -> SafeString:
    """Draw how far a counted work has come; `label` says it in words."""
    return format_html(
        '<progress class="progress" max="{}" value="{}" aria-label="{}"{}></progress>',
        most or 1,
        value,
        label,
        format_html(' data-tone="{}"', tone) if tone else "",
    )


@register.simple_tag
def stats(figures: Iterable[object], label: str) -> SafeString:
    """Draw up to six figures; `components/stats.html` says what a figure has."""
    return component("stats", figures=figures, label=label)


def _short(*numbers: float) -> tuple[str, ...]:
    return tuple(f"{one:.1f}" for one in numbers)


def _svg(css: str, box: str, label: str, bars: SafeString, tone: str) -> SafeString:
    return format_html(
        '<svg class="{}" viewBox="{}" preserveAspectRatio="none" role="img" aria-label="{}"{}>{}'
        "</svg>",
        css,
        box,
        label,
        format_html(' data-tone="{}"', tone) if tone else "",
        bars,
    )
