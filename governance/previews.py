"""What can be said of a contract while someone still writes it, before anything is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from catalog import referring, schemas
from catalog.models import EventType, SchemaVersion, Topic
from catalog.models.versions import SEMANTIC_VERSION
from governance import lint, proposal_checks, versions
from governance.compatibility import Finding, Report, Verdict
from governance.proposals import SchemaProposal


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What keeps the contract from being taken; the pointer is into the schema or the example."""

    pointer: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a reviewer's checks will say. With faults in it there is no report and no number.

    `report` is None as well for an event type that is new: there is nothing to break.
    """

    faults: Sequence[Fault] = ()
    lint: Sequence[lint.Finding] = ()
    report: Report | None = None
    sentence: str = ""
    suggested: str = ""
    number_fits: bool = True

    @property
    def verdict(self) -> str:
        """Return the verdict of the comparison; compatible where there is nothing to compare."""
        return self.report.verdict if self.report else Verdict.COMPATIBLE

    @property
    def findings(self) -> Sequence[Finding]:
        """Return what changes, breaking changes first."""
        return self.report.findings if self.report else ()


def preview(
    document: str,
    *,
    event_type: EventType | None,
    topic: Topic | None,
    example: str = "",
    number: str = "",
) -> Preview:
    """Hold a contract against its own rules, the house's, and the live versions.

    `number` is the version that its author wants, "" for the one that fits. Without a topic the
    house's rules are not asked: they depend on it.
    """
    faults = [
        Fault(pointer=str((one.params or {}).get("pointer", "")), message=one.messages[0])
        for one in SchemaProposal(document=document, example=example, version="1.0.0").problems()
    ]
    if schemas.problems(document, resolve=referring.resolve):
        return Preview(faults=faults)
    schema = schemas.read(document)
    found = proposal_checks.lint_findings(schema, topic) if topic else ()
    if event_type is None:
        return Preview(faults=faults, lint=found, suggested="1.0.0")
    report, olds, suggested = _compared(event_type, schema, number)
    return Preview(
        faults=faults,
        lint=found,
        report=report,
        sentence=proposal_checks.in_words(report, olds),
        suggested=suggested,
        number_fits=_fits(event_type, report, number),
    )


def _compared(
    event_type: EventType, schema: schemas.Schema, number: str
) -> tuple[Report, Sequence[SchemaVersion], str]:
    taken = list(event_type.versions.values_list("version", flat=True))
    wanted = number if _is_number(number) else _beyond(taken)
    report, olds = proposal_checks.held_against_live(event_type, schema, wanted)
    return report, olds, versions.suggest(taken, report)


def _beyond(taken: Sequence[str]) -> str:
    """Return a number above all that there are: what is proposed without one comes after them."""
    return f"{max((versions.numbers(one)[0] for one in taken), default=0) + 1}.0.0"


def _is_number(text: str) -> bool:
    try:
        SEMANTIC_VERSION(text)
    except ValidationError:
        return False
    return True


def _fits(event_type: EventType, report: Report, number: str) -> bool:
    """Tell whether the check of the number would take it; none at all is always right."""
    if not number:
        return True
    if not _is_number(number):
        return False
    taken = list(event_type.versions.values_list("version", flat=True))
    return proposal_checks.number_fits(number, taken, report)


def sample_text(document: str) -> str:
    """Return example data for the contract as JSON text; "" for a document that is no schema."""
    if schemas.problems(document, resolve=referring.resolve):
        return ""
    made = schemas.sample(document, resolve=referring.resolve)
    return json.dumps(made, indent=2, ensure_ascii=False)
