"""Keys of ordered subscriptions that wait because an event of theirs died.

What comes after it stays owed and is not due (`NEVER`) until someone lets the key go, or decides
that it is not needed. A replay of the event that died goes all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import database_clock, failures, signals
from delivery.dead_letters import Death
from delivery.models import Delivery, ParkedKey, QueueRow, Subscription
from delivery.models.deliveries import COLLECTING, NEVER
from governance import access
from governance.actions import Action
from governance.governed import governed, record

PARKED = "key:park"
RELEASED = "key:release"
DISCARDED = "key:discard"
# So many at once: each is discarded with its own entry in the ledger.
MOST_DISCARDED = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """What a delivery of a key waits for: the one before it, or a person's word on the key."""

    delivery_id: UUID
    event_id: str
    is_parked: bool


def park(deaths: Sequence[Death], *, now: datetime) -> None:
    """Let what comes after these in their keys wait; inside the transaction that ended them."""
    for death in deaths:
        _parked, is_new = ParkedKey.objects.get_or_create(
            subscription_id=death.owed.subscription_id,
            order_key=death.owed.order_key or "",
            defaults={"delivery_id": death.owed.delivery_id, "parked_at": now},
        )
        if is_new:
            subscription = Subscription.objects.get(pk=death.owed.subscription_id)
            # The key may be somebody's number; the delivery tells it to those who may see it.
            record(PARKED, subscription, after={"delivery": death.owed.delivery_id})


def release(parked: ParkedKey, *, by: User, now: datetime, reason: str = "") -> int:
    """Send what waits of the key, the oldest first; return how much that is.

    Raises PermissionDenied, and IllegalMove when someone was faster.
    """
    subscription = parked.subscription
    access.require(by, Action.SUBSCRIPTION_RESUME, subscription)
    with governed(by=by, now=now, reason=reason):
        parked = _locked(parked)
        count = _let_go(_waiting(parked), subscription)
        parked.delete()
        transaction.on_commit(
            lambda: signals.work_waits.send_robust(None, subscription_ids=[subscription.pk])
        )
        record(RELEASED, subscription, after={"delivery": parked.delivery_id, "sent": count})
    return count


def discard(parked: ParkedKey, *, reason: str, by: User, now: datetime) -> int:
    """Discard what waits of the key and let it go; return how much that was.

    The event that died keeps its dead letter. Of more than `MOST_DISCARDED` only so many are
    discarded, and the key stays parked. Raises PermissionDenied, ValidationError without a reason,
    and IllegalMove when someone was faster.
    """
    access.require(by, Action.SUBSCRIPTION_RESUME, parked.subscription)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is not needed: the reason is kept.")})
    with governed(by=by, now=now, reason=reason):
        parked = _locked(parked)
        waiting = list(_waiting(parked).values_list("pk", flat=True)[: MOST_DISCARDED + 1])
        deliveries = Delivery.objects.filter(pk__in=waiting[:MOST_DISCARDED])
        rows = list(deliveries.select_related("subscription__application", "subscription__topic"))
        failures.discard_all(rows, reason=reason, by=by, now=now)
        if len(waiting) <= MOST_DISCARDED:
            parked.delete()
        record(
            DISCARDED,
            parked.subscription,
            after={"delivery": parked.delivery_id, "discarded": len(rows)},
        )
    return len(rows)


def let_all_go(subscription: Subscription) -> None:
    """Let every key go, as where the subscription parks none any more; inside governed(…)."""
    keys = ParkedKey.objects.filter(subscription=subscription)
    if not keys.exists():
        return
    rows = QueueRow.objects.filter(
        subscription_id=subscription.pk, order_key__isnull=False, due_at__gte=NEVER
    )
    _let_go(rows, subscription)
    keys.delete()


def with_waiting(keys: QuerySet[ParkedKey]) -> QuerySet[ParkedKey]:
    """Add `waiting`: how many deliveries wait for each key to be let go."""
    rows = QueueRow.objects.filter(
        subscription_id=OuterRef("subscription_id"),
        order_key=OuterRef("order_key"),
        is_replay=False,
    )
    counted = rows.order_by().values("order_key").annotate(n=Count("pk")).values("n")
    return keys.annotate(waiting=Coalesce(Subquery(counted), 0))


def ahead_of(rows: Collection[QueueRow]) -> Mapping[UUID, Ahead]:
    """Return what each of these waits behind, by delivery; what is next itself is left out."""
    keyed = [row for row in rows if row.order_key is not None]
    if not keyed:
        return {}
    wanted = Q()
    for row in keyed:
        wanted |= Q(subscription_id=row.subscription_id, order_key=row.order_key)
    first = {
        (row.subscription_id, row.order_key or ""): row.pk
        for row in QueueRow.objects.filter(wanted)
        .order_by("subscription_id", "order_key", "delivery_id")
        .distinct("subscription_id", "order_key")
    }
    parked = {
        (key.subscription_id, key.order_key): key.delivery_id
        for key in ParkedKey.objects.filter(wanted)
    }
    names = dict(
        Delivery.objects.filter(pk__in=[*first.values(), *parked.values()]).values_list(
            "pk", "event__event_id"
        )
    )
    found = {}
    for row in keyed:
        place = (row.subscription_id, row.order_key or "")
        pk = parked.get(place) or first.get(place)
        if pk is not None and pk != row.pk and not row.is_replay:
            found[row.pk] = Ahead(
                delivery_id=pk, event_id=names.get(pk, ""), is_parked=place in parked
            )
    return found


def _waiting(parked: ParkedKey) -> QuerySet[QueueRow]:
    return QueueRow.objects.filter(
        subscription_id=parked.subscription_id, order_key=parked.order_key, is_replay=False
    ).order_by("pk")


def _let_go(rows: QuerySet[QueueRow], subscription: Subscription) -> int:
    now, rule = database_clock.read(), subscription.collecting_rule
    count = rows.filter(due_at__gte=NEVER).exclude(batch_id=COLLECTING).update(due_at=now)
    due_at = now if rule is None else rule.goes_at(now)
    return count + rows.filter(due_at__gte=NEVER, batch_id=COLLECTING).update(due_at=due_at)


def _locked(parked: ParkedKey) -> ParkedKey:
    keys = ParkedKey.objects.select_for_update(of=("self",)).select_related(
        "subscription__application", "subscription__topic"
    )
    found = keys.filter(pk=parked.pk).first()
    if found is None:
        raise IllegalMove(_("Someone has let this key go meanwhile."), current="released")
    return found
