"""What follows a failed attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import retrying
from delivery.retrying import Dead, Disable, DisableReason, Limit, Outcome, Retry, RetryPolicy
from delivery.transports import ErrorClass, TransportError

# A test machine may be busy: a slow example is no fault.
unhurried = settings(deadline=None)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = RetryPolicy()


def decide(
    outcome: Outcome,
    *,
    attempts_made: int = 1,
    age: timedelta = timedelta(),
    jitter: float = 0,
    paused_seconds: float = 0,
    policy: RetryPolicy = POLICY,
) -> retrying.Decision:
    return retrying.decide(
        policy,
        attempts_made=attempts_made,
        first_attempt_at=NOW - age,
        now=NOW,
        outcome=outcome,
        jitter=jitter,
        paused_seconds=paused_seconds,
    )


def wait(outcome: Outcome, **more: float) -> float:
    decision = decide(outcome, **more)  # type: ignore[arg-type]  # numbers by name
    assert isinstance(decision, Retry)
    return (decision.due_at - NOW).total_seconds()


def test_the_waits_add_up_as_the_worked_row_says() -> None:
    starts_at, row = 0.0, [0.0]
    for attempts_made in range(1, 8):
        starts_at += wait(Outcome(status=500), attempts_made=attempts_made)
        row.append(starts_at)
    assert row == [0, 5, 305, 2_105, 9_305, 27_305, 63_305, 99_305]
    assert decide(Outcome(status=500), attempts_made=8) == Dead(limit=Limit.ATTEMPTS)


# status or error | permanent by transport | what follows a first attempt
FIRST: list[tuple[Outcome, retrying.Decision]] = [
    *(
        (Outcome(status=status), Dead(limit=Limit.PERMANENT))
        for status in (400, 401, 403, 404, 413, 422)
    ),
    *(
        (Outcome(status=status), Retry(due_at=NOW + timedelta(seconds=5)))
        for status in (301, 302, 307, 402, 405, 406, 408, 409, 418, 500, 501, 505)
    ),
    *(
        (Outcome(status=status), Retry(due_at=NOW + timedelta(seconds=60)))
        for status in (429, 502, 503, 504)
    ),
    *(
        (Outcome(error_class=error), Retry(due_at=NOW + timedelta(seconds=60)))
        for error in (ErrorClass.READ_TIMEOUT, ErrorClass.CONNECT_TIMEOUT)
    ),
    (Outcome(error_class=ErrorClass.REFUSED), Retry(due_at=NOW + timedelta(seconds=5))),
    (
        Outcome(error_class=ErrorClass.BLOCKED_ADDRESS, permanent=True),
        Dead(limit=Limit.PERMANENT),
    ),
    (Outcome(status=410), Disable(reason=DisableReason.GONE)),
    (Outcome(status=500, webhook_delivery="disable"), Disable(reason=DisableReason.GONE)),
    (Outcome(status=500, webhook_delivery=" Abort-Message "), Dead(limit=Limit.ABORTED)),
    (Outcome(status=500, webhook_delivery="hello"), Retry(due_at=NOW + timedelta(seconds=5))),
]


@pytest.mark.parametrize(("outcome", "decision"), FIRST)
def test_what_follows_a_first_attempt(outcome: Outcome, decision: retrying.Decision) -> None:
    assert decide(outcome) == decision


def test_a_transport_error_becomes_an_outcome() -> None:
    error = TransportError("x", error_class=ErrorClass.HTTP_STATUS, status=503, retry_after="120")
    assert wait(Outcome.of(error)) == 120


def test_retry_after_is_obeyed_up_to_twelve_hours_and_never_shortens_a_wait() -> None:
    assert wait(Outcome(status=429, retry_after="3600")) == 3_600
    assert wait(Outcome(status=429, retry_after="99999999")) == 12 * 3_600
    assert wait(Outcome(status=429, retry_after="1")) == 60
    assert wait(Outcome(status=500, retry_after="1"), attempts_made=3) == 1_800


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("0", 0),
        (" 120 ", 120),
        ("Sun, 22 Nov 2026 12:10:00 GMT", 600),
        ("Sunday, 22-Nov-26 12:10:00 GMT", 600),
        ("Sun Nov 22 12:10:00 2026", 600),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 99 Nov 2026 11:00:00 GMT", None),
        ("9" * 200, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retrying.retry_after_seconds(header, now=NOW) == seconds


def test_a_retry_after_the_age_limit_is_none() -> None:
    outcome = Outcome(status=500)
    limit = timedelta(hours=48)
    assert decide(outcome, age=limit) == Dead(limit=Limit.AGE)
    assert decide(outcome, age=limit - timedelta(seconds=4)) == Dead(limit=Limit.AGE)
    assert wait(outcome, age=limit - timedelta(seconds=5)) == 5  # type: ignore[arg-type]


def test_age_stands_still_while_paused() -> None:
    outcome = Outcome(status=500)
    assert isinstance(decide(outcome, age=timedelta(days=9), paused_seconds=8 * 86_400), Retry)
    assert decide(outcome, age=timedelta(days=9), paused_seconds=86_400) == Dead(limit=Limit.AGE)


def test_a_subscription_may_have_its_own_policy() -> None:
    policy = RetryPolicy(waits_seconds=(1,), permanent_statuses=frozenset())
    assert isinstance(decide(Outcome(status=404), policy=policy), Retry)
    assert decide(Outcome(status=500), policy=policy, attempts_made=2) == Dead(limit=Limit.ATTEMPTS)
    never = RetryPolicy(waits_seconds=())
    assert decide(Outcome(status=500), policy=never) == Dead(limit=Limit.ATTEMPTS)


@unhurried
@given(st.integers(1, 7), st.floats(-1, 1), st.sampled_from([429, 500, 503]))
def test_jitter_moves_a_wait_by_a_fifth_at_most(
    attempts_made: int, jitter: float, status: int
) -> None:
    planned = POLICY.waits_seconds[attempts_made - 1]
    waited = wait(Outcome(status=status), attempts_made=attempts_made, jitter=jitter)
    if status == 500:
        assert 0.8 * planned - 1e-6 <= waited <= 1.2 * planned + 1e-6
    else:
        assert max(60, 0.8 * planned - 1e-6) <= waited <= max(60, 1.2 * planned + 1e-6)
