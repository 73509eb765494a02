"""Charts as numbers for server-rendered SVG: scales, paths and bars, no words but their labels.

A plot is 480 x 120 units and stretches; all text stands around it in HTML. Lines differ by dash as
well as by colour, bars and areas start at zero, and one chart holds at most three lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.utils.functional import Promise

from catalog import wording

WIDTH, HEIGHT = 480, 120
_MAX_TABLE_ROWS = 25  # every chart renders its table, opened or not

Text = str | Promise
T = TypeVar("T")
Values = Sequence[float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line or row of bars: a value for each of the chart's times, `None` where unknown.

    `latest` is the last value as the legend says it ("84 ms"); empty: the last known value.
    """

    label: Text
    values: Values
    latest: Text = ""
    is_area: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A horizontal line that the values should keep to, named in the legend."""

    label: Text
    value: float
    tone: str = "warn"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A vertical line at the time with this index: something changed then."""

    label: Text
    index: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """One question: `title` asks it, `says` answers it in a sentence for who cannot see the plot.

    `times` has one label for each value. `unit` follows the top tick; `s` picks ms, s, min or h by
    itself. `floor` cuts the axis (lines only). `kind` is `lines`, or `bars` of the first line.
    """

    title: Text
    says: Text
    times: Sequence[Text]
    lines: Sequence[Line]
    note: Text = ""
    unit: str = ""
    floor: float = 0
    ceiling: float | None = None
    kind: str = "lines"
    tone: str = ""
    limits: Sequence[Limit] = ()
    events: Sequence[Event] = ()
    is_half: bool = False
    has_numbers: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """A vertical axis: values from `low` to `high`, with `ticks` from the top down."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        """Return the height of a value in the plot, from the top, kept inside the plot."""
        part = (value - self.low) / (self.high - self.low)
        return round(HEIGHT * (1 - min(max(part, 0), 1)), 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One drawn line: `css` picks its colour and dash, `path` and `area` are SVG path data."""

    css: str
    path: str
    area: str
    label: Text
    latest: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """A chart with everything worked out, as `components/chart.html` prints it."""

    chart: Chart
    ticks: list[str]
    grid: list[float]
    shapes: list[Shape] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    limits: list[tuple[float, Limit]] = field(default_factory=list)
    events: list[tuple[float, Event]] = field(default_factory=list)
    times: list[Text] = field(default_factory=list)
    rows: list[tuple[Text, list[str]]] = field(default_factory=list)

    @property
    def names_each_bar(self) -> bool:
        """Tell whether each bar has its label, which then stands under it."""
        return self.chart.kind == "bars" and len(self.times) == len(self.chart.times)


def plot(chart: Chart) -> Plot:
    """Work out a chart; one without any value has an axis from 0 to 1 and no lines."""
    known = [value for line in chart.lines for value in line.values if value is not None]
    known += [limit.value for limit in chart.limits]
    high = chart.ceiling if chart.ceiling is not None else max(known, default=0)
    divisor, unit = _unit(chart.unit, high)
    axis = scale(chart.floor / divisor, high / divisor, steps=2 if chart.is_half else 4)
    scaled = [[None if v is None else v / divisor for v in line.values] for line in chart.lines]
    is_bars = chart.kind == "bars"
    return Plot(
        chart=chart,
        ticks=_tick_labels(axis, unit),
        grid=[axis.y(tick) for tick in axis.ticks],
        shapes=[
            _shape(line, values, axis, position, chart.unit)
            for position, (line, values) in enumerate(zip(chart.lines, scaled, strict=True), 1)
        ],
        bars=bars(scaled[0], axis) if is_bars and scaled else [],
        limits=[(axis.y(limit.value / divisor), limit) for limit in chart.limits],
        events=[(_x(event.index, len(chart.times), is_bars), event) for event in chart.events],
        times=spread(chart.times, 7),
        rows=_rows(chart.times, chart.lines, chart.unit) if chart.has_numbers else [],
    )


def scale(low: float, high: float, *, steps: int = 4) -> Scale:
    """Return an axis with round ticks (1, 2 or 5 times a power of ten), at most `steps` + 1."""
    span = high - low
    if span <= 0:
        return Scale(low=low, high=low + 1, ticks=(low + 1, low))
    step = _round_step(span / steps)
    count = max(1, math.ceil(span / step - 1e-6))  # not one more for a rounding error
    ticks = tuple(round(low + step * i, 10) for i in range(count, -1, -1))
    return Scale(low=low, high=ticks[0], ticks=ticks)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))


def path(values: Values, axis: Scale) -> str:
    """Return SVG path data; unknown values break the line, a lone value is a short dash."""
    pieces: list[str] = []
    pen_is_down = False
    for index, value in enumerate(values):
        if value is None:
            pen_is_down = False
            continue
        point = f"{_x(index, len(values))},{axis.y(value)}"
        pieces.append(f"L{point}" if pen_is_down else f"M{point}")
        if not pen_is_down and (index + 1 == len(values) or values[index + 1] is None):
            pieces.append("h4")
        pen_is_down = True
    return " ".join(pieces)


def bars(values: Values, axis: Scale) -> list[Bar]:
    """Return one bar for each known value, a fifth of each step left free."""
    step = WIDTH / max(len(values), 1)
    return [
        Bar(
            x=round(index * step, 2),
            y=axis.y(value),
            width=round(step * 0.8, 2),
            height=round(HEIGHT - axis.y(value), 1),
        )
        for index, value in enumerate(values)
        if value is not None
    ]


def spread(labels: Sequence[T], most: int) -> list[T]:
    """Return at most `most` labels at equal distances, the first and the last among them."""
    last = len(labels) - 1
    if last < most:
        return list(labels)
    gaps = next((gaps for gaps in range(most - 1, 2, -1) if last % gaps == 0), most - 1)
    return [labels[round(i * last / gaps)] for i in range(gaps + 1)]


def _x(index: int, count: int, is_bars: bool = False) -> float:
    if is_bars:
        return round(WIDTH * index / max(count, 1), 1)
    return round(WIDTH * index / max(count - 1, 1), 1)


def _shape(line: Line, values: Values, axis: Scale, position: int, unit: str) -> Shape:
    drawn = path(values, axis)
    known = [index for index, value in enumerate(values) if value is not None]
    area = _area(values, axis, known) if line.is_area and len(known) > 1 else ""
    latest = line.latest or (_figure(line.values[known[-1]], unit) if known else "")
    return Shape(css=f"l{min(position, 3)}", path=drawn, area=area, label=line.label, latest=latest)


def _area(values: Values, axis: Scale, known: list[int]) -> str:
    points = [f"{_x(i, len(values))},{axis.y(values[i] or 0)}" for i in known]
    first, last = _x(known[0], len(values)), _x(known[-1], len(values))
    return f"M{first},{HEIGHT} L{' L'.join(points)} L{last},{HEIGHT} Z"


def _unit(unit: str, high: float) -> tuple[float, str]:
    if unit != "s":
        return 1, unit
    for divisor, name, least in ((3600, "h", 7200), (60, "min", 120), (1, "s", 1)):
        if high >= least:
            return divisor, name
    return (0.001, "ms") if high else (1, "s")


def _tick_labels(axis: Scale, unit: str) -> list[str]:
    top, *rest = [wording.number(tick) for tick in axis.ticks]
    return [f"{top} {unit}".strip(), *rest]


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "s":
        return wording.duration(value)
    digits = 0 if abs(value) >= 100 else 2
    return f"{wording.number(round(float(value), digits))} {unit}".strip()


def _rows(times: Sequence[Text], lines: Sequence[Line], unit: str) -> list[tuple[Text, list[str]]]:
    indices = spread(range(len(times)), _MAX_TABLE_ROWS)
    return [(times[i], [_figure(line.values[i], unit) for line in lines]) for i in indices]
