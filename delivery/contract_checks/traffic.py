"""What real traffic says of a proposed contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import referring, schemas
from catalog.models import EventType
from catalog.words import Environment
from delivery.contract_checks.proposed import proposed_schema
from delivery.models import Event, Payload
from governance.checks import Answer
from governance.models import ChangeRequest
from governance.states import Outcome

RECENT_EVENTS = 500  # `CONTRACT_TRAFFIC_EVENTS` in the settings overrides it
SHOWN_REFUSED = 50  # of the refused events, each with its first breaches
SHOWN_BREACHES = 3


@dataclass(kw_only=True, slots=True)
class Reason:
    """One breach that many events share: how many, by which applications."""

    pointer: str
    message: str
    count: int = 0
    applications: dict[str, int] = field(default_factory=dict)


def check_traffic(change: ChangeRequest, now: datetime) -> Answer | None:
    """Hold the latest recorded events of the type against the proposal.

    Of production, or of staging where production has none. Findings: first one for each reason
    (`pointer`, `message`, `count`, `applications`), then one for each refused event (`event`, the
    id that its source gave, who sent it, when, and its breaches), at most `SHOWN_REFUSED`.
    """
    del now
    schema = proposed_schema(change)
    if change.event_type is None or schema is None:
        return None
    events = recent_events(change.event_type)
    if not events:
        return Answer(outcome=Outcome.PASSED, summary=_("No event of this type is recorded yet."))
    check = schemas.validator_for(schema, resolve=referring.resolve)
    refused = list(_refused(events, check))
    total = len(events)
    if not refused:
        return Answer(
            outcome=Outcome.PASSED,
            summary=_("All of the last %(n)s events would be accepted.") % {"n": total},
            findings=[{"total": total, "refused": 0}],
        )
    return Answer(
        outcome=Outcome.FAILED,
        summary=ngettext(
            "%(refused)s of the last %(n)s events would be refused.",
            "%(refused)s of the last %(n)s events would be refused.",
            total,
        )
        % {"refused": len(refused), "n": total},
        findings=[
            {"total": total, "refused": len(refused)},
            *_reasons(refused),
            *(_shown(event, breaches) for event, breaches in refused[:SHOWN_REFUSED]),
        ],
    )


def recent_events(event_type: EventType) -> list[tuple[Event, object]]:
    """Return the latest events that still have their data, newest first."""
    limit = getattr(settings, "CONTRACT_TRAFFIC_EVENTS", RECENT_EVENTS)
    for environment in (Environment.PRODUCTION, Environment.STAGING):
        rows = list(
            Event.objects.filter(type=event_type, environment=environment)
            .select_related("application")
            .order_by("-id")[:limit]
        )
        texts = payloads_of(rows)
        found = [(row, orjson.loads(texts[row.pk])) for row in rows if row.pk in texts]
        if found:
            return found
    return []


def payloads_of(events: Sequence[Event]) -> Mapping[UUID, str]:
    """Return the data of those events that still have it, as text."""
    kept = Payload.objects.filter(event_id__in=[event.pk for event in events])
    return dict(kept.values_list("event_id", "data"))


Refused = tuple[Event, list[schemas.Problem]]


def _refused(events: Sequence[tuple[Event, object]], check: schemas.Validator) -> Iterator[Refused]:
    for event, data in events:
        if not check.is_valid(data):
            yield event, list(check.iter_errors(data))


def _reasons(refused: Sequence[Refused]) -> list[dict[str, object]]:
    found: dict[schemas.Problem, Reason] = {}
    for event, breaches in refused:
        for breach in set(breaches):
            reason = found.setdefault(
                breach, Reason(pointer=breach.pointer, message=breach.message)
            )
            reason.count += 1
            name = event.application.name
            reason.applications[name] = reason.applications.get(name, 0) + 1
    ranked = sorted(found.values(), key=lambda reason: -reason.count)[:SHOWN_REFUSED]
    return [
        {
            "pointer": reason.pointer,
            "message": reason.message,
            "count": reason.count,
            "applications": reason.applications,
        }
        for reason in ranked
    ]


def _shown(event: Event, breaches: Sequence[schemas.Problem]) -> dict[str, object]:
    return {
        "event": str(event.pk),
        "event_id": event.event_id,
        "application": event.application.name,
        "at": event.received_at.isoformat(),
        "errors": [breach._asdict() for breach in breaches[:SHOWN_BREACHES]],
    }
