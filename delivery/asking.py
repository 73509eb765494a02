"""What a worker would like to claim now, worked out from its windows and from what it knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from catalog.collecting import Rule
from delivery import batching, breaker, claiming, configuration
from delivery.supply import Ask
from delivery.targets import Knowledge, Target
from delivery.windows import Window

# Up to so many requests at once are counted over all workers; more are each worker's own, since
# counting them would cost more than it saves a receiver that takes as many.
STRICT_UP_TO = 4


def asks(
    windows: Mapping[UUID, Window], knowledge: Knowledge, *, now: datetime, clock: float
) -> list[Ask]:
    """Return an ask for each window that has room and whose subscription may be served.

    Each window learns its share and its pace on the way; `clock` counts seconds.
    """
    found = []
    for subscription_id, window in windows.items():
        target = knowledge.targets.get(subscription_id)
        if not window.is_hot or target is None or not target.is_active:
            continue
        if not target.is_entitled:
            continue
        window.share = target.concurrency
        window.is_strict = target.concurrency <= STRICT_UP_TO or target.collects is not None
        window.measure(clock)
        if window.room:
            found.append(_ask(window, target, knowledge, now))
    return found


def _ask(window: Window, target: Target, knowledge: Knowledge, now: datetime) -> Ask:
    circuit = knowledge.circuits.get(target.subscription_id)
    which = claiming.Which.FIRST_OF_KEY if target.is_ordered else claiming.Which.ANY
    if knowledge.must_wait(target):
        which = claiming.Which.REPLAYS
    wanted = claiming.Wanted(
        subscription_id=target.subscription_id,
        room=window.room,
        lease_seconds=max(configuration.lease_seconds(), target.timeout_seconds + 5),
        low=window.low if circuit is None else claiming.LONG_AGO,
        which=which,
    )
    return Ask(
        wanted=wanted,
        per_second=target.rate_per_second,
        most=target.concurrency if window.is_strict else None,
        takes_turns=target.is_ordered,
        may_probe=circuit is not None and breaker.may_send(circuit, now),
        batches=None if target.collects is None else _terms(target, target.collects),
    )


def _terms(target: Target, rule: Rule) -> batching.Terms:
    return batching.Terms(rule=rule, most=target.concurrency, is_ordered=target.is_ordered)
