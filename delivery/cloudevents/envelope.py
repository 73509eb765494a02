"""The envelope of one event, and what may be refused about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

ExtensionValue = str | int | bool


class Refusal(Exception):
    """An event cannot be taken: show `errors`, pairs of JSON pointer and sentence."""

    def __init__(self, errors: Iterable[tuple[str, str]]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(message for _, message in self.errors))

    def under(self, prefix: str) -> Refusal:
        """Return the same refusal with every pointer below `prefix`."""
        return type(self)((prefix + pointer, message) for pointer, message in self.errors)


class NotACloudEvent(Refusal):
    """The request breaks a rule of CloudEvents 1.0: mend what `errors` names (400)."""


class UnsupportedContentType(Refusal):
    """The data is not JSON: send JSON, or say that it is JSON (415)."""


class TooLarge(Refusal):
    """The request, the event or the batch is over a limit: send less at a time (413)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """One event: its attributes, and its data as text and as a value.

    `time_text` is the time as the publisher wrote it. `data_raw` is the JSON text of the data as
    it was sent, `None` when the event has no data (a JSON null is `b"null"`). `data` is that text
    parsed; code that only forwards an event may leave it unset.
    """

    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime | None = None
    time_text: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, ExtensionValue] = field(default_factory=dict)
    data_raw: bytes | None = None
    data: object = None

    def text(self, name: str) -> str | None:
        """Return an extension in its canonical text form, `None` if the event lacks it."""
        value = self.extensions.get(name)
        return None if value is None else canonical(value)

    @property
    def hops(self) -> int:
        """How many flows stand before this event in its chain of causes; 0 when none say so."""
        return int(self.extensions.get("hops", 0))

    def attributes(self) -> dict[str, str]:
        """Return every attribute that is set, in canonical text form, as filters see them."""
        found = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time_text,
            "datacontenttype": self.datacontenttype,
            "dataschema": self.dataschema,
        }
        texts = {name: value for name, value in found.items() if value is not None}
        texts.update((name, canonical(value)) for name, value in self.extensions.items())
        return texts

    def extended(self, extensions: Mapping[str, ExtensionValue]) -> Envelope:
        """Return the envelope with these extensions added, or put in place of its own."""
        return replace(self, extensions={**self.extensions, **extensions})


def canonical(value: ExtensionValue) -> str:
    """Return an attribute's canonical string representation (CloudEvents 1.0.2, section 3)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
