"""What monitoring asks of a running copy, read from the database: every process answers alike.

Totals come from the day roll-ups, so a scrape costs the same whatever the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from catalog.ids import instant_of
from catalog.words import Environment
from delivery import rollups
from delivery.models import (
    Circuit,
    DeadLetter,
    FailureGroup,
    Notification,
    QueueRow,
    Rollup,
    RollupMark,
    Subscription,
)
from delivery.models.counts import Grain
from delivery.rollups import LATENCY_BOUNDS_MS
from delivery.states import CircuitState, DeliveryMode, SubscriptionState
from governance import cadence
from governance.models import ChangeRequest, LedgerHead

TOTALS = (
    "published",
    "delivered",
    "failed_attempts",
    "retries",
    "dead",
    "skipped",
    "discarded",
)
_LATENCIES = """
SELECT environment, place, sum(count)::bigint FROM delivery_rollup,
    unnest(latency_counts) WITH ORDINALITY AS latency(count, place)
WHERE grain = %s AND subscription_id IS NOT NULL GROUP BY 1, 2
"""
_ERRORS = """
SELECT environment, error.key, sum(error.value::bigint)::bigint
FROM delivery_rollup, jsonb_each_text(errors) AS error WHERE grain = %s GROUP BY 1, 2
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauge:
    """One family of values: `values` maps label values (in the order of `labels`) to numbers.

    A histogram has the upper bound of its class as last label, and the numbers add up.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    values: dict[tuple[str, ...], float] = field(default_factory=dict)
    is_total: bool = False
    is_histogram: bool = False


def gauges(*, now: datetime) -> Iterator[Gauge]:
    """Yield every family; a fixed number of queries."""
    yield from _queue(now)
    yield from _subscriptions()
    yield Gauge(
        name="signalbox_dead_letters_open",
        help="Dead letters that nobody has replayed or discarded.",
        labels=("environment",),
        values=_by_environment(DeadLetter.objects.filter(resolved_at__isnull=True)),
    )
    yield Gauge(
        name="signalbox_failure_groups_open",
        help="Causes of failure that nobody has settled.",
        labels=("environment",),
        values=_by_environment(FailureGroup.objects.unsettled()),
    )
    yield from _totals()
    yield _errors()
    yield _latencies()
    yield from _work(now)
    yield from _reviews(now)
    head = LedgerHead.objects.first()
    yield Gauge(
        name="signalbox_ledger_entries",
        help="Entries of the ledger.",
        values={(): float(head.number if head else 0)},
        is_total=True,
    )


def _reviews(now: datetime) -> Iterator[Gauge]:
    found = cadence.measure(ChangeRequest.objects.all(), now=now)
    yield Gauge(
        name="signalbox_changes_in_review",
        help="Change requests that wait for a reviewer, and those of them that are late.",
        labels=("kind",),
        values={("waiting",): float(found.waiting), ("late",): float(found.late)},
    )
    times = {"median": found.median_seconds, "slowest": found.slowest_seconds}
    yield Gauge(
        name="signalbox_change_decision_seconds",
        help="From opening a change request to its decision, of those decided in the last 90 days.",
        labels=("of",),
        values={(of,): seconds for of, seconds in times.items() if seconds is not None},
    )


def _queue(now: datetime) -> Iterator[Gauge]:
    pushed = Subscription.objects.filter(mode=DeliveryMode.WEBHOOK)
    ours = QueueRow.objects.filter(subscription_id__in=pushed.values("pk"))
    found = ours.aggregate(
        owed=Count("pk"),
        due=Count("pk", filter=Q(due_at__lte=now)),
        retrying=Count("pk", filter=Q(attempts__gt=0)),
        oldest=Min(Cast("delivery_id", TextField())),
    )
    yield Gauge(
        name="signalbox_deliveries_owed",
        help="Deliveries that have not ended, by whether they are due or were tried before.",
        labels=("kind",),
        values={(kind,): float(found[kind]) for kind in ("owed", "due", "retrying")},
    )
    oldest = instant_of(UUID(found["oldest"])) if found["oldest"] else None
    yield Gauge(
        name="signalbox_oldest_owed_seconds",
        help="Age of the oldest delivery that has not ended; 0 when nothing waits.",
        values={(): (now - oldest).total_seconds() if oldest else 0.0},
    )


def _subscriptions() -> Iterator[Gauge]:
    standing = Subscription.objects.standing()
    states = dict(standing.values_list("state").annotate(n=Count("pk")).order_by())
    yield Gauge(
        name="signalbox_subscriptions",
        help="Standing subscriptions by state.",
        labels=("state",),
        values={(str(state),): float(states.get(state, 0)) for state in SubscriptionState},
    )
    circuits = dict(
        Circuit.objects.filter(subscription__in=standing)
        .values_list("state")
        .annotate(n=Count("pk"))
        .order_by()
    )
    yield Gauge(
        name="signalbox_circuits",
        help="Circuits of standing subscriptions by state.",
        labels=("state",),
        values={(str(state),): float(circuits.get(state, 0)) for state in CircuitState},
    )


def _by_environment(rows: QuerySet[Any]) -> dict[tuple[str, ...], float]:
    counted = dict(rows.values_list("environment").annotate(n=Count("pk")).order_by())
    return {(str(one),): float(counted.get(one, 0)) for one in Environment}


def _errors() -> Gauge:
    return Gauge(
        name="signalbox_attempt_errors",
        help="Failed attempts by the kind of failure, counted by the roll-ups.",
        labels=("environment", "error_class"),
        values={
            (environment, name): float(count)
            for environment, name, count in _rows(_ERRORS, Grain.DAY.value)
        },
        is_total=True,
    )


def _latencies() -> Gauge:
    """Return how many deliveries took at most so long from accepted to answered."""
    counts: dict[str, dict[int, int]] = {}
    for environment, place, count in _rows(_LATENCIES, Grain.DAY.value):
        counts.setdefault(environment, {})[place] = count
    bounds = [f"{milliseconds / 1000:g}" for milliseconds in LATENCY_BOUNDS_MS] + ["+Inf"]
    values: dict[tuple[str, ...], float] = {}
    for environment in map(str, Environment):
        reached = 0
        for place, bound in enumerate(bounds, 1):
            reached += counts.get(environment, {}).get(place, 0)
            values[environment, bound] = float(reached)
    return Gauge(
        name="signalbox_delivery_latency_seconds",
        help="Time from accepted to delivered, counted by the roll-ups.",
        labels=("environment", "le"),
        values=values,
        is_histogram=True,
    )


def _work(now: datetime) -> Iterator[Gauge]:
    """Yield what tells whether Signalbox's own workers keep up."""
    mark = RollupMark.objects.filter(name=rollups.MARK, at__isnull=False).first()
    lag = (now - mark.at).total_seconds() if mark and mark.at else 0.0
    yield Gauge(
        name="signalbox_rollup_lag_seconds",
        help="How far counting is behind; it grows while no worker or scheduler runs.",
        values={(): max(0.0, lag)},
    )
    yield Gauge(
        name="signalbox_mail_waiting",
        help="News that are due by e-mail and have not been sent.",
        values={(): float(Notification.objects.filter(mail_due_at__lte=now).count())},
    )


def _rows(statement: str, *parameters: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _totals() -> Iterator[Gauge]:
    sums = {
        environment: found
        for environment, *found in Rollup.objects.filter(grain=Grain.DAY)
        .values_list("environment")
        .annotate(**{f"{name}_sum": Sum(name) for name in TOTALS})
        .order_by()
    }
    for index, name in enumerate(TOTALS):
        yield Gauge(
            name=f"signalbox_{name}",
            help=f"Events or deliveries {name.replace('_', ' ')}, counted by the roll-ups.",
            labels=("environment",),
            values={
                (str(one),): float(sums[one][index] if one in sums else 0) for one in Environment
            },
            is_total=True,
        )
