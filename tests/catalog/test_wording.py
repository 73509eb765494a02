"""Instants, durations and counts are said the way the design language asks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from catalog import wording

NOW = datetime(2026, 11, 12, 13, 31, 7, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.084, "84 ms"),
        (0.9999, "1 s"),
        (2.1, "2.1 s"),
        (9.96, "10 s"),
        (42.4, "42 s"),
        (252, "4 min 12 s"),
        (240, "4 min"),
        (1380, "23 min"),  # from ten minutes on, seconds are noise
        (12_240, "3 h 24 min"),
        (111_600, "31 h"),
        (5 * 86_400, "5 days"),
        (-252, "4 min 12 s"),
    ],
)
def test_duration_has_at_most_two_units(seconds: float, said: str) -> None:
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=4, seconds=30), "4 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(hours=30), "Wed 07:31"),
        (timedelta(days=10), "2 Nov"),
        (timedelta(days=400), "8 Oct 2025"),
        (-timedelta(minutes=4), "in 4 min"),
        (-timedelta(days=30), "12 Dec"),
    ],
)
def test_relative_time_up_to_a_day_then_a_date(ago: timedelta, said: str) -> None:
    assert wording.relative(NOW - ago, now=NOW) == said


def test_moment_is_said_in_the_viewers_zone() -> None:
    late = datetime(2026, 11, 12, 23, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert wording.clock(late, now=late) == "Today 00:30"
        assert wording.full(late) == "Friday 13 November 2026, 00:30:00 CET"
        assert wording.calendar_day(late) == "13 Nov 2026"


def test_moment_of_another_year_names_it() -> None:
    assert wording.clock(NOW - timedelta(days=400), now=NOW) == "8 Oct 2025 13:31"
    assert wording.clock(NOW, now=NOW, with_seconds=True) == "Today 13:31:07"


def test_plain_date_needs_no_zone() -> None:
    assert wording.calendar_day(date(2027, 6, 30)) == "30 Jun 2027"


def test_counts_agree_with_their_noun() -> None:
    assert wording.count_of(1, "order") == "1 order"
    assert wording.count_of(12_400, "order") == "12,400 orders"
    assert wording.count_of(2, "delivery,deliveries") == "2 deliveries"


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(734, 1204, "61 %"), (998, 1000, "99.8 %"), (1, 200, "0.5 %"), (5, 5, "100 %"), (0, 9, "0 %")],
)
def test_share_is_fine_only_near_its_ends(part: int, whole: int, said: str) -> None:
    assert wording.share(part, whole) == said


def test_share_of_nothing_is_not_a_number() -> None:
    assert wording.share(0, 0) == "nothing yet"
