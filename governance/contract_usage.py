"""Who still uses a version: its publishers and its readers, with how lately and how much.

Only a higher app knows; it adds a counter to `COUNTERS` when it is ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models import SchemaVersion

ACTIVE_FOR = timedelta(days=7)
STALE_FOR = timedelta(days=30)
LOOKS_BACK = timedelta(days=90)


class Freshness(models.TextChoices):
    """How lately a version was used."""

    ACTIVE = "active", _("Active")
    STALE = "stale", _("Stale")
    DEAD = "dead", _("No longer used")


class Side(StrEnum):
    """How an application uses a version."""

    PUBLISHES = "publishes"
    RECEIVES = "receives"


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One application's use of a version in an environment, in the last 90 days.

    `count` is of the last 7 days; `subscription` names the standing order of a reader.
    """

    side: Side
    application_id: UUID
    application: str
    team: str
    team_id: UUID
    environment: str
    last_at: datetime
    count: int
    subscription_id: UUID | None = None
    subscription: str = ""

    def freshness(self, now: datetime) -> Freshness:
        """Return active up to 7 days after the last use, stale up to 30, then dead."""
        age = now - self.last_at
        if age <= ACTIVE_FOR:
            return Freshness.ACTIVE
        return Freshness.STALE if age <= STALE_FOR else Freshness.DEAD

    def to_json(self, now: datetime) -> dict[str, object]:
        """Return the use as check results keep it."""
        return {
            "side": str(self.side),
            "application_id": str(self.application_id),
            "application": self.application,
            "team_id": str(self.team_id),
            "team": self.team,
            "environment": self.environment,
            "last_at": self.last_at.isoformat(),
            "count": self.count,
            "subscription_id": str(self.subscription_id) if self.subscription_id else None,
            "subscription": self.subscription,
            "freshness": str(self.freshness(now)),
        }


Counter = Callable[[SchemaVersion, str, datetime], Iterable[Use]]
COUNTERS: list[Counter] = []


def of(version: SchemaVersion, *, environments: Iterable[str], now: datetime) -> list[Use]:
    """Return every use in the environments, the latest first."""
    found = [
        use
        for environment in environments
        for counter in COUNTERS
        for use in counter(version, environment, now)
    ]
    return sorted(found, key=lambda use: use.last_at, reverse=True)


def in_use(uses: Iterable[Use], now: datetime) -> list[Use]:
    """Keep the uses that are not dead."""
    return [use for use in uses if use.freshness(now) is not Freshness.DEAD]
