"""The end of a version: whom it concerns, what they are told, and what stands in its way."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Release
from catalog.words import ReleaseState
from governance import checks, contract_usage, proposals, signals
from governance.checks import Answer, Weight
from governance.contract_usage import Use
from governance.models import ChangeRequest
from governance.proposals import Deprecation, Retirement
from governance.states import ChangeKind, ChangeState, Outcome

USAGE = "usage"
REMIND_DAYS = (30, 7, 1)  # before a version ends


def headers(release: Release) -> dict[str, str]:
    """Return the headers of an answer about a deprecated version; none for another.

    `Deprecation` as in RFC 9745 (a structured date), `Sunset` as in RFC 8594 (an HTTP date).
    """
    if release.state != "deprecated":
        return {}
    found = {"Deprecation": f"@{int(release.since.timestamp())}"}
    if release.sunset_at is not None:
        found["Sunset"] = format_datetime(release.sunset_at, usegmt=True)
    return found


def notice(release: Release, *, note: str = "") -> str:
    """Return what everybody who still uses the version is told."""
    version = release.version
    words = _("Version %(version)s of %(title)s ends on %(day)s.") % {
        "version": version.version,
        "title": version.event_type.title,
        "day": date_format(release.sunset_at or release.since, "j F Y"),
    }
    if release.replacement is not None:
        words += " " + _("Version %s takes its place.") % release.replacement.version
    return f"{words} {note}".strip()


def note_of(release: Release) -> str:
    """Return what the newest agreed request to end the version says beside its date."""
    change = (
        release.version.change_requests.filter(
            kind=ChangeKind.DEPRECATION, state__in=[ChangeState.APPROVED, ChangeState.APPLIED]
        )
        .order_by("-number")
        .first()
    )
    proposal = proposals.of(change) if change else None
    return proposal.notice if isinstance(proposal, Deprecation) else ""


def remind(*, now: datetime) -> int:
    """Tell of the versions that end within `REMIND_DAYS`; return how many there are.

    Safe to repeat: each is told with the least of these days that it still has, and whoever hears
    of it says it once for each.
    """
    last = now + timedelta(days=max(REMIND_DAYS))
    ending = Release.objects.filter(
        state=ReleaseState.DEPRECATED, sunset_at__gt=now, sunset_at__lte=last
    )
    count = 0
    for release in ending.select_related("version__event_type__topic", "replacement"):
        left = (release.sunset_at or now) - now
        days = min(one for one in REMIND_DAYS if left <= timedelta(days=one))
        with transaction.atomic():
            signals.version_ending.send(sender=Release, thing=release, by=None, now=now, days=days)
        count += 1
    return count


def affected(change: ChangeRequest, *, now: datetime) -> list[Use]:
    """Return who uses the version that the request would end."""
    proposal = proposals.of(change)
    if change.base is None or not isinstance(proposal, Deprecation | Retirement):
        return []
    return contract_usage.of(change.base, environments=proposal.environments, now=now)


def check_usage(change: ChangeRequest, now: datetime) -> Answer:
    """List who still uses the version; retiring it then needs a reason that overrides."""
    uses = affected(change, now=now)
    current = contract_usage.in_use(uses, now)
    proposal = proposals.of(change)
    findings = [use.to_json(now) for use in uses]
    if not current:
        return Answer(
            outcome=Outcome.PASSED, summary=_("Nobody uses it any more."), findings=findings
        )
    count = len({use.application_id for use in current})
    summary = ngettext(
        "%(n)s application still uses it.", "%(n)s applications still use it.", count
    ) % {"n": count}
    if isinstance(proposal, Retirement) and not proposal.override.strip():
        summary += " " + _("Retire it later, or say why it has to go all the same.")
        return Answer(outcome=Outcome.FAILED, summary=summary, findings=findings)
    return Answer(outcome=Outcome.ADVICE, summary=summary, findings=findings)


checks.register(
    USAGE,
    check_usage,
    kinds=(ChangeKind.DEPRECATION, ChangeKind.RETIREMENT),
    weight=Weight.BLOCKS,
    order=30,
)
