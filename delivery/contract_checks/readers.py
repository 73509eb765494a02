"""The live readers of an event type, and whether a proposed contract breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import referring, schemas
from catalog.models import EventType, SchemaVersion
from catalog.words import Environment
from delivery import declared_reads, filters, mapping
from delivery.contract_checks.proposed import proposed_number, proposed_schema
from delivery.contract_checks.translation import TranslationProposal
from delivery.models import Subscription
from governance import compatibility, contract_impact, proposals, versions
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
    judged = _judged(change)
    if judged is None:
        return None
    if not judged:
        return Answer(outcome=Outcome.PASSED, summary=_("Nobody receives this event yet."))
    broken = sum(impact.effect is Effect.BREAKS for _reader, impact in judged)
    to_look = sum(impact.effect is Effect.LOOK for _reader, impact in judged)
    return Answer(
        outcome=Outcome.FAILED if broken else Outcome.UNDECIDED if to_look else Outcome.PASSED,
        summary=_impact_in_words(broken, to_look, len(judged)),
        findings=[_impact_finding(reader, impact) for reader, impact in judged],
    )


def _judged(change: ChangeRequest) -> list[tuple[Reader, Impact]] | None:
    """Return each reader with what the request means for it; None where it means nothing."""
    proposal, event_type = proposals.of(change), change.event_type
    if event_type is None:
        return None
    if isinstance(proposal, TranslationProposal):
        said = _("It stays on %(target)s.x: events of %(source)s.x are converted for it.") % {
            "target": proposal.to_major,
            "source": proposal.from_major,
        }
        pinned = [r for r in readers(event_type) if r.subscription.version_pin == proposal.to_major]
        return [(reader, Impact(effect=Effect.GAINS, because=(said,))) for reader in pinned]
    schema = proposed_schema(change)
    if schema is None:
        return None
    return list(impacts(event_type, schema, number=proposed_number(change)))


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
    major = versions.numbers(number)[0]
    converted = set(
        event_type.translations.filter(from_major=major).values_list("to_major", flat=True)
    )
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
        if pin is not None and pin != major:
            yield reader, _pinned(pin, number, is_converted=pin in converted)
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


def _pinned(pin: int, number: str, *, is_converted: bool) -> Impact:
    if is_converted:
        message = _("It stays on %(pin)s.x: events of %(number)s are converted for it.")
        said = message % {"pin": pin, "number": number}
        return Impact(effect=Effect.UNTOUCHED, because=(said,))
    message = _(
        "It stays on %(pin)s.x: events of %(number)s reach it only when a conversion is added."
    )
    return Impact(effect=Effect.LOOK, because=(message % {"pin": pin, "number": number},))


def readers(event_type: EventType) -> list[Reader]:
    """Return the standing subscriptions that get the type, by environment and name."""
    rows = (
        Subscription.objects.standing()
        .wanting(event_type)
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
    """Return what filter and mapping look at, and what it declares; None for everything."""
    if not subscription.mapping and not subscription.reads:
        return None
    try:
        looked_at = {*filters.compile(subscription.filter).data_paths()}
        looked_at |= {declared_reads.pointer(path) for path in subscription.reads}
        if subscription.mapping:
            looked_at |= {*mapping.data_paths(subscription.mapping)}
        return tuple(sorted(looked_at))
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
