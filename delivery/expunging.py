"""Taking an event's data away for good, because a person has a right to it, or a secret got in."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import dead_letters, values
from delivery.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Event,
    Expunction,
    Payload,
    QueueRow,
    ReplayItem,
)
from delivery.models.deliveries import NEVER
from delivery.replay_checks import Refusal
from delivery.states import DeliveryStatus
from governance import access
from governance.actions import Action
from governance.governed import governed, record

REASON_CHARACTERS = Delivery._meta.get_field("reason").max_length or 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What goes with a payload: `events` counts its own and those that were made from it."""

    events: int
    discarded: int
    letters: int


def expunge(event: Event, *, reason: str, by: User, now: datetime) -> Expunction:
    """Delete the event's data wherever it stands, with that of its corrections and copies.

    What webhooks are still owed of it is discarded, with the reason; a feed hands the event out
    without data, and says why. A request that is under way cannot be called back. What receivers
    answered goes too: they may have repeated it. Raises PermissionDenied, ValidationError without a
    reason, and IllegalMove when it was expunged before.
    """
    access.require(by, Action.PAYLOAD_EXPUNGE, event)
    reason = reason.strip()
    if not reason:
        raise ValidationError(
            {"reason": _("Say why: the ledger keeps it, and every page says so.")}
        )
    with governed(by=by, now=now, reason=reason):
        _require_first(event)
        ids = _with_descendants(event)
        digest = _digest(event)
        made = _note(ids, reason, by, now)[event.pk]
        taken = _take(ids, made, now)
        values.forget_events(ids, topic_id=event.type.topic_id)
        record(
            Action.PAYLOAD_EXPUNGE,
            event,
            before={"data_sha256": digest},
            after=asdict(taken),
            related=(event.type.topic, event.type, event.application),
        )
    return made


def outlook(event: Event) -> Taken:
    """Return what `expunge` would take now."""
    ids = _with_descendants(event)
    return Taken(
        events=len(ids),
        discarded=_owed(ids).count(),
        letters=DeadLetter.objects.filter(event_id__in=ids, resolved_at__isnull=True).count(),
    )


def of(event_ids: Collection[UUID]) -> dict[UUID, Expunction]:
    """Return by event whose payloads were expunged; one query."""
    return Expunction.objects.select_related("expunged_by").in_bulk(list(event_ids))


def _require_first(event: Event) -> None:
    """Let one person at a time do it, once."""
    Event.objects.select_for_update().filter(pk=event.pk).first()
    before = of([event.pk]).get(event.pk)
    if before is not None:
        raise IllegalMove(str(before), current="expunged")


def _with_descendants(event: Event) -> list[UUID]:
    """Return the event and all that was made from its data: corrections and staging copies."""
    found, newest = [event.pk], [event.pk]
    while newest:
        made = Event.objects.filter(origin_id__in=newest).exclude(pk__in=found)
        newest = list(made.values_list("pk", flat=True))
        found += newest
    return found


def _digest(event: Event) -> str:
    data = Payload.objects.filter(pk=event.pk).values_list("data", flat=True).first()
    return hashlib.sha256(data.encode()).hexdigest() if data is not None else ""


def _note(ids: list[UUID], reason: str, by: User, now: datetime) -> dict[UUID, Expunction]:
    made = [Expunction(event_id=pk, reason=reason, expunged_by=by, expunged_at=now) for pk in ids]
    Expunction.objects.bulk_create(made, ignore_conflicts=True)
    return {one.event_id: one for one in made}


def _take(ids: list[UUID], made: Expunction, now: datetime) -> Taken:
    # The queue first: a worker that settles one of these just now has written its letter then.
    discarded = _discard(ids, str(made)[:REASON_CHARACTERS], now)
    Payload.objects.filter(pk__in=ids).delete()
    deliveries = list(Delivery.objects.filter(event_id__in=ids).values_list("pk", flat=True))
    Attempt.objects.filter(delivery_id__in=deliveries).update(response_excerpt="")
    letters = DeadLetter.objects.filter(event_id__in=ids).update(payload="")
    dead_letters.resolve(deliveries, how=_("Its data was expunged"), now=now)
    ReplayItem.objects.filter(event_id__in=ids, delivery_id__isnull=True, refused="").update(
        refused=Refusal.EXPUNGED, result="refused", ended_at=now
    )
    return Taken(events=len(ids), discarded=discarded, letters=letters)


def _discard(ids: list[UUID], reason: str, now: datetime) -> int:
    """End what webhooks are owed; what a feed holds stays, so that its reader learns of it."""
    deliveries = [row.pk for row in _owed(ids).select_for_update().order_by("pk")]
    QueueRow.objects.filter(pk__in=deliveries).delete()
    return Delivery.objects.filter(pk__in=deliveries, status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.DISCARDED, reason=reason, ended_at=now
    )


def _owed(ids: list[UUID]) -> QuerySet[QueueRow]:
    return QueueRow.objects.filter(event_id__in=ids, due_at__lt=NEVER)
