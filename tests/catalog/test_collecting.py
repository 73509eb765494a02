"""When batches go: the rule as a table, as properties, and on the days when clocks change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.collecting import DEFAULT_WAIT_SECONDS, Rule, is_zone, read_times

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
)
INSTANTS = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 - the strategy adds the zone, here and below
    datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
TIMES = st.lists(
    st.times().map(lambda one: one.replace(second=0, microsecond=0)), min_size=1, max_size=4
)


@dataclass(frozen=True)
class Event:
    number: int
    size_bytes: int
    due_at: datetime


WAITING = st.lists(st.tuples(st.integers(0, 50), st.integers(-60, 60)), max_size=40).map(
    lambda pairs: [
        Event(number, size, NOW + timedelta(seconds=after))
        for number, (size, after) in enumerate(pairs)
    ]
)
RULES = st.builds(
    Rule,
    max_events=st.integers(1, 7),
    max_bytes=st.integers(1, 120),
    max_wait_seconds=st.none() | st.integers(1, 90),
    times=st.sampled_from([(), (time(2),)]),
)


@pytest.mark.parametrize(
    ("zone", "at", "after", "expected"),
    [
        # An ordinary night, before and behind the time.
        ("Europe/Berlin", "02:00", "2026-01-10T00:30Z", "2026-01-10T01:00Z"),
        ("Europe/Berlin", "02:00", "2026-01-10T01:00Z", "2026-01-11T01:00Z"),
        # Spring: the clock goes from 02:00 to 03:00, so 02:00 comes as 03:00 of that day.
        ("Europe/Berlin", "02:00", "2026-03-28T12:00Z", "2026-03-29T01:00Z"),
        ("Europe/Berlin", "02:30", "2026-03-28T12:00Z", "2026-03-29T01:30Z"),
        ("Europe/Berlin", "02:30", "2026-03-29T01:30Z", "2026-03-30T00:30Z"),
        # Autumn: 02:30 comes twice, at 00:30Z and 01:30Z; it is the first, and once.
        ("Europe/Berlin", "02:30", "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        ("Europe/Berlin", "02:30", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
        ("America/New_York", "02:00", "2026-03-07T12:00Z", "2026-03-08T07:00Z"),
        ("UTC", "00:00", "2026-01-10T23:59Z", "2026-01-11T00:00Z"),
    ],
)
def test_a_time_of_day_comes_once_a_day(zone: str, at: str, after: str, expected: str) -> None:
    rule = Rule(times=read_times([at]), zone=zone)
    assert rule.next_time(datetime.fromisoformat(after)) == datetime.fromisoformat(expected)


@given(zone=ZONES, times=TIMES, after=INSTANTS)
def test_the_next_time_lies_ahead_and_at_most_a_day_and_an_hour(
    zone: str, times: list[time], after: datetime
) -> None:
    found = Rule(times=tuple(times), zone=zone).next_time(after)
    assert found is not None
    assert after < found <= after + timedelta(hours=25)


@given(zone=ZONES, at=st.times(), start=INSTANTS)
def test_a_year_has_each_time_once_a_day(zone: str, at: time, start: datetime) -> None:
    rule = Rule(times=(at.replace(second=0, microsecond=0),), zone=zone)
    days, instant = [], start
    for _ in range(370):
        found = rule.next_time(instant)
        assert found is not None
        days.append(found.astimezone(ZoneInfo(zone)).date())
        instant = found
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))


@given(rule=RULES, collected_at=INSTANTS)
def test_nothing_waits_for_ever(rule: Rule, collected_at: datetime) -> None:
    goes_at = rule.goes_at(collected_at)
    assert collected_at < goes_at <= collected_at + timedelta(hours=25)
    if rule.max_wait_seconds is not None:
        assert goes_at <= collected_at + timedelta(seconds=rule.max_wait_seconds)


def test_without_a_wait_or_a_time_a_batch_waits_a_minute() -> None:
    assert Rule().goes_at(NOW) == NOW + timedelta(seconds=DEFAULT_WAIT_SECONDS)


@given(rule=RULES, waiting=WAITING)
def test_a_batch_keeps_to_its_limits_and_the_order(rule: Rule, waiting: list[Event]) -> None:
    batches = rule.cut(waiting, now=NOW)
    sent = [one.number for batch in batches for one in batch]
    assert sent == sorted(set(sent))
    for batch in batches:
        assert 1 <= len(batch) <= rule.max_events
        assert len(batch) == 1 or sum(one.size_bytes for one in batch) <= rule.max_bytes


@given(rule=RULES, waiting=WAITING)
def test_what_is_due_goes_and_what_waits_is_less_than_a_batch(
    rule: Rule, waiting: list[Event]
) -> None:
    sent = {one.number for batch in rule.cut(waiting, now=NOW) for one in batch}
    left = [one for one in waiting if one.number not in sent]
    assert not [one for one in left if one.due_at <= NOW]
    assert len(left) < rule.max_events


def test_what_came_after_the_hour_waits_for_the_next() -> None:
    rule = Rule(times=(time(2),))
    before, after = Event(1, 1, NOW), Event(2, 1, NOW + timedelta(days=1))
    assert rule.cut([before, after], now=NOW) == [[before]]


def test_what_is_there_goes_with_the_first_that_waited_long_enough() -> None:
    rule = Rule(max_wait_seconds=60)
    first, second = Event(1, 1, NOW), Event(2, 1, NOW + timedelta(seconds=30))
    assert rule.cut([first, second], now=NOW) == [[first, second]]


@pytest.mark.parametrize("text", ["", "2:00", "24:00", "02:60", "02:00:00", "noon", "02:00 "])
def test_other_texts_are_no_times_of_day(text: str) -> None:
    with pytest.raises(ValueError, match="^" + text):
        read_times([text])


def test_a_zone_is_one_of_the_known_names() -> None:
    assert is_zone("Europe/Berlin")
    assert not is_zone("../etc/passwd")
