"""How endpoints have answered lately, in rows that all workers share.

`delivery.breaker` decides; here its states are stored, one worker wins each probe, and what follows
from days of failure is done: a warning at 50, 70 and 90 % of the time, then the subscription is
disabled and keeps its backlog.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from delivery import breaker, configuration
from delivery.models import Circuit
from delivery.states import CircuitState

GIVE_UP_AFTER = timedelta(days=5)  # without a success (design, section 9)
WARN_AT_PERCENT = (50, 70, 90)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What one subscription's endpoint answered since the last report, in order."""

    results: Sequence[bool]
    last_status: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What a report changed that someone should know."""

    subscription_id: UUID
    opened: bool = False
    closed: bool = False
    warn_percent: int = 0
    gives_up: bool = False


def not_closed() -> Mapping[UUID, breaker.State]:
    """Return the circuits through which requests may not simply go."""
    rows = Circuit.objects.exclude(state=CircuitState.CLOSED).values_list("pk", "breaker")
    return {pk: breaker.from_json(stored) for pk, stored in rows}


def report(answers: Mapping[UUID, Answers], *, now: datetime) -> list[News]:
    """Count the answers and store what becomes of each circuit; return what changed."""
    Circuit.objects.bulk_create([Circuit(pk=pk) for pk in answers], ignore_conflicts=True)
    with transaction.atomic():
        # In one order everywhere: two workers that report the same ones must not deadlock.
        rows = list(
            Circuit.objects.select_for_update(no_key=True).filter(pk__in=answers).order_by("pk")
        )
        news = [_count(row, answers[row.pk], now) for row in rows]
        Circuit.objects.bulk_update(rows, _REPORTED)
        for row, one in zip(rows, news, strict=True):
            if one.closed and row.opened_at is not None:
                _let_age_stand_still(row.pk, since=row.opened_at, now=now)
                Circuit.objects.filter(pk=row.pk).update(opened_at=None)
    return [one for one in news if one.opened or one.closed or one.warn_percent or one.gives_up]


def try_probe(subscription_id: UUID, *, now: datetime) -> bool:
    """Claim the one request that tells whether the endpoint answers again; False: not now."""
    with transaction.atomic():
        row = Circuit.objects.select_for_update(no_key=True).filter(pk=subscription_id).first()
        if row is None:
            return False
        state = breaker.from_json(row.breaker)
        if state.position is breaker.Position.CLOSED or not breaker.may_send(state, now):
            return False
        store(row, breaker.probe(state, now=now, policy=configuration.breaker_policy()))
        row.save(update_fields=["state", "breaker", "next_probe_at"])
    return True


def take_tokens(subscription_id: UUID, wanted: int, *, per_second: int, now: datetime) -> int:
    """Take up to `wanted` permissions to send from the bucket that all workers share.

    The bucket holds a tenth of a second's worth, at least one, so no second sees many more than
    `per_second` requests.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "id": subscription_id,
                "wanted": wanted,
                "rate": float(per_second),
                "holds": max(1.0, per_second / 10),
                "now": now,
            },
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def give_back(subscription_id: UUID, tokens: int) -> None:
    """Put back permissions to send that were not used."""
    Circuit.objects.filter(pk=subscription_id).update(tokens=F("tokens") + tokens)


_TAKE = """
WITH bucket AS (
    SELECT subscription_id, LEAST(
        %(holds)s::float,
        CASE WHEN tokens_at IS NULL THEN %(holds)s::float
        ELSE tokens + GREATEST(0, extract(epoch FROM %(now)s - tokens_at)) * %(rate)s::float END
    ) AS level
    FROM delivery_circuit WHERE subscription_id = %(id)s FOR NO KEY UPDATE
)
UPDATE delivery_circuit c
SET tokens = level - LEAST(%(wanted)s, floor(level)), tokens_at = GREATEST(tokens_at, %(now)s)
FROM bucket WHERE c.subscription_id = bucket.subscription_id
RETURNING LEAST(%(wanted)s, floor(level))
"""

_REPORTED = [
    "state",
    "breaker",
    "opened_at",
    "next_probe_at",
    "last_success_at",
    "last_failure_at",
    "failing_since",
    "last_status",
    "warned_percent",
]


def _count(row: Circuit, answers: Answers, now: datetime) -> News:
    """Put the answers into the row; `opened_at` stays for whoever closes it."""
    before = breaker.from_json(row.breaker)
    after = breaker.record_all(
        before, answers.results, now=now, policy=configuration.breaker_policy()
    )
    was_closed = before.position is breaker.Position.CLOSED
    is_closed = after.position is breaker.Position.CLOSED
    store(row, after)
    if after.opened_at is not None:
        row.opened_at = after.opened_at
    row.last_status = answers.last_status or row.last_status
    if any(answers.results):
        row.last_success_at, row.warned_percent = now, 0
    if not all(answers.results):
        row.last_failure_at = now
    row.failing_since = _failing_since(row, answers, now)
    percent = _share_of_patience(row, now)
    warn = max((one for one in WARN_AT_PERCENT if row.warned_percent < one <= percent), default=0)
    row.warned_percent = max(row.warned_percent, warn)
    return News(
        subscription_id=row.pk,
        opened=was_closed and not is_closed,
        closed=is_closed and not was_closed,
        warn_percent=warn,
        gives_up=percent >= 100,
    )


def _failing_since(row: Circuit, answers: Answers, now: datetime) -> datetime | None:
    if answers.results and answers.results[-1]:
        return None
    if any(answers.results):
        return now
    return row.failing_since or now


def _share_of_patience(row: Circuit, now: datetime) -> float:
    if row.failing_since is None:
        return 0.0
    return 100 * ((now - row.failing_since) / GIVE_UP_AFTER)


def store(row: Circuit, state: breaker.State) -> None:
    """Put a state into the row's columns; the caller saves it."""
    row.state = CircuitState(state.position.value)
    row.breaker = breaker.as_json(state)
    row.next_probe_at = breaker.next_probe_at(state)


def _let_age_stand_still(subscription_id: UUID, *, since: datetime, now: datetime) -> None:
    """Take the time that the circuit was open out of the age of every delivery that waited."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE delivery_queue SET waited_seconds = waited_seconds + "
            "extract(epoch FROM %s - GREATEST(%s, first_attempt_at))::int "
            "WHERE subscription_id = %s AND first_attempt_at < %s",
            [now, since, subscription_id, now],
        )
