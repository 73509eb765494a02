"""The live readers of an event type, and whether a proposed contract breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import referring, schemas
from catalog.models import EventType, SchemaVersion
from catalog.words import Environment
from delivery import filters, mapping
from delivery.contract_checks.proposed import proposed_number, proposed_schema
from delivery.models import Subscription
from governance import compatibility, contract_impact, versions
from governance.checks import Answer
from governance.compatibility import Mode, Policy, Report
from governance.contract_impact import Effect, Impact
from governance.models import ChangeRequest
from governance.states import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A live subscription that gets the type, the version that it reads, and what it looks at.

    `reads` are pointers into the data, None where it takes the whole event.
    """

    subscription: Subscription
    version: SchemaVersion
    reads: tuple[str, ...] | None


def check_impact(change: ChangeRequest, now: datetime) -> Answer | None:
    """Say for each live subscription whether the proposal breaks it, by the fields it reads."""
    del now
    schema = proposed_schema(change)
    if change.event_type is None or schema is None:
        return None
    judged = list(impacts(change.event_type, schema, number=proposed_number(change)))
    if not judged:
        return Answer(outcome=Outcome.PASSED, summary=_("Nobody receives this event yet."))
    broken = sum(impact.effect is Effect.BREAKS for _reader, impact in judged)
    to_look = sum(impact.effect is Effect.LOOK for _reader, impact in judged)
    return Answer(
        outcome=Outcome.FAILED if broken else Outcome.UNDECIDED if to_look else Outcome.PASSED,
        summary=_impact_in_words(broken, to_look, len(judged)),
        findings=[_impact_finding(reader, impact) for reader, impact in judged],
    )


def _impact_in_words(broken: int, to_look: int, total: int) -> str:
    if broken:
        return ngettext(
            "It breaks %(broken)s of %(n)s subscriber.",
            "It breaks %(broken)s of %(n)s subscribers.",
            total,
        ) % {"broken": broken, "n": total}
    if to_look:
        return _("It may touch %(look)s of %(n)s subscribers: somebody has to look.") % {
            "look": to_look,
            "n": total,
        }
    return _("It breaks none of the subscribers.")


def impacts(
    event_type: EventType, schema: schemas.Schema, *, number: str
) -> Iterator[tuple[Reader, Impact]]:
    """Yield each live reader of the type with what the contract `number` means for it."""
    reports: dict[UUID, Report] = {}
    for reader in readers(event_type):
        old = schemas.read(reader.version.document)
        if reader.version.pk not in reports:
            reports[reader.version.pk] = compatibility.check_against(
                [(reader.version.version, old)],
                schema,
                mode=Mode.FULL,
                policy=Policy(event_type.compatibility_policy),
                resolve=referring.resolve,
            )
        pin = reader.subscription.version_pin
        if pin is not None and pin != versions.numbers(number)[0]:
            yield reader, _pinned(pin, number)
            continue
        yield (
            reader,
            contract_impact.judge(
                reports[reader.version.pk],
                old=old,
                new=schema,
                reads=reader.reads,
                resolve=referring.resolve,
            ),
        )


def _pinned(pin: int, number: str) -> Impact:
    message = _(
        "It stays on %(pin)s.x: events of %(number)s reach it only when a conversion is added."
    )
    return Impact(effect=Effect.LOOK, because=(message % {"pin": pin, "number": number},))


def readers(event_type: EventType) -> list[Reader]:
    """Return the standing subscriptions that get the type, by environment and name."""
    rows = (
        Subscription.objects.standing()
        .filter(
            Q(event_types=[]) | Q(event_types__contains=[event_type.name]),
            topic=event_type.topic,
        )
        .select_related("application__team")
        .order_by("environment", "application__name", "number")
    )
    live = {one: versions.live(event_type, environment=one) for one in Environment.values}
    found = []
    for row in rows:
        read = [
            version
            for version in live[row.environment]
            if row.version_pin is None or version.major == row.version_pin
        ]
        if read:
            found.append(Reader(subscription=row, version=read[-1], reads=_reads(row)))
    return found


def _reads(subscription: Subscription) -> tuple[str, ...] | None:
    """Return what filter and mapping look at; None for a reader that takes the data as it is."""
    if not subscription.mapping:
        return None
    try:
        looked_at = filters.compile(subscription.filter).data_paths()
        return tuple(sorted({*looked_at, *mapping.data_paths(subscription.mapping)}))
    except (filters.InvalidFilter, mapping.InvalidMapping):
        return None


def _impact_finding(reader: Reader, impact: Impact) -> dict[str, object]:
    row = reader.subscription
    return {
        "subscription": str(row.pk),
        "number": row.number,
        "name": row.name,
        "environment": row.environment,
        "application": row.application.name,
        "application_id": str(row.application_id),
        "team": row.application.team.name,
        "team_id": str(row.application.team_id),
        "version": reader.version.version,
        "reads": None if reader.reads is None else list(reader.reads),
        "effect": str(impact.effect),
        "because": list(impact.because),
    }
