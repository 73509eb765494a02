"""Charts are right about their scale, their gaps and their edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import charts


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 380, (400, 300, 200, 100, 0)),
        (0, 1.6, (2, 1.5, 1, 0.5, 0)),
        (96, 100, (100, 99, 98, 97, 96)),
        (0, 3, (3, 2, 1, 0)),
        (0, 0, (1, 0)),  # nothing measured yet
    ],
)
def test_scale_has_round_ticks(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert charts.scale(low, high).ticks == pytest.approx(ticks)


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_scale_holds_its_highest_value_with_at_most_five_lines(high: float) -> None:
    axis = charts.scale(0, high)
    assert axis.high >= high * 0.999
    assert 2 <= len(axis.ticks) <= 5


def test_unknown_values_break_a_line_and_a_lone_one_is_a_dash() -> None:
    axis = charts.scale(0, 100)
    assert charts.path([0, 100, None, 100, None], axis) == "M0.0,120.0 L120.0,0.0 M360.0,0.0 h4"


def test_bars_start_at_zero_and_skip_the_unknown() -> None:
    drawn = charts.bars([50, None, 100], charts.scale(0, 100))
    assert [(bar.x, bar.y, bar.height) for bar in drawn] == [(0, 60, 60), (320, 0, 120)]


def test_seconds_choose_their_own_unit() -> None:
    def ticks(*values: float) -> list[str]:
        line = charts.Line(label="p95", values=values)
        chart = charts.Chart(title="t", says="s", times=["a", "now"], lines=[line], unit="s")
        return charts.plot(chart).ticks

    assert ticks(0.1, 0.4)[0] == "400 ms"
    assert ticks(1, 2)[0] == "2 s"
    assert ticks(60, 600)[0] == "10 min"
    assert ticks(0, 14_400)[0] == "4 h"


def test_legend_and_numbers_say_lengths_of_time_in_words() -> None:
    line = charts.Line(label="p50", values=[0.084, None, 2.1])
    plot = charts.plot(
        charts.Chart(title="t", says="s", times=["15:00", "16:00", "now"], lines=[line], unit="s")
    )
    assert plot.shapes[0].latest == "2.1 s"
    assert plot.rows == [("15:00", ["84 ms"]), ("16:00", [""]), ("now", ["2.1 s"])]


def test_chart_without_a_value_is_empty_not_broken() -> None:
    line = charts.Line(label="Delivered", values=[None, None])
    plot = charts.plot(charts.Chart(title="t", says="s", times=["a", "now"], lines=[line]))
    assert (plot.ticks, plot.shapes[0].path, plot.shapes[0].latest) == (["1", "0"], "", "")


def test_time_labels_keep_both_ends() -> None:
    labels = charts.spread([str(n) for n in range(49)], 7)
    assert labels == ["0", "8", "16", "24", "32", "40", "48"]
    assert charts.spread(["a", "b"], 7) == ["a", "b"]
