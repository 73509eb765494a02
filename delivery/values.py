"""Finding events by values in their data: of paths that the contract declares searchable.

A schema marks a field with `x-searchable: true`. A worker reads new events behind the publish path
and keeps a digest of each such value; sensitive fields are masked first, so their values are never
kept, whatever the schema says. A value is found whole: capitals and spaces around it do not matter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from django.db import connection, transaction

from catalog import referring, schemas
from catalog.ids import first_of, instant_of
from catalog.models import SchemaVersion
from delivery.models import Event, EventValue, Payload, RollupMark

MARK = "values"
SETTLE = timedelta(seconds=5)  # a transaction that commits late is not passed over
BATCH = 100  # some ten milliseconds of a worker
MOST_OF_AN_EVENT = 50
MOST_CHARACTERS = 200
MOST_FOUND = 500
_DELETED_AT_ONCE = 5_000

Steps = tuple[str, ...]


def fill(*, now: datetime) -> int:
    """Read the events that came since the last run, at most a batch; return how many were read.

    One worker at a time; 0 means that nothing is left to read.
    """
    RollupMark.objects.get_or_create(name=MARK)
    with transaction.atomic():
        mark = RollupMark.objects.select_for_update(skip_locked=True).filter(name=MARK).first()
        if mark is None:
            return 0
        rows = _after(mark.up_to, first_of(now - SETTLE))
        if not rows:
            return 0
        EventValue.objects.bulk_create(_values_of(rows), ignore_conflicts=True)
        mark.up_to = rows[-1].pk
        mark.at = instant_of(rows[-1].pk)
        mark.save()
    return len(rows)


def events_with(value: str, *, environment: str) -> list[UUID]:
    """Return the ids of events that hold the value at a searchable path, the newest first."""
    found = EventValue.objects.filter(digest=_digest(environment, _text(value)))
    return list(found.order_by("-event_id").values_list("event_id", flat=True)[:MOST_FOUND])


def forget(*, topic_id: UUID, before: datetime) -> int:
    """Delete what is known of a topic's events from before an instant; return how many rows."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM delivery_eventvalue WHERE ctid = ANY(ARRAY("
                "SELECT ctid FROM delivery_eventvalue "
                "WHERE topic_id = %s AND event_id < %s LIMIT %s))",
                [topic_id, first_of(before), _DELETED_AT_ONCE],
            )
            deleted = int(cursor.rowcount)
        total += deleted
        if deleted < _DELETED_AT_ONCE:
            return total


def forget_events(ids: Collection[UUID], *, topic_id: UUID) -> None:
    """Delete what is known of these events, after their payloads: those are being expunged."""
    EventValue.objects.filter(topic_id=topic_id, event_id__in=ids).delete()


def _after(last: UUID | None, end: UUID) -> list[Event]:
    rows = Event.objects.filter(pk__lt=end)
    if last is not None:
        rows = rows.filter(pk__gt=last)
    columns = ("pk", "environment", "version_id", "type__topic_id")
    return list(rows.select_related("type").only(*columns).order_by("pk")[:BATCH])


def _values_of(rows: Sequence[Event]) -> list[EventValue]:
    paths = _paths_of({row.version_id for row in rows})
    wanted = [row for row in rows if paths.get(row.version_id)]
    # Locked: who expunges one meanwhile waits, and then finds its values to delete them too.
    kept = Payload.objects.select_for_update(no_key=True).order_by("pk")
    payloads = dict(kept.filter(pk__in=[row.pk for row in wanted]).values_list("pk", "data"))
    return [
        EventValue(digest=digest, event_id=row.pk, topic_id=row.type.topic_id)
        for row in wanted
        for digest in _digests(row, payloads.get(row.pk) or "null", paths[row.version_id])
    ]


def _digests(row: Event, data: str, declared: _Declared) -> set[bytes]:
    document = schemas.mask(json.loads(data), declared.schema, resolve=referring.resolve)
    found: set[bytes] = set()
    for steps in declared.paths:
        for value in _at(document, steps):
            if value and value != schemas.MASK and len(found) < MOST_OF_AN_EVENT:
                found.add(_digest(row.environment, value))
    return found


def _at(document: object, steps: Steps) -> Iterator[str]:
    """Yield the texts and numbers at a path; `*` stands for every entry."""
    if not steps:
        if isinstance(document, str) or (
            isinstance(document, int | float) and not isinstance(document, bool)
        ):
            yield _text(document)
        return
    step, *rest = steps
    if step == "*" and isinstance(document, list):
        for entry in document:
            yield from _at(entry, tuple(rest))
    elif isinstance(document, Mapping) and step in document:
        yield from _at(document[step], tuple(rest))


class _Declared:
    """What one version declares: its schema, and the paths of its searchable fields."""

    def __init__(self, document: str) -> None:
        self.schema = schemas.read(document)
        self.paths = [
            one.steps
            for one in schemas.fields(self.schema, resolve=referring.resolve)
            if one.is_searchable and not one.sensitive
        ]

    def __bool__(self) -> bool:
        return bool(self.paths)


def _paths_of(versions: set[UUID]) -> Mapping[UUID, _Declared]:
    rows = SchemaVersion.objects.filter(pk__in=versions)
    return {
        pk: _declared(sha256, document)
        for pk, sha256, document in rows.values_list("pk", "document_sha256", "document")
    }


@lru_cache(maxsize=1_024)
def _declared(sha256: str, document: str) -> _Declared:
    del sha256  # spares the cache from comparing documents of equal hash
    return _Declared(document)


def _text(value: object) -> str:
    """Return a value as people type it: `12` and `12.0` are one, capitals do not matter."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()[:MOST_CHARACTERS]


def _digest(environment: str, text: str) -> bytes:
    # No query spans environments, so neither do digests.
    return hashlib.blake2b(f"{environment}\0{text}".encode(), digest_size=16).digest()
