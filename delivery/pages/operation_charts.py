"""The charts of dashboards, from points of the roll-ups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from catalog import charts, wording
from delivery import diagnosis, overview
from delivery.pages.periods import PERIODS, Span
from governance.models import LedgerEntry
from governance.telling import told

AIM_PERCENT = 99  # of tries that arrive; drawn as a line
MOST_LINES = 3


def throughput(span: Span, *, publishes: bool = True) -> charts.Chart:
    """Draw how much came in and how much arrived; `publishes`: whether anything can come in."""
    delivered = [point.delivered for point in span.points]
    published = [point.published for point in span.points]
    return charts.Chart(
        title=_("Throughput"),
        note=_("events each %(step)s") % {"step": _step(span)},
        says=(
            _(
                "Published and delivered over %(period)s: %(published)s came in, %(delivered)s "
                "deliveries arrived, at most %(most)s each %(step)s."
            )
            if publishes
            else _(
                "%(delivered)s deliveries arrived over %(period)s, at most %(most)s each %(step)s."
            )
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
            *([charts.Line(label=_("Published"), values=published)] if publishes else []),
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
    errors = span.total.errors
    names = sorted(filter(errors.get, errors), key=lambda name: -errors[name])
    shown, rest = names[:MOST_LINES], names[MOST_LINES:]
    if rest:
        shown, rest = names[: MOST_LINES - 1], names[MOST_LINES - 1 :]
    lines = [
        charts.Line(
            label=str(diagnosis.name_of(name)),
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
        note=_("by kind"),
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


def backlog_over_time(span: Span) -> charts.Chart:
    """Draw how much waited."""
    most = max((point.backlog for point in span.points), default=0)
    return charts.Chart(
        title=_("Waiting over time"),
        note=_("deliveries, at most in each %(step)s") % {"step": _step(span)},
        says=_("At most %(n)s deliveries waited at one moment.") % {"n": wording.number(most)}
        if most
        else _("Nothing waited in this time."),
        times=span.times,
        lines=[
            charts.Line(
                label=_("Waiting"), values=[point.backlog for point in span.points], is_area=True
            )
        ],
    )


def age_over_time(span: Span) -> charts.Chart:
    """Draw how long the oldest of what waited had waited."""
    oldest = max((point.oldest_seconds for point in span.points), default=0)
    return charts.Chart(
        title=_("Age of the oldest waiting"),
        says=_("The oldest had waited %(age)s.") % {"age": wording.duration(oldest)}
        if oldest
        else _("Nothing waited in this time."),
        times=span.times,
        lines=[
            charts.Line(label=_("Oldest"), values=[point.oldest_seconds for point in span.points])
        ],
        unit="s",
    )


def endings(span: Span) -> charts.Chart:
    """Draw the tries that were not the first, and what ended dead."""
    return charts.Chart(
        title=_("Retries and dead letters"),
        note=_("each %(step)s") % {"step": _step(span)},
        says=_("%(retries)s tries were not the first, and %(dead)s deliveries ended dead.")
        % {
            "retries": wording.number(span.total.retries),
            "dead": wording.number(span.total.dead),
        },
        times=span.times,
        lines=[
            charts.Line(
                label=_("Retries"),
                values=[point.retries for point in span.points],
                latest=wording.number(span.total.retries),
            ),
            charts.Line(
                label=_("Dead letters"),
                values=[point.dead for point in span.points],
                latest=wording.number(span.total.dead),
            ),
        ],
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
