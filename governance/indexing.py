"""Keep the words by which an event type is found in step with what it says."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.postgres.search import SearchVector
from django.db.models import Value

from catalog import referring, schemas
from catalog.models import EventType


def index(event_type: EventType) -> None:
    """Write the type's search words: title and name first, then meaning, tags, and its fields.

    One UPDATE of an untracked column. Names are also indexed in parts, so that `order` finds
    `com.acme.sales.order.created` and `billing` finds `billing_country`.
    """
    topic = event_type.topic
    EventType.objects.filter(pk=event_type.pk).update(
        search=_weighted(
            " ".join([event_type.title, event_type.name, _parts(event_type.name)]), "A"
        )
        + _weighted(" ".join([*event_type.tags, topic.title, topic.name, _parts(topic.name)]), "B")
        + _weighted(f"{event_type.description} {event_type.happens_when}", "B")
        + _weighted(" ".join(_field_words(event_type)), "C")
    )


def _weighted(words: str, weight: str) -> SearchVector:
    return SearchVector(Value(words), weight=weight, config="english")


def _field_words(event_type: EventType) -> Iterator[str]:
    newest = event_type.versions.newest_first().first()
    if newest is None:
        return
    try:
        rows = schemas.fields(newest.document, resolve=referring.resolve)
    except schemas.Malformed:
        return
    for row in rows:
        yield from (row.name, _parts(row.name), row.title, row.meaning)


def _parts(name: str) -> str:
    return "".join(char if char.isalnum() else " " for char in name)
