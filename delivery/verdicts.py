"""What routing says of one subscription."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from delivery import known
from delivery.rules import Ruling


class Verdict(StrEnum):
    """What routing says of one subscription; all but the first two make no row."""

    DELIVER = "deliver"
    SKIP = "skip"
    OTHER_TYPE = "other_type"
    OTHER_VERSION = "other_version"
    FILTERED = "filtered"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """The verdict on one subscription, the reason of a skip, and the rule that had a say in it."""

    subscription: known.Subscription
    verdict: Verdict
    reason: str = ""
    ruling: Ruling | None = None
