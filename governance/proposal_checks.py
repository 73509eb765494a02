"""The checks that governance itself makes of a proposal: its form, its number, whom it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import referring, schemas
from catalog.house_rules import Weight as HouseWeight
from catalog.models import EventType, SchemaVersion, Topic
from catalog.words import Environment
from governance import checks, compatibility, house_rules, lint, proposals, versions
from governance.checks import Answer, Weight
from governance.compatibility import Mode, Policy, Report
from governance.models import ChangeRequest
from governance.states import ChangeKind, Outcome, Verdict

CONTRACTS = (ChangeKind.SCHEMA_VERSION, ChangeKind.NEW_EVENT_TYPE)
WELL_FORMED = "well_formed"
HOUSE_RULES = "house_rules"
COMPATIBILITY = "compatibility"
VERSION_NUMBER = "version_number"


def check_form(change: ChangeRequest, now: datetime) -> Answer:
    """Hold the proposal against its own rules again: the catalog may have changed meanwhile."""
    del now
    problems = list(proposals.of(change).problems())
    if not problems:
        return Answer(outcome=Outcome.PASSED, summary=_("The schema is well formed."))
    return Answer(
        outcome=Outcome.FAILED,
        summary=_("The proposal cannot be taken: %s") % problems[0].messages[0],
        findings=[
            {"pointer": (one.params or {}).get("pointer", ""), "message": one.messages[0]}
            for one in problems
        ],
    )


def check_house_rules(change: ChangeRequest, now: datetime) -> Answer | None:
    """Lint the contract by the house's policy."""
    del now
    proposal = proposals.schema_of(change)
    if proposal is None:
        return None
    found = lint_findings(proposal.schema, change.topic)
    errors = [finding for finding in found if finding.weight is HouseWeight.ERROR]
    if not found:
        return Answer(outcome=Outcome.PASSED, summary=_("It keeps the house's rules."))
    count = len(errors) or len(found)
    words = (
        ngettext("%(n)s house rule is broken.", "%(n)s house rules are broken.", count)
        if errors
        else ngettext("%(n)s piece of advice.", "%(n)s pieces of advice.", count)
    )
    return Answer(
        outcome=Outcome.FAILED if errors else Outcome.ADVICE,
        summary=words % {"n": count},
        findings=[finding.to_json() for finding in found],
    )


def lint_findings(
    schema: schemas.Schema, topic: Topic, policy: lint.Policy | None = None
) -> list[lint.Finding]:
    """Return what breaks the house's rules in a contract of the topic, errors first.

    `policy` is asked in place of the one that is in force.
    """
    contract = lint.contract_of(
        schema,
        resolve=referring.resolve,
        field_case=topic.field_case,
        payload_ceiling_bytes=topic.payload_ceiling_bytes,
    )
    return lint.findings(contract, policy or house_rules.policy_of(topic))


def check_compatibility(change: ChangeRequest, now: datetime) -> Answer:
    """Compare the contract with the live versions under the event type's mode and policy."""
    del now
    report, olds = report_of(change)
    outcome = {
        Verdict.COMPATIBLE: Outcome.PASSED,
        Verdict.UNDECIDED: Outcome.UNDECIDED,
        Verdict.INCOMPATIBLE: Outcome.FAILED,
    }[Verdict(report.verdict)]
    return Answer(
        outcome=outcome,
        summary=in_words(report, olds),
        findings=[finding.to_json() for finding in report.findings],
        verdict=Verdict(report.verdict),
    )


def report_of(change: ChangeRequest) -> tuple[Report, list[SchemaVersion]]:
    """Return the verdict on the request's contract, and the versions that it was held against.

    A promotion is held against what is live in production, a proposal against what is live
    anywhere.
    """
    schema, number, environment = _proposed(change)
    if change.event_type is None:
        return Report(verdict=compatibility.Verdict.COMPATIBLE, findings=()), []
    return held_against_live(change.event_type, schema, number, environment=environment)


def held_against_live(
    event_type: EventType,
    schema: schemas.Schema,
    number: str,
    *,
    environment: str | None = None,
) -> tuple[Report, list[SchemaVersion]]:
    """Return the verdict on a contract of that number, and the live versions that it broke or kept.

    With no environment: on what is live anywhere.
    """
    mode = Mode(event_type.compatibility_mode)
    standing = [
        one for one in versions.live(event_type, environment=environment) if one.version != number
    ]
    olds = versions.compared_with(standing, number, mode)
    return compare(olds, schema, mode=mode, policy=event_type.compatibility_policy), olds


def compare(
    olds: Sequence[SchemaVersion], schema: schemas.Schema, *, mode: Mode, policy: str
) -> Report:
    """Compare a schema with stored versions, oldest first."""
    return compatibility.check_against(
        [(old.version, schemas.read(old.document)) for old in olds],
        schema,
        mode=mode,
        policy=Policy(policy),
        resolve=referring.resolve,
    )


def _proposed(change: ChangeRequest) -> tuple[schemas.Schema, str, str | None]:
    proposal = proposals.schema_of(change)
    if proposal is not None:
        return proposal.schema, proposal.version, None
    if change.base is None:
        raise ValidationError(_("The request names no version."))
    return schemas.read(change.base.document), change.base.version, Environment.PRODUCTION


def in_words(report: Report, olds: Sequence[SchemaVersion]) -> str:
    """Return the verdict in one sentence; `olds` are the versions that it speaks of."""
    if not olds:
        return _("Nothing is live yet that it could break.")
    parts = []
    if report.breaking:
        count = len(report.breaking)
        parts.append(
            ngettext("%(n)s breaks somebody", "%(n)s break somebody", count) % {"n": count}
        )
    if report.undecided:
        parts.append(_("%(n)s could not be decided") % {"n": len(report.undecided)})
    if report.safe:
        count = len(report.safe)
        parts.append(ngettext("%(n)s is safe", "%(n)s are safe", count) % {"n": count})
    against = ", ".join(old.version for old in olds)
    if not parts:
        return _("Compared with %(versions)s: nobody is hurt.") % {"versions": against}
    return _("Of the changes from %(versions)s, %(parts)s.") % {
        "versions": against,
        "parts": ", ".join(parts),
    }


def check_number(change: ChangeRequest, now: datetime) -> Answer | None:
    """See that the number is free, and that what breaks gets a new major version."""
    del now
    proposal = proposals.schema_of(change)
    if proposal is None or change.event_type is None:
        return None
    taken = list(change.event_type.versions.values_list("version", flat=True))
    report, _olds = report_of(change)
    suggested = versions.suggest(taken, report)
    if number_fits(proposal.version, taken, report):
        return Answer(
            outcome=Outcome.PASSED,
            summary=_("The number %s fits the change.") % proposal.version,
            findings=[{"suggested": suggested}],
        )
    if proposal.version in taken:
        summary = _("Version %(version)s exists already; %(suggested)s fits.")
    else:
        summary = _("It breaks, so it needs a new major version: %(suggested)s, not %(version)s.")
    return Answer(
        outcome=Outcome.FAILED,
        summary=summary % {"version": proposal.version, "suggested": suggested},
        findings=[{"suggested": suggested, "pointer": "/version"}],
    )


def number_fits(number: str, taken: Sequence[str], report: Report) -> bool:
    """Tell whether the number is free, and a major version of its own if something breaks."""
    return number not in taken and not (report.breaking and _has_major(taken, number))


def _has_major(taken: Sequence[str], number: str) -> bool:
    return versions.numbers(number)[0] in {versions.numbers(one)[0] for one in taken}


checks.register(WELL_FORMED, check_form, kinds=CONTRACTS, weight=Weight.BLOCKS, order=10)
checks.register(HOUSE_RULES, check_house_rules, kinds=CONTRACTS, weight=Weight.ACCEPTED, order=20)
checks.register(
    COMPATIBILITY, check_compatibility, kinds=(*CONTRACTS, ChangeKind.PROMOTION), order=30
)
checks.register(VERSION_NUMBER, check_number, kinds=CONTRACTS, weight=Weight.BLOCKS, order=40)
