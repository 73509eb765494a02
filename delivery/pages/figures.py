"""The figures at the head of a dashboard: what went through, and what stands now."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog import wording
from delivery import overview
from delivery.pages.periods import PERIODS, Span

OLD_SECONDS = 600
MOST_PERCENT = 900  # beyond it a comparison says only that it has just begun
NONE = "\N{EN DASH}"

Figure = dict[str, str]
GOOD = {"tone": "good", "icon": "check"}
BAD = {"tone": "bad", "icon": "exclamation-triangle"}


def flow(span: Span) -> list[Figure]:
    """Return three figures of what went through, each compared with the same time before."""
    total, before = span.total, span.before
    first, first_before = total.first_try_share, before.first_try_share
    p95 = total.p95_ms
    return [
        {
            "name": _("Delivered"),
            "figure": wording.number(total.delivered),
            "unit": _("in %(period)s") % {"period": PERIODS[span.key][1]},
            **_change(total.delivered, before.delivered),
        },
        {
            "name": _("First-try success"),
            "figure": NONE if first is None else wording.number(round(100 * first, 1)),
            "unit": "%" if first is not None else "",
            **_points(first, first_before),
        },
        {
            "name": _("Time to arrive, p95"),
            "figure": NONE if p95 is None else wording.duration(p95 / 1000),
            "delta": _("half within %(time)s") % {"time": wording.duration(total.p50_ms / 1000)}
            if total.p50_ms is not None
            else "",
        },
    ]


def _change(value: int, before: int) -> dict[str, str]:
    """Say how a count differs from the time before; nothing where there was nothing."""
    if not before:
        return {}
    percent = round(100 * (value - before) / before)
    if percent > MOST_PERCENT:
        return {}
    if not percent:
        return {"delta": _("as before")}
    return {
        "delta": (_("%(n)s %% more than before") if percent > 0 else _("%(n)s %% less than before"))
        % {"n": wording.number(abs(percent))},
        "icon": "arrow-up-right" if percent > 0 else "arrow-down-right",
    }


def _points(share: float | None, before: float | None) -> dict[str, str]:
    if share is None or before is None:
        return {}
    points = round(100 * (share - before), 1)
    if not points:
        return {"delta": _("as before")}
    return {
        "delta": (_("%(n)s points better") if points > 0 else _("%(n)s points worse"))
        % {"n": wording.number(abs(points))},
        "icon": "arrow-up-right" if points > 0 else "arrow-down-right",
        "tone": "good" if points > 0 else "warn",
    }


def standing(waiting: overview.Waiting, dead: overview.Dead, now: datetime) -> list[Figure]:
    """Return three figures of what stands now: waiting, its oldest, dead letters."""
    oldest = (now - waiting.oldest_at).total_seconds() if waiting.oldest_at else None
    is_old = oldest is not None and oldest > OLD_SECONDS
    return [
        {
            "name": _("Waiting"),
            "figure": wording.number(waiting.count),
            "unit": _("deliveries"),
            "delta": _("none is lost") if waiting.count else _("everything is out"),
            **({} if waiting.count else GOOD),
        },
        {
            "name": _("Oldest waiting"),
            "figure": wording.duration(oldest) if oldest is not None else NONE,
            "delta": waiting.oldest_for.name if waiting.oldest_for else "",
            **(BAD if is_old else {}),
        },
        {
            "name": _("Dead letters"),
            "figure": wording.number(dead.letters),
            "unit": _("of %(causes)s") % {"causes": wording.count_of(dead.groups, _("cause"))}
            if dead.groups
            else "",
            "delta": _("need somebody") if dead.letters else _("nothing to mend"),
            "url": reverse("delivery:failure-list"),
            **(BAD if dead.letters else GOOD),
        },
    ]
