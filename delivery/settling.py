"""Writing down how attempts went: in bulk, once, and only by who still holds the lease.

`_fate` decides as a value what becomes of each delivery; one statement writes all of them with
their attempts. A delivery whose lease was lost meanwhile keeps what its new holder makes of it;
its attempt is logged all the same, because the request was made.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

import orjson
from django.db import DataError, IntegrityError, connection

from catalog.ids import uuid7
from delivery import batching, dead_letters, parking, replay_results, retrying, stand_ins
from delivery.claiming import Owed
from delivery.dead_letters import Death
from delivery.models import FailureGroup
from delivery.retrying import Dead, Disable, Limit, Outcome, Retry, RetryPolicy
from delivery.states import AttemptOutcome, DeliveryStatus, SkipReason
from delivery.transports import ErrorClass, Receipt, TransportError
from governance.governed import governed

logger = logging.getLogger(__name__)

# What the database raises for values that it will not take, however often they are sent.
_UNSTORABLE = (DataError, IntegrityError)
_STATUSES = range(100, 1_000)
_NOT_STORED = "What the receiver answered cannot be stored."
KEPT_OF_SUCCESS = 500  # characters of a 2xx answer; of failures, all that the transport gives


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """An attempt that was made, and the answer."""

    owed: Owed
    policy: RetryPolicy
    url: str
    started_at: datetime
    ended_at: datetime
    answer: Receipt | TransportError
    # It went to the endpoint itself, not to a fallback, and was no replay.
    is_for_health: bool = True
    # Another address is left to try, or someone takes over, should this one have given it up.
    has_second: bool = False
    stand_in: UUID | None = None
    # In which request it went, where it went together with others; they share their dice.
    batch_id: UUID | None = None
    jitter: float | None = None
    # Settled twice, as after a lost answer of the database, it is one attempt still.
    attempt_id: UUID = field(default_factory=uuid7)

    @property
    def is_interrupted(self) -> bool:
        """Tell whether we broke it off ourselves: it uses no retry and says nothing of health."""
        answer = self.answer
        return isinstance(answer, TransportError) and answer.error_class is ErrorClass.INTERRUPTED


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A delivery that a rule ended before any request."""

    owed: Owed
    reason: SkipReason
    ended_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOver:
    """A delivery that another subscription takes over before any request."""

    owed: Owed
    to: UUID
    ended_at: datetime


Result = Tried | Refused | HandedOver


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What a settlement found out: deliveries that were another's by now, and what follows."""

    lost: int = 0
    deaths: Sequence[Death] = ()
    gone: frozenset[UUID] = frozenset()
    # How often the failing event of a subscription has been tried, where one will be again.
    failing: Mapping[UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fate:
    """What becomes of one delivery: it ends with `status`, or is due again."""

    result: Result
    status: str = ""
    reason: str = ""
    due_at: datetime | None = None
    attempts: int = 0
    first_attempt_at: datetime | None = None
    death: Death | None = None
    is_gone: bool = False
    goes_second: bool | None = None
    hands_to: UUID | None = None

    @property
    def leaves_batch(self) -> bool:
        """Tell whether it alone is tried again, while others of its batch arrived."""
        answer = self.result.answer if isinstance(self.result, Tried) else None
        return (
            not self.status
            and isinstance(answer, TransportError)
            and answer.error_class is ErrorClass.PARTIAL
        )


_WRITE = """
WITH r AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%s) AS r(
        delivery_id uuid, subscription_id uuid, lease uuid, ends bool, status text, reason text,
        ended_at timestamptz, failure_group_id uuid, due_at timestamptz, attempts int,
        first_attempt_at timestamptz, attempt_id uuid, number int, started_at timestamptz,
        duration_ms int, outcome text, status_code int, error_class text, message text,
        response_excerpt text, url text, batch_id uuid, goes_second bool
    )
), ended AS (
    DELETE FROM delivery_queue q USING r
    WHERE r.ends AND q.delivery_id = r.delivery_id AND q.lease = r.lease
    RETURNING q.delivery_id
), again AS (
    UPDATE delivery_queue q
    SET lease = NULL, due_at = r.due_at, attempts = r.attempts,
        first_attempt_at = r.first_attempt_at, goes_second = r.goes_second
    FROM r WHERE NOT r.ends AND q.delivery_id = r.delivery_id AND q.lease = r.lease
    RETURNING q.delivery_id
), closed AS (
    UPDATE delivery_delivery d
    SET status = r.status, reason = r.reason, ended_at = r.ended_at,
        failure_group_id = r.failure_group_id
    FROM ended JOIN r USING (delivery_id) WHERE d.id = ended.delivery_id
), logged AS (
    INSERT INTO delivery_attempt (
        id, delivery_id, subscription_id, number, started_at, duration_ms, outcome, status_code,
        error_class, message, response_excerpt, url, batch_id
    )
    SELECT attempt_id, delivery_id, subscription_id, number, started_at, duration_ms, outcome,
        status_code, error_class, message, response_excerpt, url, batch_id
    FROM r WHERE attempt_id IS NOT NULL
    ON CONFLICT (id) DO NOTHING
)
SELECT delivery_id FROM ended UNION ALL SELECT delivery_id FROM again
"""


def settle(results: Sequence[Result], *, now: datetime) -> Settled:
    """Write what became of these deliveries; all of it is written, or none."""
    try:
        return _settle(results, now)
    except _UNSTORABLE:
        # One answer that the database cannot store must not hold up its neighbours.
        logger.warning("A batch of results cannot be stored; storing them one by one.")
    return _one_by_one(results, now)


def _one_by_one(results: Sequence[Result], now: datetime) -> Settled:
    lost, deaths, gone, failing = 0, list[Death](), set[UUID](), dict[UUID, int]()
    for result in results:
        try:
            settled = _settle([result], now)
        except _UNSTORABLE:
            logger.exception("The result of %s cannot be stored.", result.owed.delivery_id)
            settled = _settle([_set_aside(result)], now)
        lost += settled.lost
        deaths += settled.deaths
        gone |= settled.gone
        failing |= settled.failing
    return Settled(lost=lost, deaths=deaths, gone=frozenset(gone), failing=failing)


def _set_aside(result: Result) -> Result:
    """Return the result without a word of the receiver's; a failure is final, so somebody looks.

    Left unsettled it would be sent, and fail to be stored, again after each lease.
    """
    if not isinstance(result, Tried):
        return result
    answer = result.answer
    status = answer.status if answer.status in _STATUSES else None
    if isinstance(answer, Receipt):
        told = Receipt(status=status or HTTPStatus.OK, duration_ms=0, response_excerpt=_NOT_STORED)
        return replace(result, answer=told)
    failed = TransportError(
        _NOT_STORED, error_class=answer.error_class, status=status, permanent=True
    )
    return replace(result, answer=failed)


def _settle(results: Sequence[Result], now: datetime) -> Settled:
    fates = [_fate(result, now) for result in results]
    deaths = [fate.death for fate in fates if fate.death is not None]
    replayed = {
        fate.result.owed.delivery_id: fate.status
        for fate in fates
        if fate.result.owed.is_replay and fate.status
    }
    leavers = [fate.result.owed.delivery_id for fate in fates if fate.leaves_batch]
    handed = [(fate.result.owed, fate.hands_to) for fate in fates if fate.hands_to is not None]
    with _transaction(is_needed=bool(deaths or replayed or leavers or handed), now=now):
        groups = dead_letters.groups_for(deaths, now=now) if deaths else {}
        held = _write(fates, groups)
        deaths = [death for death in deaths if death.owed.delivery_id in held]
        if deaths:
            dead_letters.bury(deaths, groups, now=now)
            parking.park([death for death in deaths if death.parks_key], now=now)
        if replayed:
            replay_results.note({pk: replayed[pk] for pk in replayed if pk in held}, now=now)
        if handed:
            held_back = [(owed, to) for owed, to in handed if owed.delivery_id in held]
            stand_ins.take_over(held_back, now=now)
        if leavers:
            batching.take_out(held.intersection(leavers))
    return Settled(
        lost=len(fates) - len(held),
        deaths=deaths,
        gone=frozenset(fate.result.owed.subscription_id for fate in fates if fate.is_gone),
        failing={
            fate.result.owed.subscription_id: fate.attempts
            for fate in sorted(fates, key=lambda fate: fate.attempts)
            if not fate.status
        },
    )


def _transaction(*, is_needed: bool, now: datetime) -> AbstractContextManager[None]:
    # One statement is a transaction of its own; the common case pays for no other.
    return governed(by=None, now=now) if is_needed else nullcontext()


def _fate(result: Result, now: datetime) -> _Fate:
    if isinstance(result, Refused):
        return _Fate(result=result, status=DeliveryStatus.SKIPPED, reason=result.reason)
    if isinstance(result, HandedOver):
        return _handed_over(result, to=result.to, attempts=result.owed.attempts)
    owed = result.owed
    if isinstance(result.answer, Receipt):
        return _Fate(result=result, status=DeliveryStatus.DELIVERED, attempts=owed.attempts + 1)
    if result.is_interrupted:
        return _Fate(
            result=result,
            due_at=now,
            attempts=owed.attempts,
            first_attempt_at=owed.first_attempt_at,
            goes_second=owed.goes_second,
        )
    return _after_failure(result, result.answer, now)


def _after_failure(tried: Tried, error: TransportError, now: datetime) -> _Fate:
    owed, attempts = tried.owed, tried.owed.attempts + 1
    first = owed.first_attempt_at or tried.started_at
    policy = tried.policy
    if policy.keeps_trying and owed.order_key is None:
        policy = replace(policy, keeps_trying=False)  # nothing waits behind it
    decision = retrying.decide(
        policy,
        attempts_made=attempts,
        first_attempt_at=first,
        now=now,
        outcome=Outcome.of(error),
        jitter=dice() if tried.jitter is None else tried.jitter,
        paused_seconds=owed.waited_seconds,
    )
    if owed.is_replay and not isinstance(decision, Dead):
        decision = Dead(limit=Limit.ATTEMPTS)  # a replay is one attempt
    if owed.goes_second and not isinstance(decision, Dead):
        decision = Dead(limit=Limit.ATTEMPTS)  # and so is the second address
    if isinstance(decision, Dead) and tried.has_second and decision.limit is not Limit.ABORTED:
        return _Fate(
            result=tried,
            due_at=now,
            attempts=attempts,
            first_attempt_at=first,
            goes_second=True,
        )
    if isinstance(decision, Dead) and tried.stand_in and decision.limit is not Limit.ABORTED:
        return _handed_over(tried, to=tried.stand_in, attempts=attempts)
    if isinstance(decision, Dead):
        death = Death(
            owed=owed,
            error=error,
            limit=decision.limit,
            attempts=attempts,
            first_attempt_at=first,
            started_at=tried.started_at,
            parks_key=policy.parks_key and not owed.is_replay and owed.order_key is not None,
        )
        status = DeliveryStatus.DEAD
        return _Fate(
            result=tried, status=status, reason=decision.limit, attempts=attempts, death=death
        )
    return _Fate(
        result=tried,
        due_at=decision.due_at if isinstance(decision, Retry) else now,
        attempts=attempts,
        first_attempt_at=first,
        is_gone=isinstance(decision, Disable),
    )


def _handed_over(result: Result, *, to: UUID, attempts: int) -> _Fate:
    return _Fate(
        result=result,
        status=DeliveryStatus.SKIPPED,
        reason=SkipReason.HANDED_OVER,
        attempts=attempts,
        hands_to=to,
    )


def dice() -> float:
    """Return a number from -1 to 1: it spreads retries, and guards nothing."""
    return random.uniform(-1, 1)  # noqa: S311 - see above


def _write(fates: Sequence[_Fate], groups: Mapping[str, FailureGroup]) -> set[UUID]:
    """Write everything in one statement; return the deliveries that were still ours."""
    rows = [_row(fate, groups) for fate in fates]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [orjson.dumps(rows).decode()])
        return {delivery_id for (delivery_id,) in cursor.fetchall()}


def _row(fate: _Fate, groups: Mapping[str, FailureGroup]) -> dict[str, object]:
    result, owed = fate.result, fate.result.owed
    row: dict[str, object] = {
        "delivery_id": owed.delivery_id,
        "subscription_id": owed.subscription_id,
        "lease": owed.lease,
        "ends": bool(fate.status),
        "status": fate.status,
        "reason": fate.reason,
        "ended_at": result.ended_at,
        "failure_group_id": groups[fate.death.fingerprint].pk if fate.death else None,
        "due_at": fate.due_at,
        "attempts": fate.attempts,
        "first_attempt_at": fate.first_attempt_at,
    }
    if fate.goes_second:
        row["goes_second"] = True
    if isinstance(result, Tried):
        row.update(_attempt(result))
    return row


def _attempt(tried: Tried) -> dict[str, object]:
    answer, took = tried.answer, tried.ended_at - tried.started_at
    is_receipt = isinstance(answer, Receipt)
    outcome = AttemptOutcome.DELIVERED if is_receipt else AttemptOutcome.FAILED
    row: dict[str, object] = {
        "attempt_id": tried.attempt_id,
        "number": tried.owed.attempts + 1,
        "started_at": tried.started_at,
        # The clock is set anew twice a second, and may then go back by what a question takes.
        "duration_ms": max(0, took // timedelta(milliseconds=1)),
        "outcome": AttemptOutcome.INTERRUPTED if tried.is_interrupted else outcome,
        "status_code": answer.status,
        "error_class": "" if isinstance(answer, Receipt) else answer.error_class.value,
        "message": "" if isinstance(answer, Receipt) else _storable(answer.message),
        "response_excerpt": _storable(
            answer.response_excerpt[:KEPT_OF_SUCCESS] if is_receipt else answer.response_excerpt
        ),
        "url": tried.url[:2000],
    }
    if tried.batch_id is not None:
        row["batch_id"] = tried.batch_id
    return row


def _storable(text: str) -> str:
    """Return the text without what PostgreSQL's text cannot hold."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
