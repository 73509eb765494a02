"""A subscription that stands in for another, while that one's circuit is open or after it gave up.

What is handed over ends here as skipped, and becomes a delivery of the stand-in: its pace, tries,
order and dead letters are the stand-in's own. Whoever stands in has no stand-in itself, so nothing
goes round in circles; both stand in one region, so what may go to one may go to the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.ids import uuid7
from catalog.models import Application, Topic
from delivery.claiming import Owed
from delivery.models import Delivery, Event, QueueRow, Subscription
from delivery.models.deliveries import COLLECTING
from delivery.orders import Order
from delivery.states import DeliveryMode, DeliveryStatus


def possible(
    application: Application, topic: Topic, environment: str, *, itself: UUID | None
) -> QuerySet[Subscription]:
    """Return who may stand in: webhooks of the same team, topic and environment."""
    found = Subscription.objects.standing().filter(
        application__team_id=application.team_id,
        topic=topic,
        environment=environment,
        mode=DeliveryMode.WEBHOOK,
        fallback_subscription=None,
    )
    return found if itself is None else found.exclude(pk=itself)


def faults(
    order: Order,
    *,
    application: Application,
    topic: Topic,
    environment: str,
    itself: UUID | None,
) -> Iterator[tuple[str, str]]:
    """Yield what stands against the stand-in that the order names, each at its field."""
    if order.fallback_subscription is None:
        return
    if order.mode != DeliveryMode.WEBHOOK:
        yield "fallback_subscription", _("A feed has no stand-in: what it holds waits to be read.")
        return
    if order.fallback_url:
        yield "fallback_subscription", _("Choose a second address or a stand-in, not both.")
    others = possible(application, topic, environment, itself=itself).select_related("endpoint")
    other = others.filter(pk=order.fallback_subscription).first()
    if other is None:
        yield (
            "fallback_subscription",
            _(
                "Choose a webhook of the same team, topic and environment that has no stand-in "
                "itself."
            ),
        )
        return
    named = Subscription.objects.standing().filter(fallback_subscription=itself)
    if itself is not None and named.exists():
        yield (
            "fallback_subscription",
            _("This subscription stands in for another, so it can have no stand-in itself."),
        )
    region = order.endpoint_region or application.region_id
    if other.endpoint is not None and other.endpoint.region_id != region:
        yield (
            "fallback_subscription",
            _("Events may not go there: it is in %(region)s.") % {"region": other.endpoint.region},
        )
    if other.event_types and not set(order.event_types or ["*"]) <= set(other.event_types):
        yield (
            "fallback_subscription",
            _("It does not take every event that this subscription asks for."),
        )


def take_over(handed: Sequence[tuple[Owed, UUID]], *, now: datetime) -> None:
    """Owe each delivery to its stand-in, unless that has the event already."""
    pairs = {(owed.event_id, to): owed for owed, to in handed}
    standing = Subscription.objects.select_related("topic").in_bulk({to for _owed, to in handed})
    _take_turns(sorted(standing))
    ids = {event_id for event_id, _to in pairs}
    first = Delivery.objects.filter(event_id__in=ids, replay_id=None)
    has = set(
        first.exclude(status=DeliveryStatus.SKIPPED).values_list("event_id", "subscription_id")
    )
    keys = dict(Event.objects.filter(pk__in=ids).values_list("pk", "partition_key"))
    made = [
        Delivery(
            id=uuid7(),
            event_id=event_id,
            subscription=standing[to],
            environment=standing[to].environment,
            repeats_id=owed.delivery_id,
        )
        for (event_id, to), owed in pairs.items()
        if to in standing and (event_id, to) not in has
    ]
    Delivery.objects.bulk_create(made)
    QueueRow.objects.bulk_create(_queue_row(one, keys, now) for one in made)


def _queue_row(one: Delivery, keys: Mapping[UUID, str], now: datetime) -> QueueRow:
    rule = one.subscription.collecting_rule
    return QueueRow(
        delivery_id=one.pk,
        subscription_id=one.subscription_id,
        event_id=one.event_id,
        due_at=now if rule is None else rule.goes_at(now),
        order_key=(keys.get(one.event_id) or None) if one.subscription.is_ordered else None,
        batch_id=None if rule is None else COLLECTING,
    )


def _take_turns(subscription_ids: Sequence[UUID]) -> None:
    """Have two workers that hand over the same event, each of its subscription, see each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM delivery_circuit WHERE subscription_id = ANY(%s) "
            "ORDER BY subscription_id FOR NO KEY UPDATE",
            [list(subscription_ids)],
        )
