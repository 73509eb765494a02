"""Refusals: remembered while a request runs, written in a transaction of their own after it.

The transaction in which someone was refused rolls back, so the note cannot be part of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db import connection, models

from catalog.ids import uuid7
from catalog.models import User
from governance import governed
from governance.models import LedgerEntry, Refusal

STRANGER = "anonymous"
LEDGER_ACTION = "refusal:note"

_UPSERT = """
INSERT INTO governance_refusal (id, who_id, who_name, action, subject, minute, count)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT ON CONSTRAINT one_refusal_per_minute
DO UPDATE SET count = governance_refusal.count + EXCLUDED.count
RETURNING id
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Someone was not allowed to do something with a thing (None: with anything)."""

    who: User | None
    action: str
    thing: models.Model | None

    @property
    def subject(self) -> str:
        """Return the thing's kind and name, as the ledger shows it; empty without a thing."""
        if self.thing is None:
            return ""
        return f"{self.thing._meta.label_lower}:{self.thing.pk} {self.thing}"[:300]


_remembered: ContextVar[list[Refused] | None] = ContextVar("remembered", default=None)


@contextmanager
def collecting() -> Iterator[list[Refused]]:
    """Collect what is refused inside; whoever opens this notes it afterwards."""
    found: list[Refused] = []
    token = _remembered.set(found)
    try:
        yield found
    finally:
        _remembered.reset(token)


def remember(who: User | AnonymousUser | None, action: str, thing: models.Model | None) -> None:
    """Keep a refusal for `collecting`; outside of it nobody asked to know."""
    found = _remembered.get()
    if found is not None:
        known = who if isinstance(who, User) else None
        found.append(Refused(who=known, action=str(action), thing=thing))


def note(
    who: User | None,
    action: str,
    subject: str,
    *,
    thing: models.Model | None = None,
    times: int = 1,
    now: datetime,
) -> None:
    """Count refusals in their minute; the first of an hour enters the ledger too.

    Call it outside the transaction in which the refusal happened. Never on the publish path.
    """
    who_id = str(who.pk) if who else STRANGER
    with governed.governed(by=who, now=now):
        with connection.cursor() as cursor:
            # Rivals wait for one another here, so that one of them enters the ledger.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"refusal {who_id} {action} {subject}"],
            )
            hour = now.replace(minute=0, second=0, microsecond=0)
            is_first = not Refusal.objects.filter(
                who_id=who_id, action=action, subject=subject, minute__gte=hour, minute__lte=now
            ).exists()
            cursor.execute(
                _UPSERT,
                [
                    uuid7(),
                    who_id,
                    who.display_name if who else STRANGER,
                    action,
                    subject,
                    now.replace(second=0, microsecond=0),
                    times,
                ],
            )
            refusal = Refusal.objects.get(pk=cursor.fetchone()[0])
        if is_first:
            governed.record(
                LEDGER_ACTION,
                refusal,
                after={"action": action, "subject": subject},
                related=(thing,) if thing is not None else (),
            )


def note_all(found: list[Refused], *, now: datetime) -> None:
    """Note each different refusal of a request once."""
    for refused in dict.fromkeys(found):
        note(refused.who, refused.action, refused.subject, thing=refused.thing, now=now)


def entries_about(refusal: Refusal) -> models.QuerySet[LedgerEntry]:
    """Return the ledger's entries of the refusal."""
    return LedgerEntry.objects.about(refusal)
