"""Events of a feed that cannot be handed out: each dies with its letter, like any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from catalog.ids import uuid7
from delivery import dead_letters, replay_results
from delivery.claiming import Owed
from delivery.dead_letters import Death
from delivery.models import Delivery, FailureGroup, QueueRow, Subscription
from delivery.retrying import Limit
from delivery.states import DeliveryStatus
from delivery.transports import ErrorClass, TransportError
from governance.governed import governed


def bury(failed: Mapping[UUID, str], subscription: Subscription, *, now: datetime) -> None:
    """End what is owed of these events, by id with the reason: they could not be converted."""
    with governed(by=None, now=now):
        owed = QueueRow.objects.select_for_update().filter(
            subscription_id=subscription.pk, event_id__in=failed, position__isnull=False
        )
        deaths = [_death(row, failed[row.event_id], now) for row in owed.order_by("delivery_id")]
        groups = dead_letters.groups_for(deaths, now=now)
        _end(deaths, groups, now)
        dead_letters.bury(deaths, groups, now=now)
        replayed = {d.owed.delivery_id: DeliveryStatus.DEAD for d in deaths if d.owed.is_replay}
        if replayed:
            replay_results.note(replayed, now=now)


def _end(deaths: Sequence[Death], groups: Mapping[str, FailureGroup], now: datetime) -> None:
    QueueRow.objects.filter(pk__in=[death.owed.delivery_id for death in deaths]).delete()
    for fingerprint, group in groups.items():
        same = [d.owed.delivery_id for d in deaths if d.fingerprint == fingerprint]
        Delivery.objects.filter(pk__in=same).update(
            status=DeliveryStatus.DEAD,
            reason=Limit.PERMANENT,
            ended_at=now,
            failure_group=group,
        )


def _death(row: QueueRow, why: str, now: datetime) -> Death:
    return Death(
        owed=Owed(
            delivery_id=row.delivery_id,
            subscription_id=row.subscription_id,
            event_id=row.event_id,
            due_at=row.due_at,
            attempts=0,
            first_attempt_at=None,
            waited_seconds=0,
            is_replay=row.is_replay,
            order_key=None,
            goes_second=None,
            lease=uuid7(),
            leased_until=now,
        ),
        error=TransportError(why, error_class=ErrorClass.TRANSLATION, permanent=True),
        limit=Limit.PERMANENT,
        attempts=0,
        first_attempt_at=now,
        started_at=now,
    )
