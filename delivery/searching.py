"""Find events by what someone remembers of them, and any other thing by its words or number."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Count, Exists, OuterRef
from django.db.models.functions import Substr

from catalog.ids import first_of
from catalog.models import User
from delivery import values
from delivery.models import Delivery, Event
from delivery.querysets import EventQuerySet
from governance import access
from governance.actions import Action

PER_PAGE = 50
# How far back a search goes that names neither a time nor anything exact.
DAYS_BACK = 14
# What a search may take of the database; one that needs more is told to name a time.
MOST_SECONDS = 4
_MOST_EXACT = 200

_TRACE = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?")


class TooMuch(Exception):
    """The search would take too long: name an id, a type, or a shorter time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What someone remembers of an event; empty members say nothing.

    `words` is an id, a subject, a correlation or a trace: any of them, whole. `value` stands at a
    searchable path of the data, and finds only what the viewer may see the data of. `status` and
    `subscription` (a number) are those of one of its deliveries.
    """

    words: str = ""
    value: str = ""
    type: str = ""
    source: str = ""
    application: str = ""
    status: str = ""
    subscription: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether it says nothing at all."""
        return self == Wish()


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One page of events, the newest first; `next` is the last one's id, None at the end."""

    events: Sequence[Event]
    next: UUID | None


def events(
    wish: Wish, *, environment: str, viewer: User, now: datetime, after: UUID | None = None
) -> Found:
    """Return the events that fit and that the viewer may see; a fixed number of queries.

    Raises `TooMuch` when the database would have to look through too many.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{MOST_SECONDS}s'")
            found = _page(wish, environment=environment, viewer=viewer, now=now, after=after)
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError as error:
        if "statement timeout" in str(error):
            raise TooMuch from error
        raise
    return found


def by_words(words: str, *, environment: str, viewer: User, limit: int) -> Sequence[Event]:
    """Return events with this id, subject, correlation or trace, the newest first."""
    seen = access.restrict(Event.objects.filter(environment=environment), viewer, Action.EVENT_VIEW)
    return list(seen.filter(pk__in=_exactly(words)).with_names().order_by("-id")[:limit])


def trace_of(words: str) -> str:
    """Return the trace id (32 hex digits) that the words are or contain; empty for none."""
    found = _TRACE.fullmatch(words.strip().lower())
    return found[1] if found else ""


def _page(
    wish: Wish, *, environment: str, viewer: User, now: datetime, after: UUID | None
) -> Found:
    seen = access.restrict(Event.objects.filter(environment=environment), viewer, Action.EVENT_VIEW)
    if wish.value:
        held = values.events_with(wish.value, environment=environment)
        seen = access.restrict(seen.filter(pk__in=held), viewer, Action.PAYLOAD_VIEW)
    narrowed = _narrowed(seen, wish, now)
    if after is not None:
        narrowed = narrowed.filter(pk__lt=after)
    rows = list(narrowed.with_names().order_by("-id")[: PER_PAGE + 1])
    shown = rows[:PER_PAGE]
    return Found(events=shown, next=shown[-1].pk if len(rows) > PER_PAGE else None)


def _narrowed(found: EventQuerySet, wish: Wish, now: datetime) -> EventQuerySet:
    since = wish.since
    if wish.words:
        found = found.filter(pk__in=_exactly(wish.words))
    elif since is None and not wish.value:
        since = now - timedelta(days=DAYS_BACK)
    # The key begins with the time, so these bounds leave whole partitions unread.
    if since is not None:
        found = found.filter(pk__gte=first_of(since))
    if wish.until is not None:
        found = found.filter(pk__lt=first_of(wish.until))
    for column, value in (
        ("type__name", wish.type),
        ("source", wish.source),
        ("application__slug", wish.application),
    ):
        if value:
            found = found.filter(**{column: value})
    return _of_deliveries(found, wish)


def _of_deliveries(found: EventQuerySet, wish: Wish) -> EventQuerySet:
    if not wish.status and wish.subscription is None:
        return found
    deliveries = Delivery.objects.filter(event=OuterRef("pk"))
    if wish.status:
        deliveries = deliveries.filter(status=wish.status)
    if wish.subscription is not None:
        deliveries = deliveries.filter(subscription__number=wish.subscription)
    return found.filter(Exists(deliveries))


def _exactly(words: str) -> list[UUID]:
    """Return the ids of events that the words name, each by an index of its own."""
    words = words.strip()
    ways = [
        Event.objects.filter(event_id=words),
        Event.objects.filter(correlation_id=words),
        Event.objects.filter(subject=words),
    ]
    trace = trace_of(words)
    if trace:
        traced = Event.objects.annotate(trace=Substr("trace_parent", 4, 32))
        ways.append(traced.filter(trace=trace))
    found: set[UUID] = set()
    for way in ways:
        found.update(way.order_by().values_list("pk", flat=True)[:_MOST_EXACT])
    with contextlib.suppress(ValueError):
        found.add(UUID(words))
    return list(found)


def outcomes(found: Sequence[Event], *, viewer: User) -> dict[UUID, list[tuple[str, int]]]:
    """Return how many deliveries of each event stand how, as far as the viewer may see them."""
    seen = access.restrict(Delivery.objects.all(), viewer, Action.DELIVERY_VIEW)
    rows = (
        seen.filter(event_id__in=[one.pk for one in found])
        .order_by("status")
        .values_list("event_id", "status")
        .annotate(count=Count("pk"))
    )
    counted: dict[UUID, list[tuple[str, int]]] = {one.pk: [] for one in found}
    for event_id, status, count in rows:
        counted[event_id].append((status, count))
    return counted
