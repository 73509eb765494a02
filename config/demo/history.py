"""Lays past traffic behind the demo shop, by COPY: a day of it, or a million events for measuring.

The rows are those that the engine would have left: events with payloads, deliveries, attempts.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from catalog.ids import first_of
from catalog.models import Application, SchemaVersion
from catalog.words import Environment
from config.demo import content, receiver
from delivery import dead_letters, partitions
from delivery.claiming import Owed
from delivery.dead_letters import Death
from delivery.models import Delivery, Subscription
from delivery.retrying import Limit
from delivery.transports import ErrorClass, TransportError
from governance.governed import governed

DAY_EVENTS = 1500
BATCH = 5000
SEED = 20261122  # the same shop each time, so that a picture of it stays true
_ATTEMPT_DICE = random.Random(SEED)  # noqa: S311 - play, not secrets
# What each of the receiver's paths answered in the past: (share, [(status, milliseconds), …]).
ANSWERS: Mapping[str, Sequence[tuple[float, Sequence[tuple[int, int]]]]] = {
    "/healthy": [(1.0, [(200, 24)])],
    "/slow": [(0.95, [(200, 2520)]), (0.05, [(429, 40), (200, 2500)])],
    "/flaky": [
        (0.75, [(200, 30)]),
        (0.2, [(503, 22), (200, 31)]),
        (0.05, [(503, 20)] * 2 + [(200, 28)]),
    ],
    # Until they broke.
    "/dead": [(1.0, [(200, 110)])],
    "/gone-flow": [(1.0, [(200, 85)])],
}
# Since when, before now, a path has failed; what it answers, how long that takes, and which limit.
BROKEN: Mapping[str, tuple[timedelta, int, str, int, Limit]] = {
    "/dead": (timedelta(hours=2, minutes=30), 500, receiver.BROKEN, 4, Limit.ATTEMPTS),
    "/gone-flow": (timedelta(minutes=40), 404, receiver.NO_FLOW, 1, Limit.PERMANENT),
}
EVENT_COLUMNS = (
    "id", "environment", "source", "event_id", "type_id", "version_id", "application_id", "subject",
    "time", "received_at", "correlation_id", "causation_id", "trace_parent", "hops",
    "partition_key", "extensions", "regions", "size_bytes",
)  # fmt: skip
DELIVERY_COLUMNS = (
    "id", "event_id", "subscription_id", "environment", "status", "reason", "ended_at",
)  # fmt: skip
ATTEMPT_COLUMNS = (
    "id", "delivery_id", "subscription_id", "number", "started_at", "duration_ms", "outcome",
    "status_code", "error_class", "message", "response_excerpt", "url",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One event type as one application sends it, and who receives it."""

    type_id: UUID
    version_id: UUID
    topic_id: UUID
    application_id: UUID
    source: str
    sample: Mapping[str, Any]
    subscriptions: tuple[Subscription, ...]


def lay(*, now: datetime, events: int = DAY_EVENTS, span: timedelta = timedelta(days=1)) -> int:
    """Write `events` past events spread over `span` before `now`; return how many deliveries."""
    dice = random.Random(SEED)  # noqa: S311 - play, not secrets
    flows = _flows()
    if not flows:
        return 0
    partitions.ensure(now - span, days_ahead=span.days + 1)
    moments = _moments(dice, now=now, events=events, span=span)
    written = 0
    with transaction.atomic():
        for batch in _batched(moments, BATCH):
            written += _write([(at, dice.choice(flows)) for at in batch], dice, now)
    return written


def _flows() -> list[Flow]:
    """Return what the seeded shop sends; the first flow named twice is twice as frequent."""
    senders = {
        topic: Application.objects.get(slug=slug)
        for slug, verb, topic in content.GRANTS
        if verb == "publish"
    }
    found = []
    for contract in content.CONTRACTS:
        version = (
            SchemaVersion.objects.live_in(Environment.PRODUCTION)
            .filter(event_type__name=contract.name)
            .select_related("event_type")
            .newest_first()
            .first()
        )
        sender = senders.get(contract.topic)
        if version is None or sender is None:
            continue
        topic_id = version.event_type.topic_id
        receivers = Subscription.objects.filter(
            topic_id=topic_id, environment=Environment.PRODUCTION
        ).select_related("endpoint")
        wanted = tuple(s for s in receivers if not s.event_types or contract.name in s.event_types)
        found.append(
            Flow(
                type_id=version.event_type_id,
                version_id=version.pk,
                topic_id=topic_id,
                application_id=sender.pk,
                source=f"/{sender.slug}",
                sample=json.loads(version.example),
                subscriptions=wanted,
            )
        )
    return [*found, *found[:1], *found[3:4]]


def _moments(
    dice: random.Random, *, now: datetime, events: int, span: timedelta
) -> Iterator[datetime]:
    """Yield instants before `now`, oldest first, busier by day than by night."""
    seconds = span.total_seconds()
    offsets: list[float] = []
    while len(offsets) < events:
        offset = dice.random() * seconds
        hour = ((now - timedelta(seconds=offset)).hour - 14) / 24
        if dice.random() < 0.55 + 0.45 * math.cos(hour * 2 * math.pi):
            offsets.append(offset)
    for offset in sorted(offsets, reverse=True):
        yield now - timedelta(seconds=offset)


def _batched(moments: Iterator[datetime], size: int) -> Iterator[list[datetime]]:
    while batch := list(itertools.islice(moments, size)):
        yield batch


def _id(at: datetime, dice: random.Random) -> UUID:
    return UUID(int=first_of(at).int | (dice.getrandbits(12) << 64) | dice.getrandbits(62))


def _write(batch: list[tuple[datetime, Flow]], dice: random.Random, now: datetime) -> int:
    events: list[tuple[Any, ...]] = []
    payloads: list[tuple[Any, ...]] = []
    deliveries: list[tuple[Any, ...]] = []
    attempts: list[tuple[Any, ...]] = []
    deaths: list[Death] = []
    for at, flow in batch:
        event_id = _id(at, dice)
        data, key = _data(flow, dice, at)
        events.append(_event(flow, event_id, at, key, data))
        payloads.append((event_id, flow.topic_id, data))
        for subscription in flow.subscriptions:
            if subscription.filter and json.loads(data).get("change", 0) >= 0:
                continue
            delivery_id = _id(at, dice)
            death = _death(subscription, delivery_id, event_id, at, now)
            if death is not None:
                deaths.append(death)
                deliveries.append(_dead_row(death))
                attempts += _failed_attempts(subscription, death)
                continue
            ended = at
            for number, answer in enumerate(_answers(subscription, dice), 1):
                attempts.append(_attempt(subscription, delivery_id, number, ended, answer))
                status, took = answer
                ended += timedelta(milliseconds=took, seconds=5 if status != 200 else 0)
            deliveries.append(
                (
                    delivery_id,
                    event_id,
                    subscription.pk,
                    Environment.PRODUCTION.value,
                    "delivered",
                    "",
                    ended,
                )
            )
    _copy("delivery_event", EVENT_COLUMNS, events)
    _copy("delivery_payload", ("event_id", "topic_id", "data"), payloads)
    _copy("delivery_delivery", DELIVERY_COLUMNS, deliveries)
    _copy("delivery_attempt", ATTEMPT_COLUMNS, attempts)
    _bury(deaths)
    return len(deliveries)


def _death(
    subscription: Subscription, delivery_id: UUID, event_id: UUID, at: datetime, now: datetime
) -> Death | None:
    """Return how the delivery died, if its receiver was broken then and it has had its tries."""
    broken = BROKEN.get(_path(subscription))
    if broken is None or at < now - broken[0] or at > now - timedelta(minutes=2):
        return None
    _since, status, said, tries, limit = broken
    return Death(
        owed=Owed(
            delivery_id=delivery_id,
            subscription_id=subscription.pk,
            event_id=event_id,
            lease=delivery_id,
            due_at=at,
            leased_until=at,
            attempts=tries - 1,
            first_attempt_at=at,
            waited_seconds=0,
            is_replay=False,
            order_key=None,
            goes_second=None,
        ),
        error=TransportError(
            f"The receiver answered {status}.",
            error_class=ErrorClass.HTTP_STATUS,
            permanent=limit == Limit.PERMANENT,
            duration_ms=90,
            status=status,
            response_excerpt=json.dumps({"code": status, "message": said}),
        ),
        limit=limit,
        attempts=tries,
        first_attempt_at=at,
        started_at=at + timedelta(seconds=20 * (tries - 1)),
    )


def _dead_row(death: Death) -> tuple[Any, ...]:
    owed = death.owed
    return (
        owed.delivery_id,
        owed.event_id,
        owed.subscription_id,
        Environment.PRODUCTION.value,
        "dead",
        death.limit.value,
        death.started_at,
    )


def _failed_attempts(subscription: Subscription, death: Death) -> list[tuple[Any, ...]]:
    at = death.first_attempt_at
    return [
        (
            _id(at + timedelta(seconds=20 * (number - 1)), _ATTEMPT_DICE),
            death.owed.delivery_id,
            subscription.pk,
            number,
            at + timedelta(seconds=20 * (number - 1)),
            death.error.duration_ms + number,
            "failed",
            death.error.status,
            death.error.error_class.value,
            death.error.message,
            death.error.response_excerpt,
            subscription.endpoint.url if subscription.endpoint else "",
        )
        for number in range(1, death.attempts + 1)
    ]


def _bury(deaths: list[Death]) -> None:
    """Write letters and groups as the engine does, each at its own time."""
    for death in deaths:
        at = death.started_at
        with governed(by=None, now=at):
            groups = dead_letters.groups_for([death], now=at)
            dead_letters.bury([death], groups, now=at)
        Delivery.objects.filter(pk=death.owed.delivery_id).update(
            failure_group=groups[death.fingerprint]
        )


def _data(flow: Flow, dice: random.Random, at: datetime) -> tuple[str, str]:
    data = dict(flow.sample)
    key = ""
    if "order_id" in data:
        key = data["order_id"] = f"A-{dice.randrange(10_000, 99_999)}"
    if "total" in data:
        data["total"] = {"amount": dice.randrange(500, 30_000) / 100, "currency": "EUR"}
    if "placed_at" in data:
        data["placed_at"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if "change" in data:
        data["change"] = dice.choice([-1, -1, -2, -3, 12])
        data["on_hand"] = dice.randrange(0, 90)
    if "customer_id" in data:
        key = data["customer_id"] = f"C-{dice.randrange(1000, 9999)}"
    return json.dumps(data, ensure_ascii=False), key


def _event(flow: Flow, event_id: UUID, at: datetime, key: str, data: str) -> tuple[Any, ...]:
    tail = event_id.hex
    return (
        event_id,
        Environment.PRODUCTION.value,
        flow.source,
        f"evt-{tail[-12:]}",
        flow.type_id,
        flow.version_id,
        flow.application_id,
        key or None,
        at.isoformat(),
        at,
        f"corr-{tail[-12:]}",
        "",
        f"00-{tail}-{tail[-16:]}-01",
        0,
        key,
        "{}",
        "[]",
        len(data.encode()),
    )


def _path(subscription: Subscription) -> str:
    return "/" + subscription.endpoint.url.rsplit("/", 1)[-1] if subscription.endpoint else ""


def _answers(subscription: Subscription, dice: random.Random) -> Sequence[tuple[int, int]]:
    chance = dice.random()
    for share, answers in ANSWERS.get(_path(subscription), ANSWERS["/healthy"]):
        chance -= share
        if chance <= 0:
            return [(status, int(took * dice.uniform(0.7, 1.6))) for status, took in answers]
    return [(200, 25)]


def _attempt(
    subscription: Subscription,
    delivery_id: UUID,
    number: int,
    at: datetime,
    answer: tuple[int, int],
) -> tuple[Any, ...]:
    status, took = answer
    is_ok = status == 200
    return (
        _id(at, _ATTEMPT_DICE),
        delivery_id,
        subscription.pk,
        number,
        at,
        took,
        "delivered" if is_ok else "failed",
        status,
        "" if is_ok else "http_status",
        "" if is_ok else f"The endpoint answered {status}.",
        '{"received": true}' if is_ok else '{"message": "try later"}',
        subscription.endpoint.url if subscription.endpoint else "",
    )


def _copy(table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
