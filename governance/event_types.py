"""Event types: adding one to a topic and changing its words and its compatibility mode."""

from __future__ import annotations

from datetime import datetime

from catalog.models import EventType, Topic, User
from governance import access, differences, indexing, signals
from governance.actions import Action
from governance.governed import governed, record

CHANGEABLE = frozenset(
    {"title", "description", "happens_when", "tags", "compatibility_mode", "compatibility_policy"}
)


def create(
    *,
    name: str,
    title: str,
    topic: Topic,
    description: str = "",
    happens_when: str = "",
    tags: list[str] | None = None,
    by: User,
    now: datetime,
    **promises: str,
) -> EventType:
    """Add an event type to the topic; it has no version yet.

    `promises` may name `compatibility_mode` and `compatibility_policy`.
    """
    _refuse_unknown(promises.keys() - CHANGEABLE)
    with governed(by=by, now=now):
        access.require(by, Action.EVENT_TYPE_CREATE, topic, now=now)
        event_type = EventType(
            name=name,
            title=title.strip(),
            topic=topic,
            description=description,
            happens_when=happens_when,
            tags=tags or [],
            **promises,
        )
        event_type.full_clean()
        event_type.save()
        indexing.index(event_type)
        signals.event_type_created.send(sender=EventType, thing=event_type, by=by, now=now)
        record(
            Action.EVENT_TYPE_CREATE,
            event_type,
            after={"name": name, "title": event_type.title, "topic": topic.name},
            related=(topic, topic.owner),
        )
    return event_type


def change(
    event_type: EventType, *, by: User, now: datetime, reason: str = "", **values: object
) -> EventType:
    """Set any of `CHANGEABLE`."""
    _refuse_unknown(values.keys() - CHANGEABLE)
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.EVENT_TYPE_CHANGE, event_type, now=now)
        event_type = (
            EventType.objects.select_for_update(of=("self",))
            .select_related("topic__owner")
            .get(pk=event_type.pk)
        )
        before, after = differences.take(event_type, values)
        if not after:
            return event_type
        event_type.full_clean()
        event_type.save()
        indexing.index(event_type)
        signals.event_type_changed.send(sender=EventType, thing=event_type, by=by, now=now)
        record(
            Action.EVENT_TYPE_CHANGE,
            event_type,
            before=before,
            after=after,
            related=(event_type.topic, event_type.topic.owner),
        )
    return event_type


def _refuse_unknown(names: set[str]) -> None:
    if names:
        raise TypeError(f"An event type has no {', '.join(sorted(names))} to change.")
