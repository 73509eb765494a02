"""What the operations page draws: six figures and the charts, from points of the roll-ups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import charts, wording
from delivery import overview, series
from delivery.series import Totals
from governance.models import LedgerEntry
from governance.telling import told

PERIODS = {
    "1h": (timedelta(hours=1), gettext_lazy("1 h"), "H:i"),
    "24h": (timedelta(hours=24), gettext_lazy("24 h"), "H:i"),
    "7d": (timedelta(days=7), gettext_lazy("7 d"), "D H:i"),
    "30d": (timedelta(days=30), gettext_lazy("30 d"), "j M"),
}
FIRST = "24h"
AIM_PERCENT = 99  # of tries that arrive; drawn as a line
MOST_LINES = 3
OLD_SECONDS = 600
MOST_PERCENT = 900  # beyond it a comparison says only that it has just begun
NONE = "\N{EN DASH}"

Figure = dict[str, str]
GOOD = {"tone": "good", "icon": "check"}
BAD = {"tone": "bad", "icon": "exclamation-triangle"}


@dataclass(frozen=True, kw_only=True)
class Span:
    """The time that the page is about: its points, their sum, and the same time before."""

    key: str
    length: timedelta
    points: Sequence[Totals]
    total: Totals
    before: Totals
    times: Sequence[str]


def span(asked: str, *, environment: str, topic: UUID | None, now: datetime) -> Span:
    """Return the period of that key, or the first one; two queries."""
    key = asked if asked in PERIODS else FIRST
    length, _label, style = PERIODS[key]
    points = series.series(environment=environment, topic=topic, since=now - length, until=now)
    total = Totals(at=points[0].at)
    for point in points:
        total.add(point)
    before = series.summary(
        environment=environment, topic=topic, since=now - 2 * length, until=now - length
    )
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


# The six figures


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


# The charts


def throughput(span: Span) -> charts.Chart:
    """Draw how much came in and how much arrived."""
    delivered = [point.delivered for point in span.points]
    published = [point.published for point in span.points]
    return charts.Chart(
        title=_("Throughput"),
        note=_("events each %(step)s") % {"step": _step(span)},
        says=_(
            "Published and delivered over %(period)s: %(published)s came in, %(delivered)s "
            "deliveries arrived, at most %(most)s each %(step)s."
        )
        % {
            "period": PERIODS[span.key][1],
            "published": wording.number(span.total.published),
            "delivered": wording.number(span.total.delivered),
            "most": wording.number(max(delivered, default=0)),
            "step": _step(span),
        },
        times=span.times,
        lines=[
            charts.Line(label=_("Delivered"), values=delivered, is_area=True),
            charts.Line(label=_("Published"), values=published),
        ],
    )


def success(span: Span) -> charts.Chart:
    """Draw which share of tries arrived."""
    shares = [_as_percent(point.success_share) for point in span.points]
    known = [share for share in shares if share is not None]
    lowest = min(known, default=100.0)
    return charts.Chart(
        title=_("Success"),
        note=_("per cent of tries"),
        says=_("Share of tries that arrived: between %(low)s and %(high)s per cent.")
        % {"low": wording.number(round(lowest, 1)), "high": wording.number(max(known, default=0))}
        if known
        else _("Nothing was tried in this time."),
        times=span.times,
        lines=[charts.Line(label=_("Success"), values=shares)],
        unit="%",
        floor=_floor(lowest),
        ceiling=100,
        limits=[
            charts.Limit(
                label=_("Aim, %(n)s %%") % {"n": AIM_PERCENT}, value=AIM_PERCENT, tone="bad"
            )
        ],
    )


def _floor(lowest: float) -> float:
    """Return where the axis begins: near 100, so that what is wrong can be seen."""
    return next((low for low in (96, 90, 80, 60) if lowest >= low), 0)


def errors(span: Span) -> charts.Chart:
    """Draw which kinds of failure there were; the rare ones together."""
    names = sorted(span.total.errors, key=lambda name: -span.total.errors[name])
    shown, rest = names[:MOST_LINES], names[MOST_LINES:]
    if rest:
        shown, rest = names[: MOST_LINES - 1], names[MOST_LINES - 1 :]
    lines = [
        charts.Line(
            label=_short(name),
            values=[point.errors.get(name, 0) for point in span.points],
            latest=wording.number(span.total.errors[name]),
        )
        for name in shown
    ]
    if rest:
        lines.append(
            charts.Line(
                label=_("Other"),
                values=[sum(point.errors.get(name, 0) for name in rest) for point in span.points],
                latest=wording.number(sum(span.total.errors[name] for name in rest)),
            )
        )
    return charts.Chart(
        title=_("Failed tries"),
        note=_("by kind") if len(names) != 1 else _short(names[0]),
        says=_("%(n)s tries failed in this time.")
        % {"n": wording.number(span.total.failed_attempts)},
        times=span.times,
        lines=lines or [charts.Line(label=_("Failed"), values=[0] * len(span.points))],
    )


def latency(span: Span) -> charts.Chart:
    """Draw how long events took to arrive."""

    def seconds(name: str) -> list[float | None]:
        values = [getattr(point, name) for point in span.points]
        return [None if value is None else value / 1000 for value in values]

    def overall(value: float | None) -> str:
        return "" if value is None else wording.duration(value / 1000)

    total = span.total
    return charts.Chart(
        title=_("Time to arrive"),
        note=_("from accepted to answered"),
        says=_("Half arrived within %(p50)s, 95 of 100 within %(p95)s, 99 of 100 within %(p99)s.")
        % {
            "p50": overall(total.p50_ms),
            "p95": overall(total.p95_ms),
            "p99": overall(total.p99_ms),
        }
        if total.delivered
        else _("Nothing arrived in this time."),
        times=span.times,
        lines=[
            charts.Line(label="p50", values=seconds("p50_ms"), latest=overall(total.p50_ms)),
            charts.Line(label="p95", values=seconds("p95_ms"), latest=overall(total.p95_ms)),
            charts.Line(label="p99", values=seconds("p99_ms"), latest=overall(total.p99_ms)),
        ],
        unit="s",
    )


def backlog(waiting: overview.Waiting) -> charts.Chart:
    """Draw how old is what waits now."""
    bounds = [wording.duration(age.total_seconds()) for age in overview.AGES]
    times = [_("under %(age)s") % {"age": bounds[0]}]
    times += [_("to %(age)s") % {"age": age} for age in bounds[1:]]
    times.append(_("older"))
    return charts.Chart(
        title=_("Backlog"),
        note=_("what waits now, by its age"),
        says=_("%(n)s deliveries wait, %(old)s of them for more than %(age)s.")
        % {
            "n": wording.number(waiting.count),
            "old": wording.number(waiting.by_age[-1]),
            "age": bounds[-1],
        },
        times=times,
        lines=[charts.Line(label=_("Waiting"), values=waiting.by_age)],
        kind="bars",
        tone="bad" if waiting.by_age[-1] else "",
    )


def failed_tries(
    per_hour: Sequence[int], changes: Sequence[LedgerEntry], *, now: datetime
) -> charts.Chart:
    """Draw the failed tries of a subscription's last day, with a line where something changed."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=len(per_hour) - 1)
    hours = [start + timedelta(hours=number) for number in range(len(per_hour))]
    marks = [
        charts.Event(
            label=f"{told(entry.action)}, {wording.clock(entry.at, now=now)}",
            index=int((entry.at - start).total_seconds() // 3600),
        )
        for entry in changes
        if entry.at >= start
    ]
    return charts.Chart(
        title=_("Failed tries per hour"),
        says=_("%(n)s tries failed in 24 hours, %(last)s of them in this hour.")
        % {"n": wording.number(sum(per_hour)), "last": wording.number(per_hour[-1])},
        times=[date_format(timezone.localtime(hour), "H:i") for hour in hours[:-1]] + [_("now")],
        lines=[charts.Line(label=_("Failed"), values=per_hour)],
        kind="bars",
        tone="bad",
        is_half=True,
        events=marks[:1],
    )


def _step(span: Span) -> str:
    first, second = span.points[0].at, span.points[min(1, len(span.points) - 1)].at
    return wording.duration((second - first).total_seconds() or span.length.total_seconds())


def _as_percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


_SHORT = {
    "http_status": gettext_lazy("Error answers"),
    "dns": gettext_lazy("Name not found"),
    "redirect": gettext_lazy("Redirects"),
    "refused": gettext_lazy("Refused"),
    "read_timeout": gettext_lazy("No answer in time"),
    "connect_timeout": gettext_lazy("No connection in time"),
}


def _short(error_class: str) -> str:
    return str(_SHORT.get(error_class, error_class.replace("_", " ").capitalize()))
