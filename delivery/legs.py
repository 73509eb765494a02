"""One delivery of an event with all that is known of it: tries, place in the queue, letter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from catalog.models import User
from delivery import decisions, diagnosis, parking, signing
from delivery.models import Attempt, DeadLetter, Delivery, QueueRow, Replay
from delivery.models.deliveries import COLLECTING
from delivery.parking import Ahead
from delivery.states import AttemptOutcome, DeliveryStatus, SkipReason
from governance import access
from governance.actions import Action

# What one page shows; an event that was replayed more often than this is rare.
MOST_ATTEMPTS = 1_000


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One delivery of the event with all that is known of it."""

    delivery: Delivery
    attempts: Sequence[Attempt] = ()
    queued: QueueRow | None = None
    letter: DeadLetter | None = None
    replay: Replay | None = None
    # The replay has a page for this viewer.
    opens_replay: bool = False
    # What it waits behind, where its subscription keeps the order of its key.
    ahead: Ahead | None = None
    # What a routing rule decided of it, "" where none did.
    ruling: str = ""

    @property
    def state(self) -> str:
        """Return the status, `retrying` where it is owed and was tried."""
        if self.delivery.status == DeliveryStatus.PENDING and self.attempts:
            return "retrying"
        return str(self.delivery.status)

    @property
    def is_collected(self) -> bool:
        """Tell whether it waits with others for its batch to be full, or for the time."""
        queued = self.queued
        return queued is not None and queued.batch_id == COLLECTING and not queued.attempts

    @property
    def request_id(self) -> str:
        """Return the `webhook-id` of its last try: a batch has one of its own."""
        batch_id = self.attempts[-1].batch_id if self.attempts else None
        return signing.message_id(str(batch_id or self.delivery.event_id))

    @property
    def is_in_batch(self) -> bool:
        """Tell whether its last try went out together with others."""
        return bool(self.attempts and self.attempts[-1].batch_id)

    @property
    def next_try_at(self) -> datetime | None:
        """Return when it is tried next; None when nothing is planned, as for a feed."""
        if self.queued is None or self.queued.due_at.year > 9000:
            return None
        return self.queued.due_at

    @property
    def last_failure(self) -> Attempt | None:
        """Return the last try when it failed."""
        last = self.attempts[-1] if self.attempts else None
        return last if last and last.outcome == AttemptOutcome.FAILED else None

    @property
    def told(self) -> diagnosis.Diagnosis | None:
        """Return what its last failure means; None when it did not fail last."""
        failed = self.last_failure
        if failed is None:
            return None
        kind = self.delivery.subscription.application.kind
        return diagnosis.explain(failed.error_class, failed.status_code, kind=kind)

    @property
    def skipped_because(self) -> diagnosis.Diagnosis | None:
        """Return what the rule that skipped it means; None when none did."""
        if self.delivery.status != DeliveryStatus.SKIPPED:
            return None
        return diagnosis.of_skip(self.delivery.reason)

    @property
    def reason(self) -> diagnosis.Text:
        """Return why it stands as it does, in words; empty where the state says it all."""
        match self.delivery.status:
            case DeliveryStatus.SKIPPED if self.delivery.reason == SkipReason.RULE and self.ruling:
                return self.ruling
            case DeliveryStatus.SKIPPED:
                return diagnosis.explain_skip(self.delivery.reason)
            case DeliveryStatus.DISCARDED:
                return self.delivery.reason
            case DeliveryStatus.DEAD | DeliveryStatus.PENDING if self.told:
                return self.told.what
        return ""


def of(deliveries: Sequence[Delivery], *, viewer: User) -> list[Leg]:
    """Return deliveries with their tries, places in the queue, letters and replays: 5 queries.

    Three more where some of them keep the order of a key, one where some were replayed.
    """
    ids = [one.pk for one in deliveries]
    tries: dict[UUID, list[Attempt]] = {pk: [] for pk in ids}
    for attempt in Attempt.objects.filter(delivery_id__in=ids).order_by("id")[:MOST_ATTEMPTS]:
        tries[attempt.delivery_id].append(attempt)
    queued = QueueRow.objects.in_bulk(ids)
    ahead = parking.ahead_of(queued.values())
    letters = DeadLetter.objects.select_related("failure_group").in_bulk(ids)
    replays = Replay.objects.select_related("requested_by", "approved_by").in_bulk(
        {one.replay_id for one in deliveries if one.replay_id}
    )
    opened = _opened(replays, viewer)
    rulings = decisions.by_delivery({(one.event_id, one.subscription_id) for one in deliveries})
    return [
        Leg(
            delivery=one,
            attempts=tries[one.pk],
            queued=queued.get(one.pk),
            letter=letters.get(one.pk),
            replay=replays.get(one.replay_id) if one.replay_id else None,
            opens_replay=one.replay_id in opened,
            ahead=ahead.get(one.pk),
            ruling=rulings.get((one.event_id, one.subscription_id), ""),
        )
        for one in deliveries
    ]


def _opened(replays: Collection[UUID], viewer: User) -> set[UUID]:
    """Return which replays have a page for the viewer."""
    if not replays:
        return set()
    some = Replay.objects.filter(pk__in=replays)
    return set(access.restrict(some, viewer, Action.REPLAY_VIEW).values_list("pk", flat=True))
