"""Feeds: a subscriber asks for what it is owed, and acknowledges what it has taken care of.

What is handed out gets the next position of its subscription, and keeps it. So a cursor never jumps
over an event whose transaction ended late, and a consumer that remembers its cursor sees each event
once. What is not acknowledged stays owed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.moves import IllegalMove
from delivery import envelopes, expunging, feed_failures, translations
from delivery.cloudevents import to_structured_bytes
from delivery.models import Event, Expunction, FeedPosition, Payload, QueueRow, Subscription
from delivery.states import DeliveryMode, SkipReason, SubscriptionState
from delivery.translating import Translation, TranslationFailed
from governance import access
from governance.actions import Action

DEFAULT_LIMIT = 100
EXPUNGED = "expunged"  # an extension attribute: by whom the data was taken away, and why
MAX_LIMIT = 1_000

_HAND_OUT = """
UPDATE delivery_queue SET position = %(handed_out)s + fresh.place
FROM (
    SELECT delivery_id, row_number() OVER (ORDER BY delivery_id) AS place
    FROM (
        SELECT delivery_id FROM delivery_queue
        WHERE subscription_id = %(subscription)s AND position IS NULL AND due_at >= '9999-01-01Z'
        ORDER BY delivery_id LIMIT %(limit)s
    ) AS waiting
) AS fresh
WHERE delivery_queue.delivery_id = fresh.delivery_id
"""
_ACKNOWLEDGE = """
WITH done AS (
    DELETE FROM delivery_queue
    WHERE subscription_id = %(subscription)s AND position <= %(cursor)s RETURNING delivery_id
)
UPDATE delivery_delivery SET status = 'delivered', ended_at = %(now)s
FROM done WHERE delivery_delivery.id = done.delivery_id AND status = 'pending'
"""
# What a rule forbids now, though it was allowed when it was routed: as a webhook would end it.
_KEEP_AWAY = """
WITH away AS (
    DELETE FROM delivery_queue
    WHERE subscription_id = %(subscription)s AND event_id = ANY(%(events)s) RETURNING delivery_id
)
UPDATE delivery_delivery SET status = 'skipped', reason = %(reason)s, ended_at = %(now)s
FROM away WHERE delivery_delivery.id = away.delivery_id AND status = 'pending'
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One event of a feed: its position, and the whole event in CloudEvents' JSON format."""

    cursor: int
    event_id: UUID
    event: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Events in the order of their positions, and the cursor that stands behind the last one."""

    items: tuple[Item, ...]
    cursor: int
    has_more: bool


def read(
    subscription: Subscription,
    *,
    after: int | None = None,
    limit: int = DEFAULT_LIMIT,
    by: User,
    now: datetime,
) -> Page:
    """Return what stands behind `after`; without it, everything not acknowledged from the start.

    Raises PermissionDenied for all but the subscription's own application while it may subscribe,
    IllegalMove while it is paused or has ended, ValidationError for a webhook or a bad limit.
    """
    _require_reader(subscription, by)
    if not 1 <= limit <= MAX_LIMIT:
        raise ValidationError({"limit": _("Ask for 1 to %(most)s events.") % {"most": MAX_LIMIT}})
    with transaction.atomic():
        place = _locked_place(subscription)
        # One more than asked for tells whether there is more.
        _hand_out(place, limit=limit + 1)
        place.read_at = now
        place.save(update_fields=["handed_out", "read_at"])
        start = place.acknowledged if after is None else after
        rows = list(
            QueueRow.objects.filter(subscription_id=subscription.pk, position__gt=start)
            .order_by("position")
            .values_list("position", "event_id")[: limit + 1]
        )
    shown = [(position or 0, event_id) for position, event_id in rows[:limit]]
    away = _bound_elsewhere([event_id for _position, event_id in shown], subscription)
    if away:
        _keep_away(subscription, away, now=now)
        shown = [(position, event_id) for position, event_id in shown if event_id not in away]
    items, failed = _items(shown, subscription)
    if failed:
        feed_failures.bury(failed, subscription, now=now)
    return Page(
        items=items,
        cursor=items[-1].cursor if items else start,
        has_more=len(rows) > limit,
    )


def acknowledge(subscription: Subscription, *, cursor: int, by: User, now: datetime) -> int:
    """End everything up to the cursor as delivered; return how many that were.

    Acknowledging twice does nothing. Raises PermissionDenied as `read` does, and ValidationError
    for a cursor that was never handed out.
    """
    _require_reader(subscription, by)
    with transaction.atomic(), connection.cursor() as statement:
        place = _locked_place(subscription)
        if not 0 <= cursor <= place.handed_out:
            raise ValidationError({"cursor": _("This cursor was never handed out.")})
        statement.execute(
            _ACKNOWLEDGE, {"subscription": subscription.pk, "cursor": cursor, "now": now}
        )
        count: int = statement.rowcount
        place.acknowledged = max(place.acknowledged, cursor)
        place.save(update_fields=["acknowledged"])
    return count


def _require_reader(subscription: Subscription, by: User) -> None:
    if subscription.mode != DeliveryMode.PULL:
        raise ValidationError({"mode": _("This subscription is a webhook: its events are sent.")})
    account = subscription.application.service_account
    if by.pk != account.pk or not by.is_active:
        raise PermissionDenied(_("Only the subscription's own application reads its feed."))
    environment = subscription.environment
    if not access.allows(
        account, Action.TOPIC_SUBSCRIBE, subscription.topic, environment=environment
    ):
        raise PermissionDenied(_("This application may no longer subscribe to the topic."))
    if subscription.ended_at is not None:
        raise IllegalMove(_("This subscription has ended."), current="ended")
    if subscription.state != SubscriptionState.ACTIVE:
        message = _("This subscription is %(state)s; its events are kept.")
        raise IllegalMove(message % {"state": subscription.state}, current=subscription.state)


def _locked_place(subscription: Subscription) -> FeedPosition:
    """Return the feed's place, locked: two readers at once must not give one position twice."""
    FeedPosition.objects.get_or_create(subscription=subscription)
    return FeedPosition.objects.select_for_update().get(subscription=subscription)


def _hand_out(place: FeedPosition, *, limit: int) -> None:
    with connection.cursor() as statement:
        statement.execute(
            _HAND_OUT,
            {
                "handed_out": place.handed_out,
                "subscription": place.subscription_id,
                "limit": limit,
            },
        )
        place.handed_out += statement.rowcount


def _bound_elsewhere(event_ids: list[UUID], subscription: Subscription) -> set[UUID]:
    """Return the events that may not leave regions in which the feed's reader is not."""
    region, bound = subscription.application.region_id, subscription.topic.regions
    if bound and region not in bound:
        return set(event_ids)
    marked = Event.objects.filter(pk__in=event_ids).exclude(regions=[])
    return {pk for pk, regions in marked.values_list("pk", "regions") if region not in regions}


def _keep_away(subscription: Subscription, events: set[UUID], *, now: datetime) -> None:
    """End what is owed of these events as webhooks do: skipped, with the reason."""
    with connection.cursor() as statement:
        statement.execute(
            _KEEP_AWAY,
            {
                "subscription": subscription.pk,
                "events": list(events),
                "reason": SkipReason.RESIDENCY.value,
                "now": now,
            },
        )


def _items(
    rows: list[tuple[int, UUID]], subscription: Subscription
) -> tuple[tuple[Item, ...], dict[UUID, str]]:
    """Return the events as the subscriber wants them, and why others cannot be converted."""
    ids = [event_id for _position, event_id in rows]
    events = Event.objects.select_related("type").in_bulk(ids)
    payloads = dict(Payload.objects.filter(pk__in=ids).values_list("event_id", "data"))
    taken = expunging.of({pk for pk in ids if pk not in payloads})
    pin = subscription.version_pin
    types = {event.type_id for event in events.values()}
    ways = translations.in_force(types) if pin is not None else {}
    items: list[Item] = []
    failed: dict[UUID, str] = {}
    for position, event_id in rows:
        event = events.get(event_id)
        if event is None:
            continue
        by_major = ways.get((event.version_id, event.environment), {})
        translation = by_major.get(pin) if pin is not None else None
        try:
            whole = _whole(event, payloads.get(event_id), translation, taken.get(event_id))
        except TranslationFailed as error:
            failed[event_id] = str(error)
        else:
            items.append(Item(cursor=position, event_id=event_id, event=whole))
    return tuple(items), failed


def _whole(
    event: Event, data: str | None, translation: Translation | None, taken: Expunction | None
) -> bytes:
    envelope = envelopes.envelope_of(event, data, type_name=event.type.name)
    if taken is not None:
        envelope = envelope.extended({EXPUNGED: str(taken)})
    if translation is not None and data is not None:
        envelope = translation.envelope(envelope)
    return to_structured_bytes(envelope)
