"""What became of replayed deliveries; a dead letter whose event arrived is closed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from delivery import dead_letters
from delivery.models import DeadLetter, Delivery, ReplayItem
from delivery.states import DeliveryStatus


def note(ended: Mapping[UUID, str], *, now: datetime) -> None:
    """Write the results of replayed deliveries, by their id; inside governed(…).

    When one arrived, what it repeats is mended: every open letter of that event at that
    subscription is resolved, and its group counts one less.
    """
    for status in sorted(set(ended.values())):
        ids = [pk for pk, one in ended.items() if one == status]
        ReplayItem.objects.filter(delivery_id__in=ids).update(ended_at=now, result=status)
    arrived = [pk for pk, status in ended.items() if status == DeliveryStatus.DELIVERED]
    if arrived:
        _close_letters(arrived, now)


def _close_letters(arrived: list[UUID], now: datetime) -> None:
    deliveries = Delivery.objects.filter(pk__in=arrived)
    pairs = set(deliveries.values_list("event_id", "subscription_id"))
    repeated = set(deliveries.values_list("repeats_id", flat=True))
    letters = DeadLetter.objects.filter(
        event_id__in={event_id for event_id, _subscription in pairs}, resolved_at__isnull=True
    ).values_list("pk", "event_id", "subscription_id")
    mended = [
        pk
        for pk, event_id, subscription_id in letters
        if pk in repeated or (event_id, subscription_id) in pairs
    ]
    if mended:
        at = date_format(now.astimezone(UTC), "j M Y H:i")
        how = _("Replayed, arrived %(at)s UTC") % {"at": at}
        dead_letters.resolve(mended, how=how, now=now)
