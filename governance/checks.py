"""The checks that a proposal goes through when it opens, and again when it changes.

`CHECKS` is a list that a higher app adds to when it is ready (`register`). A check answers for the
kinds that it knows; it never decides, a reviewer does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from governance.models import ChangeRequest, CheckResult
from governance.states import Outcome, Verdict


class Weight(StrEnum):
    """What a failed check means for the approval."""

    BLOCKS = "blocks"  # nobody can approve it
    ACCEPTED = "accepted"  # whoever approves has to accept it by name
    SHOWN = "shown"  # whoever approves has seen it


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """How a check ended. `findings` are JSON objects; `verdict` only from compatibility checks."""

    outcome: str
    summary: str
    findings: Sequence[dict[str, object]] = ()
    verdict: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A named check; `run(change, now)` answers None where there is nothing to say."""

    name: str
    kinds: frozenset[str]
    run: Callable[[ChangeRequest, datetime], Answer | None]
    weight: Weight = Weight.SHOWN
    order: int = field(default=50)


CHECKS: dict[str, Check] = {}


def register(
    name: str,
    run: Callable[[ChangeRequest, datetime], Answer | None],
    *,
    kinds: Collection[str],
    weight: Weight = Weight.SHOWN,
    order: int = 50,
) -> None:
    """Add a check; the same name again replaces it. Lower `order` runs and shows first."""
    CHECKS[name] = Check(name=name, kinds=frozenset(kinds), run=run, weight=weight, order=order)


FIRST = "well_formed"


def run(change: ChangeRequest, *, now: datetime) -> str:
    """Run every check of the request's kind, keep the answers; return the verdict, "" for none.

    What cannot be read is held against nothing further.
    """
    verdict = ""
    asked = [check for check in CHECKS.values() if change.kind in check.kinds]
    for check in sorted(asked, key=lambda one: (one.order, one.name)):
        answer = check.run(change, now)
        if answer is None:
            continue
        verdict = _worse(verdict, answer.verdict)
        CheckResult.objects.create(
            change_request=change,
            check_name=check.name,
            proposal_sha256=change.proposal_sha256,
            outcome=answer.outcome,
            summary=answer.summary,
            findings=_storable(answer.findings),
            ran_at=now,
        )
        if check.name == FIRST and answer.outcome == Outcome.FAILED:
            break
    return verdict


def latest(change: ChangeRequest) -> list[CheckResult]:
    """Return the newest answer of each check about the proposal as it stands, in their order."""
    rows = change.check_results.filter(proposal_sha256=change.proposal_sha256)
    newest = {row.check_name: row for row in rows.order_by("ran_at", "pk")}
    return sorted(newest.values(), key=lambda row: (_order(row.check_name), row.check_name))


def blocking(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the failed checks that no approval can get past."""
    return _failed(results, Weight.BLOCKS)


def to_accept(results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return the failed checks that whoever approves has to accept by name."""
    return _failed(results, Weight.ACCEPTED)


def _failed(results: Sequence[CheckResult], weight: Weight) -> list[CheckResult]:
    return [
        row
        for row in results
        if row.outcome == Outcome.FAILED
        and row.check_name in CHECKS
        and CHECKS[row.check_name].weight is weight
    ]


def _storable(findings: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Drop an example document that the database cannot hold: NUL, or half a surrogate pair."""
    return [
        {key: value for key, value in finding.items() if key not in _OF_DOCUMENTS}
        if _NOT_STORABLE.search(json.dumps(finding, default=str, ensure_ascii=False))
        else finding
        for finding in findings
    ]


def _order(name: str) -> int:
    return CHECKS[name].order if name in CHECKS else 99


# What a finding shows of a document: left out where it cannot be stored.
_OF_DOCUMENTS = frozenset({"witness", "example", "before", "after"})
_NOT_STORABLE = re.compile(r"\\u0000|[\ud800-\udfff]")
_RANK = {"": 0, Verdict.COMPATIBLE: 1, Verdict.UNDECIDED: 2, Verdict.INCOMPATIBLE: 3}


def _worse(one: str, other: str) -> str:
    return max(one, other, key=_RANK.__getitem__)
