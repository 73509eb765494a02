"""What is left of a delivery that died: its letter, and the group of those with the same cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from delivery import fingerprints, signals
from delivery.claiming import Owed
from delivery.models import DeadLetter, Event, FailureGroup, Payload, Subscription
from delivery.retrying import Limit
from delivery.states import FailureGroupState
from delivery.transports import TransportError
from governance.governed import record

OPENED = "failure:open"
REOPENED = "failure:reopen"
RESOLVED = "failure:resolve"


@dataclass(frozen=True, kw_only=True, slots=True)
class Death:
    """A delivery's last failed attempt, and which limit ran out."""

    owed: Owed
    error: TransportError
    limit: Limit
    attempts: int
    first_attempt_at: datetime
    started_at: datetime
    # What comes after it in its key waits for a person.
    parks_key: bool = False

    @property
    def cause(self) -> str:
        """What the receiver said, as the group shows it."""
        return fingerprints.cause(self.error.message, self.error.response_excerpt)

    @property
    def fingerprint(self) -> str:
        """What the group is known by."""
        return fingerprints.fingerprint(
            self.owed.subscription_id, self.error.error_class, self.error.status, self.cause
        )


def groups_for(deaths: Sequence[Death], *, now: datetime) -> Mapping[str, FailureGroup]:
    """Return the groups by fingerprint, made or opened again where need be; inside governed(…).

    A resolved group whose failure comes back is open again; an ignored one stays so until its date.
    """
    first = {death.fingerprint: death for death in deaths}
    found = {
        group.fingerprint: group
        for group in FailureGroup.objects.select_for_update(no_key=True)
        .filter(fingerprint__in=first)
        .order_by("pk")
    }
    for fingerprint, death in sorted(first.items()):
        group = found.get(fingerprint)
        if group is None:
            found[fingerprint] = _open(fingerprint, death, now)
        elif _comes_back(group, now):
            found[fingerprint] = _reopen(group, now)
    return found


def bury(deaths: Sequence[Death], groups: Mapping[str, FailureGroup], *, now: datetime) -> None:
    """Write the letters and count them in their groups; inside the transaction that ended them.

    An event that is dead already at the same subscription, as after a replay that failed, keeps
    its one letter, which tells the newest attempt.
    """
    letters = {
        (letter.event_id, letter.subscription_id): letter
        for letter in DeadLetter.objects.filter(
            event_id__in=[death.owed.event_id for death in deaths], resolved_at__isnull=True
        )
    }
    is_new = [(death.owed.event_id, death.owed.subscription_id) not in letters for death in deaths]
    fresh = [death for death, new in zip(deaths, is_new, strict=True) if new]
    DeadLetter.objects.bulk_create(_letters(fresh, groups, now), ignore_conflicts=True)
    for death, new in zip(deaths, is_new, strict=True):
        if not new:
            _tell_newest(letters[death.owed.event_id, death.owed.subscription_id], death)
    seen = Counter({groups[death.fingerprint].pk: 0 for death in deaths})
    seen.update(groups[death.fingerprint].pk for death in fresh)
    for pk, count in sorted(seen.items()):
        FailureGroup.objects.filter(pk=pk).update(
            count=F("count") + count, open_count=F("open_count") + count, last_seen_at=now
        )


def resolve(deliveries: Collection[UUID], *, how: str, now: datetime) -> int:
    """End the open letters of these deliveries; return how many; inside governed(…).

    A group without an open letter is resolved with the last one.
    """
    letters = DeadLetter.objects.filter(delivery_id__in=deliveries, resolved_at__isnull=True)
    by_group = Counter(
        letters.select_for_update().order_by("pk").values_list("failure_group_id", flat=True)
    )
    letters.update(resolved_at=now, resolution=how)
    for pk, count in sorted(by_group.items()):
        FailureGroup.objects.filter(pk=pk).update(open_count=F("open_count") - count)
        group = FailureGroup.objects.get(pk=pk)
        if group.open_count == 0 and group.state != FailureGroupState.RESOLVED:
            _resolve(group, how, now)
    return by_group.total()


def _open(fingerprint: str, death: Death, now: datetime) -> FailureGroup:
    subscription = Subscription.objects.select_related("application", "topic").get(
        pk=death.owed.subscription_id
    )
    group, is_made = FailureGroup.objects.get_or_create(
        fingerprint=fingerprint,
        defaults={
            "subscription": subscription,
            "environment": subscription.environment,
            "error_class": death.error.error_class,
            "status_code": death.error.status,
            "message": death.cause,
            "first_seen_at": now,
            "last_seen_at": now,
        },
    )
    if is_made:
        group.refresh_from_db(fields=["number"])
        signals.failure_opened.send(FailureGroup, thing=group, by=None, now=now)
        record(
            OPENED,
            group,
            after={"kind": death.error.error_class, "status": death.error.status},
            related=(subscription, subscription.application, subscription.topic),
        )
    return group


def _comes_back(group: FailureGroup, now: datetime) -> bool:
    if group.state == FailureGroupState.IGNORED:
        return group.ignored_until is not None and group.ignored_until <= now
    return group.state == FailureGroupState.RESOLVED


def _reopen(group: FailureGroup, now: datetime) -> FailureGroup:
    before = group.state
    group = FailureGroup.objects.move(
        group.pk,
        before,
        FailureGroupState.OPEN,
        resolved_at=None,
        ignored_until=None,
        assignee=None,
    )
    signals.failure_reopened.send(FailureGroup, thing=group, by=None, now=now)
    record(
        REOPENED,
        group,
        before={"state": before},
        after={"state": group.state},
        related=(group.subscription,),
    )
    return group


def _resolve(group: FailureGroup, how: str, now: datetime) -> None:
    before = group.state
    if before == FailureGroupState.IGNORED:
        return
    moved = FailureGroup.objects.move(
        group.pk, before, FailureGroupState.RESOLVED, resolved_at=now, resolution=how
    )
    signals.failure_resolved.send(FailureGroup, thing=moved, by=None, now=now)
    record(
        RESOLVED,
        moved,
        before={"state": before},
        after={"state": moved.state, "resolution": how},
        related=(moved.subscription,),
    )


def _letters(
    deaths: Sequence[Death], groups: Mapping[str, FailureGroup], now: datetime
) -> list[DeadLetter]:
    ids = [death.owed.event_id for death in deaths]
    events = Event.objects.filter(pk__in=ids).select_related("type", "version").in_bulk()
    payloads = dict(Payload.objects.filter(event_id__in=ids).values_list("event_id", "data"))
    return [
        DeadLetter(
            delivery_id=death.owed.delivery_id,
            event_id=death.owed.event_id,
            subscription_id=death.owed.subscription_id,
            failure_group=groups[death.fingerprint],
            environment=events[death.owed.event_id].environment,
            event_type=events[death.owed.event_id].type.name,
            version=events[death.owed.event_id].version.version,
            limit=death.limit,
            error_class=death.error.error_class,
            status_code=death.error.status,
            message=death.cause,
            attempts=death.attempts,
            first_attempt_at=death.first_attempt_at,
            last_attempt_at=death.started_at,
            died_at=now,
            payload=payloads.get(death.owed.event_id) or "",
        )
        for death in deaths
        if death.owed.event_id in events
    ]


def _tell_newest(letter: DeadLetter, death: Death) -> None:
    DeadLetter.objects.filter(pk=letter.pk).update(
        attempts=F("attempts") + 1,
        last_attempt_at=death.started_at,
        error_class=death.error.error_class,
        status_code=death.error.status,
        message=death.cause,
    )
