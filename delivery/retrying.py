"""Decide what follows a failed attempt; no clock, no dice, no database.

The wait before retry n is `waits_seconds[n - 1] * (1 + jitter * dice)`, dice from -1 to 1; raised
to `overload_floor_seconds` when the receiver is overloaded, and to what its `Retry-After` asks, up
to `retry_after_cap_seconds`. With the defaults and dice 0:

    attempt      1    2    3      4        5           6           7            8
    starts at    0 s  5 s  5m 5s  35m 5s   2h 35m 5s   7h 35m 5s   17h 35m 5s   27h 35m 5s
    wait after   5 s  5 m  30 m   2 h      5 h         10 h        10 h         dead
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from delivery.transports import TIMEOUTS, ErrorClass, TransportError

# Where nothing else says how long: an event that is never given up, of a policy without waits.
LAST_WAIT_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often and how long to try; the first attempt is not a retry."""

    waits_seconds: tuple[float, ...] = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
    max_age_seconds: float = 48 * 3_600
    jitter: float = 0.2
    overload_floor_seconds: float = 60
    retry_after_cap_seconds: float = 12 * 3_600
    # Sending the same again cannot help: what must change is the request or the endpoint.
    permanent_statuses: frozenset[int] = frozenset({400, 401, 403, 404, 413, 422})
    overload_statuses: frozenset[int] = frozenset({429, 502, 503, 504})
    # Of an event with a key, in an ordered subscription: it is never given up, unless the receiver
    # asks for that; or what comes after it waits for a person once it is.
    keeps_trying: bool = False
    parks_key: bool = False


class Control(StrEnum):
    """What a receiver may answer in the header `webhook-delivery`."""

    DISABLE = "disable"
    ABORT_MESSAGE = "abort-message"


class Limit(StrEnum):
    """Which limit ran out when a delivery died."""

    ATTEMPTS = "attempts"
    AGE = "age"
    PERMANENT = "permanent"
    ABORTED = "aborted"


class DisableReason(StrEnum):
    """Why the receiver's answer ends the subscription."""

    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an attempt failed: by a status, or by an error before there was one."""

    status: int | None = None
    error_class: ErrorClass | None = None
    permanent: bool = False
    retry_after: str | None = None
    webhook_delivery: str | None = None

    @classmethod
    def of(cls, error: TransportError) -> Outcome:
        """Return the outcome that a transport reported."""
        return cls(
            status=error.status,
            error_class=error.error_class,
            permanent=error.permanent,
            retry_after=error.retry_after,
            webhook_delivery=error.webhook_delivery,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """Try again at `due_at`."""

    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Dead:
    """Give up: `limit` ran out."""

    limit: Limit


@dataclass(frozen=True, kw_only=True, slots=True)
class Disable:
    """Disable the subscription; the delivery stays owed with the rest of its backlog."""

    reason: DisableReason


Decision = Retry | Dead | Disable


def decide(
    policy: RetryPolicy,
    *,
    attempts_made: int,
    first_attempt_at: datetime,
    now: datetime,
    outcome: Outcome,
    jitter: float,
    paused_seconds: float = 0,
) -> Decision:
    """Return what follows a failed attempt.

    `attempts_made` counts this one, and not the interrupted ones. `paused_seconds` is the time
    since the first attempt that does not count: subscription paused or disabled, circuit open.
    `jitter` is the dice, from -1 to 1. A retry that would come after `max_age_seconds` is none.
    """
    asked = control(outcome.webhook_delivery)
    if outcome.status == 410 or asked is Control.DISABLE:
        return Disable(reason=DisableReason.GONE)
    if asked is Control.ABORT_MESSAGE:
        return Dead(limit=Limit.ABORTED)
    wait = wait_seconds(policy, attempts_made, outcome, now=now, jitter=jitter)
    age = (now - first_attempt_at).total_seconds() - paused_seconds
    limit = _limit(policy, attempts_made, outcome, age=age + wait)
    if limit is not None and not policy.keeps_trying:
        return Dead(limit=limit)
    return Retry(due_at=now + timedelta(seconds=wait))


def _limit(
    policy: RetryPolicy, attempts_made: int, outcome: Outcome, *, age: float
) -> Limit | None:
    """Return what forbids one more try, of an event that would have this age by then."""
    if outcome.permanent or outcome.status in policy.permanent_statuses:
        return Limit.PERMANENT
    if attempts_made > len(policy.waits_seconds):
        return Limit.ATTEMPTS
    return Limit.AGE if age > policy.max_age_seconds else None


def wait_seconds(
    policy: RetryPolicy, attempts_made: int, outcome: Outcome, *, now: datetime, jitter: float
) -> float:
    """Return how long to wait before the next attempt (the module's docstring has the formula)."""
    waits = policy.waits_seconds or (LAST_WAIT_SECONDS,)
    wait = waits[min(attempts_made, len(waits)) - 1] * (1 + policy.jitter * jitter)
    if outcome.status in policy.overload_statuses or outcome.error_class in TIMEOUTS:
        wait = max(wait, policy.overload_floor_seconds)
    asked = retry_after_seconds(outcome.retry_after, now=now)
    if asked is not None:
        wait = max(wait, min(asked, policy.retry_after_cap_seconds))
    return wait


def retry_after_seconds(header: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, `None` if it cannot be read.

    It is a number of seconds or an HTTP date (RFC 9110, section 10.2.3); a date in the past is 0.
    """
    text = (header or "").strip()
    if not text or len(text) > 100:
        return None
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())


def control(header: str | None) -> Control | None:
    """Return what the header `webhook-delivery` asks for, `None` if nothing that is known."""
    try:
        return Control((header or "").strip().lower())
    except ValueError:
        return None
