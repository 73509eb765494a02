"""The events that one worker process holds ready to go out, bounded by their bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, KeysView, Mapping
from uuid import UUID

from delivery.claiming import Owed
from delivery.outgoing import Message

MOST_MESSAGES = 1_000  # kept although they may be sent already: fan-out asks for them again
MOST_BYTES = 64 * 1024 * 1024  # of data; beyond it nothing more is claimed until some went out


class Shelf:
    """Messages by their event, each read once however many deliveries wait for it."""

    def __init__(self) -> None:
        self._messages: dict[UUID, Message] = {}
        self._bytes = 0

    @property
    def ids(self) -> KeysView[UUID]:
        """The events that are here."""
        return self._messages.keys()

    @property
    def room_bytes(self) -> int:
        """How much more data may be put here; 0 or less when it is full."""
        return MOST_BYTES - self._bytes

    def put(self, messages: Mapping[UUID, Message]) -> None:
        """Add messages that were not here."""
        self._messages.update(messages)
        self._bytes += sum(one.size_bytes for one in messages.values())

    def find(self, owed: Owed) -> Mapping[UUID, Message] | None:
        """Return the messages of a delivery, or of each one of a batch; None when one is gone."""
        found = {
            one.event_id: self._messages[one.event_id]
            for one in owed.members
            if one.event_id in self._messages
        }
        return found if all(one.event_id in found for one in owed.members) else None

    def tidy(self, waiting: Iterable[Collection[Owed]]) -> None:
        """Where much is held, drop what nothing waits for; what waits goes out as it was read."""
        if len(self._messages) > MOST_MESSAGES or self.room_bytes <= 0:
            self.keep_only(waiting)

    def keep_only(self, waiting: Iterable[Collection[Owed]]) -> None:
        """Drop what nothing waits for."""
        wanted = {one.event_id for some in waiting for first in some for one in first.members}
        self._messages = {pk: self._messages[pk] for pk in wanted if pk in self._messages}
        self._bytes = sum(one.size_bytes for one in self._messages.values())
