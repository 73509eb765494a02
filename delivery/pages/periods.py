"""The time that a dashboard is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from delivery import series
from delivery.scopes import Scope
from delivery.series import Totals

PERIODS = {
    "1h": (timedelta(hours=1), gettext_lazy("1 h"), "H:i"),
    "24h": (timedelta(hours=24), gettext_lazy("24 h"), "H:i"),
    "7d": (timedelta(days=7), gettext_lazy("7 d"), "D H:i"),
    "30d": (timedelta(days=30), gettext_lazy("30 d"), "j M"),
}
FIRST = "24h"


@dataclass(frozen=True, kw_only=True)
class Span:
    """The time that the page is about: its points, their sum, and the same time before."""

    key: str
    length: timedelta
    points: Sequence[Totals]
    total: Totals
    before: Totals
    times: Sequence[str]


def span(asked: str, scope: Scope, *, now: datetime) -> Span:
    """Return the period of that key, or the first one; two queries."""
    key = asked if asked in PERIODS else FIRST
    length, _label, style = PERIODS[key]
    points = series.series(scope, since=now - length, until=now)
    total = Totals(at=points[0].at)
    for point in points:
        total.add(point)
    before = series.summary(scope, since=now - 2 * length, until=now - length)
    # The step that has just begun would draw a fall to nothing.
    whole = points[:-1] if len(points) > 1 else points
    times = [date_format(timezone.localtime(point.at), style) for point in whole]
    return Span(
        key=key,
        length=length,
        points=whole,
        total=total,
        before=before,
        times=[*times[:-1], _("now")],
    )
