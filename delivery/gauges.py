"""What monitoring asks of a running copy, read from the database: every process answers alike.

Totals come from the day roll-ups, so a scrape costs the same whatever the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet, Sum, TextField
from django.db.models.functions import Cast

from catalog.ids import instant_of
from catalog.words import Environment
from delivery.models import Circuit, DeadLetter, QueueRow, Rollup, Subscription
from delivery.models.counts import Grain
from delivery.states import CircuitState, DeliveryMode, SubscriptionState
from governance.models import LedgerHead

TOTALS = ("published", "delivered", "failed_attempts", "dead", "skipped", "discarded")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gauge:
    """One family of values: `values` maps label values (in the order of `labels`) to numbers."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    values: dict[tuple[str, ...], float] = field(default_factory=dict)
    is_total: bool = False


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
    yield from _totals()
    head = LedgerHead.objects.first()
    yield Gauge(
        name="signalbox_ledger_entries",
        help="Entries of the ledger.",
        values={(): float(head.number if head else 0)},
        is_total=True,
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
