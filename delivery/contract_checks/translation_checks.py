"""What the checks say of a proposed conversion: does it work, and what does it read?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import referring, schemas
from delivery import mapping
from delivery.contract_checks.translation import (
    TranslationProposal,
    Trial,
    source_of,
    translation_of,
    trials,
)
from delivery.translating import Translation, TranslationFailed
from governance import contract_impact, proposals
from governance.checks import Answer
from governance.models import ChangeRequest
from governance.states import Outcome

SHOWN_FAILED = 10


def check_conversion(change: ChangeRequest, now: datetime) -> Answer:
    """Convert the sample and the recorded events, and hold what is made against the target."""
    del now
    translation = translation_of(change)
    if translation is None:
        return Answer(
            outcome=Outcome.FAILED,
            summary=_("No version of that major is accepted, so nothing would be converted."),
        )
    tried = trials(change)
    failed = [one for one in tried if one.failure]
    sample, sample_failure = _of_sample(change, translation)
    findings = [*sample, *_failed_findings(failed)]
    if failed or sample_failure:
        summary = _failed_in_words(len(failed), len(tried)) if failed else sample_failure
        return Answer(outcome=Outcome.FAILED, summary=summary, findings=findings)
    if not tried and not sample:
        return Answer(
            outcome=Outcome.UNDECIDED,
            summary=_("There is no recorded event and no sample to try the conversion on."),
        )
    if not tried:
        summary = _("The sample converts; no event of that version is recorded yet.")
    else:
        summary = ngettext(
            "The last recorded event converts, and keeps the contract of %(target)s.",
            "All of the last %(n)s recorded events convert, and keep the contract of %(target)s.",
            len(tried),
        ) % {"n": len(tried), "target": translation.target}
    return Answer(outcome=Outcome.PASSED, summary=summary, findings=findings)


def _failed_in_words(failed: int, total: int) -> str:
    return ngettext(
        "%(failed)s of the last %(n)s recorded event cannot be converted.",
        "%(failed)s of the last %(n)s recorded events cannot be converted.",
        total,
    ) % {"failed": failed, "n": total}


def _of_sample(
    change: ChangeRequest, translation: Translation
) -> tuple[list[dict[str, object]], str]:
    """Return the sample before and after as findings, and why it cannot be converted."""
    version = source_of(change)
    if version is None or not version.example:
        return [], ""
    before = json.loads(version.example)
    try:
        return [{"before": before, "after": translation.convert(before)}], ""
    except TranslationFailed as error:
        return [{"before": before, "message": str(error)}], _("The sample cannot be converted.")


def _failed_findings(failed: Sequence[Trial]) -> list[dict[str, object]]:
    """Return each cause with how many events share it, and the first of them; never their data."""
    causes: dict[str, list[Trial]] = {}
    for one in failed:
        causes.setdefault(one.failure, []).append(one)
    ranked = sorted(causes.items(), key=lambda cause: -len(cause[1]))[:SHOWN_FAILED]
    return [
        {"message": why, "count": len(some), "event": str(some[0].event.pk)} for why, some in ranked
    ]


def check_fields(change: ChangeRequest, now: datetime) -> Answer | None:
    """Say which places the mapping reads that the source version does not have."""
    del now
    proposal, version = proposals.of(change), source_of(change)
    if not isinstance(proposal, TranslationProposal) or version is None:
        return None
    known = [field.steps for field in schemas.fields(version.document, resolve=referring.resolve)]
    unknown = [path for path in mapping.data_paths(proposal.mapping) if not _stands_in(path, known)]
    if not unknown:
        return Answer(
            outcome=Outcome.PASSED, summary=_("Every field that it reads is in the contract.")
        )
    return Answer(
        outcome=Outcome.ADVICE,
        summary=_("It reads what %(version)s does not declare: %(paths)s.")
        % {"version": version.version, "paths": ", ".join(unknown)},
        findings=[
            {"pointer": path, "message": _("The contract does not declare this field.")}
            for path in unknown
        ],
    )


def _stands_in(path: str, known: Sequence[tuple[str, ...]]) -> bool:
    """Tell whether a declared field is the place, or stands beneath it."""
    wanted = contract_impact.steps_of(path)
    return not wanted or any(
        len(wanted) <= len(steps)
        and all(a == b or "*" in (a, b) for a, b in zip(wanted, steps, strict=False))
        for steps in known
    )
