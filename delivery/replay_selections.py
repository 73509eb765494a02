"""What a replay is about: which events, that went where, are to go again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from catalog.ids import first_of
from catalog.models import User
from delivery.models import Delivery, Event, FailureGroup, Subscription
from delivery.states import DeliveryStatus
from governance import access
from governance.actions import Action

MAX_DAYS_BACK = 14
MAX_ITEMS = 10_000
# What even an admin's confirmation does not lift: the rows are made in one transaction.
MAX_ITEMS_EVER = 100_000

_ENDED = (
    DeliveryStatus.DEAD,
    DeliveryStatus.SKIPPED,
    DeliveryStatus.DISCARDED,
    DeliveryStatus.DELIVERED,
)


class Candidate(NamedTuple):
    """One thing to deliver again; `repeats_id` is None where it was never owed before."""

    event_id: UUID
    subscription_id: UUID
    repeats_id: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Deliveries by their ids, by failure group, or by subscription or topic and time.

    `status` narrows to deliveries that ended so; without it, dead ones are meant, except where
    deliveries are named. A `topic` selects events, to be sent to a subscription that is named
    beside the selection, whether they were owed to it before or not; with `never_tried` only those
    of which nothing was ever sent to it, nor decided by a person.
    """

    deliveries: tuple[UUID, ...] = ()
    failure_group: UUID | None = None
    subscription: UUID | None = None
    topic: UUID | None = None
    event_type: str = ""
    status: str = ""
    since: datetime | None = None
    until: datetime | None = None
    never_tried: bool = False

    @classmethod
    def of(cls, document: Mapping[str, object]) -> Selection:
        """Read a selection from JSON; raises ValidationError with every fault, by member."""
        faults: dict[str, str] = {}
        values: dict[str, object] = {}
        for name, value in document.items():
            reader = _READERS.get(name)
            if reader is None:
                faults[name] = _("A replay is not selected by this.")
                continue
            if value in (None, "", []):
                continue
            try:
                values[name] = reader(value)
            except (ValueError, TypeError, AttributeError):
                faults[name] = _("This value cannot be read.")
        if faults:
            raise ValidationError(faults)
        return cls(**values)  # type: ignore[arg-type]  # each reader returns its field's type

    @classmethod
    def remembered(cls, document: Mapping[str, object]) -> Selection:
        """Read what a replay keeps of its selection, beside its other wishes."""
        return cls.of({name: value for name, value in document.items() if name in _READERS})

    def as_json(self) -> dict[str, object]:
        """Return the document that `of` reads back."""
        found: dict[str, object] = {
            "deliveries": [str(one) for one in self.deliveries],
            "failure_group": str(self.failure_group) if self.failure_group else None,
            "subscription": str(self.subscription) if self.subscription else None,
            "topic": str(self.topic) if self.topic else None,
            "event_type": self.event_type,
            "status": self.status,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "never_tried": self.never_tried,
        }
        return {name: value for name, value in found.items() if value}

    def require_bounds(self, *, now: datetime, to: Subscription | None) -> None:
        """Raise ValidationError unless the selection says enough to be one."""
        has_range = self.since is not None and (self.until is None or self.until > self.since)
        if self.topic is not None and to is None:
            raise ValidationError({"subscription": _("Say which subscription gets these events.")})
        if self.never_tried and self.topic is None:
            raise ValidationError({"topic": _("Say of which topic.")})
        if self.topic is not None or self.subscription is not None:
            if not has_range:
                raise ValidationError({"since": _("Say from when, and up to a later time.")})
        elif not self.deliveries and self.failure_group is None:
            raise ValidationError(
                {"selection": _("Choose deliveries, a failure, or a subscription and a time.")}
            )

    def candidates(
        self, *, environment: str, to: Subscription | None, by: User, limit: int
    ) -> list[Candidate]:
        """Return what is selected and visible to `by`, the oldest event first, at most `limit`."""
        if self.topic is not None and to is not None:
            events = self._events(self.topic, environment, by).order_by("pk")
            if self.never_tried:
                events = events.exclude(Exists(_tried_at(to)))
            ids = events.values_list("pk", flat=True)[:limit]
            return [Candidate(pk, to.pk, None) for pk in ids]
        rows = self._deliveries(environment, by).order_by("event_id", "pk")
        seen: dict[tuple[UUID, UUID], Candidate] = {}
        columns = rows.values_list("event_id", "subscription_id", "pk")
        for event_id, subscription_id, pk in columns[:limit]:
            target = to.pk if to else subscription_id
            seen[event_id, target] = Candidate(event_id, target, pk)
        return list(seen.values())

    def oldest(self, *, now: datetime) -> datetime:
        """Return the instant that the limit on age is measured against."""
        return self.since or now - timedelta(days=MAX_DAYS_BACK)

    def _deliveries(self, environment: str, by: User) -> QuerySet[Delivery]:
        rows = access.restrict(
            Delivery.objects.filter(environment=environment), by, Action.DELIVERY_REPLAY
        )
        if self.deliveries:
            rows = rows.filter(pk__in=self.deliveries, status__in=_ENDED)
        else:
            rows = rows.filter(status=self.status or DeliveryStatus.DEAD)
        if self.failure_group is not None:
            rows = rows.filter(failure_group_id=self.failure_group)
        if self.subscription is not None:
            rows = rows.filter(subscription_id=self.subscription)
        if self.event_type:
            rows = rows.filter(event__type__name=self.event_type)
        # The key begins with the time, so the bound prunes partitions too.
        if self.since is not None:
            rows = rows.filter(pk__gte=first_of(self.since))
        if self.until is not None:
            rows = rows.filter(pk__lt=first_of(self.until))
        return rows

    def _events(self, topic: UUID, environment: str, by: User) -> QuerySet[Event]:
        rows = access.restrict(
            Event.objects.filter(environment=environment, type__topic_id=topic),
            by,
            Action.EVENT_VIEW,
        )
        if self.event_type:
            rows = rows.filter(type__name=self.event_type)
        if self.since is not None:
            rows = rows.filter(pk__gte=first_of(self.since))
        if self.until is not None:
            rows = rows.filter(pk__lt=first_of(self.until))
        return rows


def of_group(group: FailureGroup) -> Selection:
    """Select every delivery that died of one cause."""
    return Selection(failure_group=group.pk)


def of_deliveries(deliveries: Sequence[Delivery]) -> Selection:
    """Select deliveries one by one."""
    return Selection(deliveries=tuple(one.pk for one in deliveries))


def _tried_at(subscription: Subscription) -> QuerySet[Delivery]:
    """Return deliveries there of the event in the outer query, but for those that a rule skipped.

    What a person discarded counts as tried: they said that it is not needed.
    """
    there = Delivery.objects.filter(event=OuterRef("pk"), subscription=subscription)
    return there.exclude(status=DeliveryStatus.SKIPPED)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _instant(value: object) -> datetime:
    parsed = parse_datetime(str(value))
    if parsed is None or parsed.tzinfo is None:
        raise ValueError(value)
    return parsed


def _status(value: object) -> str:
    if value not in _ENDED:
        raise ValueError(value)
    return str(value)


def _ids(value: object) -> tuple[UUID, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(UUID(str(one)) for one in value)


_READERS: Mapping[str, Callable[[object], object]] = {
    "deliveries": _ids,
    "failure_group": lambda value: UUID(str(value)),
    "subscription": lambda value: UUID(str(value)),
    "topic": lambda value: UUID(str(value)),
    "event_type": str,
    "status": _status,
    "since": _instant,
    "until": _instant,
    "never_tried": _flag,
}
