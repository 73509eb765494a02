"""The circuit breaker as a value."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import breaker
from delivery.breaker import CLOSED, Position, State

# A test machine may be busy: a slow example is no fault.
unhurried = settings(deadline=None)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def fed(results: str, state: State = CLOSED, *, every: float = 1, start: float = 0) -> State:
    """Feed a row of results, `+` and `-`, one every so many seconds."""
    for index, result in enumerate(results):
        state = breaker.record(state, ok=result == "+", now=after(start + index * every))
    return state


def test_ten_failures_in_a_row_open_it() -> None:
    assert fed("-" * 9).position is Position.CLOSED
    assert fed("-" * 10).position is Position.OPEN
    assert fed("-" * 9 + "+" + "+" * 30 + "-" * 9).position is Position.CLOSED


def test_failures_in_a_row_count_however_far_apart() -> None:
    assert fed("-" * 10, every=3_600).position is Position.OPEN


def test_seven_of_ten_within_five_minutes_open_it() -> None:
    assert fed("+++------").position is Position.CLOSED
    assert fed("+++-------").position is Position.OPEN
    assert fed("++++------").position is Position.CLOSED
    # The same share, but the older results have left the window.
    assert fed("+++-------", every=60).position is Position.CLOSED


def test_a_success_never_opens_it() -> None:
    assert fed("-" * 8 + "+").position is Position.CLOSED
    assert fed("-" * 8 + "++").position is Position.CLOSED


def test_open_it_lets_nothing_through_before_the_probe_is_due() -> None:
    state = fed("-" * 10)
    assert breaker.next_probe_at(state) == after(9 + 30)
    assert not breaker.may_send(state, after(38))
    assert breaker.may_send(state, after(39))


def test_only_one_probe_is_under_way_and_a_lost_one_is_replaced() -> None:
    probing = breaker.probe(fed("-" * 10), now=after(40))
    assert probing.position is Position.PROBING
    assert not breaker.may_send(probing, after(41))
    assert breaker.may_send(probing, after(100))


def test_a_good_probe_closes_it_and_forgets() -> None:
    probing = breaker.probe(fed("-" * 10), now=after(40))
    assert breaker.record(probing, ok=True, now=after(41)) == CLOSED


def test_each_bad_probe_doubles_the_cool_down_up_to_ten_minutes() -> None:
    state, at, cool_downs = fed("-" * 10), 9.0, []
    for _ in range(7):
        probe_at = breaker.next_probe_at(state)
        assert probe_at is not None
        cool_downs.append((probe_at - after(at)).total_seconds())
        state = breaker.probe(state, now=probe_at)
        at = (probe_at - NOW).total_seconds()
        state = breaker.record(state, ok=False, now=probe_at)
    assert cool_downs == [30, 60, 120, 240, 480, 600, 600]
    assert state.opened_at == after(9)


def test_late_results_of_what_was_under_way_change_nothing() -> None:
    state = fed("-" * 10)
    assert breaker.record_all(state, [True, False, True], now=after(12)) == state


def test_a_probe_of_a_closed_circuit_is_an_ordinary_request() -> None:
    assert breaker.probe(CLOSED, now=NOW) == CLOSED
    assert breaker.may_send(CLOSED, NOW)
    assert breaker.next_probe_at(CLOSED) is None


rows = st.text("+-p", max_size=60)


@unhurried
@given(rows, st.floats(0.01, 100))
def test_any_state_survives_being_stored(row: str, every: float) -> None:
    state = CLOSED
    for index, step in enumerate(row):
        now = after(index * every)
        if step == "p":
            state = breaker.probe(state, now=now)
        else:
            state = breaker.record(state, ok=step == "+", now=now)
    stored = json.dumps(breaker.as_json(state))
    assert breaker.from_json(json.loads(stored)) == state
    assert len(state.window) <= breaker.BUCKETS


@unhurried
@given(st.text("+-", max_size=40))
def test_results_in_bulk_count_as_one_by_one(row: str) -> None:
    one_by_one = fed(row, every=0)
    in_bulk = breaker.record_all(CLOSED, [result == "+" for result in row], now=NOW)
    assert in_bulk == one_by_one


def test_nothing_stored_is_a_closed_circuit() -> None:
    assert breaker.from_json({}) == CLOSED
