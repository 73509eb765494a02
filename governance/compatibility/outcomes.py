"""The three answers to "is there a document that fits": found, none, or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Answer(Enum):
    """What a search came to."""

    FOUND = "found"
    NONE = "none"
    UNKNOWN = "unknown"
    # Broken by what both sides agreed on beyond validation; no document can show it.
    BY_CONVENTION = "by convention"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, with the document if one was found."""

    answer: Answer
    value: object = None

    @property
    def is_found(self) -> bool:
        """Return whether a document was found."""
        return self.answer is Answer.FOUND

    @property
    def is_none(self) -> bool:
        """Return whether it is proved that there is no document."""
        return self.answer is Answer.NONE


NONE = Outcome(Answer.NONE)
UNKNOWN = Outcome(Answer.UNKNOWN)


def found(value: object) -> Outcome:
    """Return the outcome for a document that fits."""
    return Outcome(Answer.FOUND, value)
