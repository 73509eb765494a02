"""Schema versions: putting them live, promoting, ending them; and the number that fits next.

The verbs here are steps of an applied change request (`governance.reviews.apply`), which has asked
for the permission; each still asks for its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from catalog.models import EventType, Release, SchemaVersion, User
from catalog.moves import IllegalMove
from catalog.words import Environment, ReleaseState
from governance import access, indexing, signals
from governance.actions import Action
from governance.compatibility import Kind, Mode, Report, Severity, Verdict
from governance.governed import governed, record
from governance.proposals import SchemaProposal, at, digest


def apply_version(
    event_type: EventType, proposal: SchemaProposal, *, changes: str = "", by: User, now: datetime
) -> SchemaVersion:
    """Make the version, live in staging and staged in production.

    `changes` is its changelog, else what the proposal says. Raises `IllegalMove` when a version of
    that number was made meanwhile.
    """
    with governed(by=by, now=now):
        access.require(by, Action.VERSION_APPLY, event_type, now=now)
        if event_type.versions.filter(version=proposal.version).exists():
            raise IllegalMove(
                _("Version %s exists already; propose another number.") % proposal.version,
                current=None,
            )
        version = SchemaVersion.objects.create(
            event_type=event_type,
            version=proposal.version,
            document=proposal.document,
            document_sha256=digest(proposal.document),
            example=proposal.example,
            changes=changes or proposal.changes,
            guarantee=proposal.guarantee,
        )
        _release(version, Environment.PRODUCTION, ReleaseState.STAGED, now=now)
        release = _release(version, Environment.STAGING, ReleaseState.LIVE, now=now)
        indexing.index(event_type)
        signals.version_released.send(sender=Release, thing=release, by=by, now=now)
        record(
            Action.VERSION_APPLY,
            version,
            after={
                "version": version.version,
                "document_sha256": version.document_sha256,
                "example_sha256": digest(version.example),
                "staging": ReleaseState.LIVE,
                "production": ReleaseState.STAGED,
            },
            related=_related(version),
        )
    return version


def promote(version: SchemaVersion, *, by: User, now: datetime) -> Release:
    """Put a version that is live in staging live in production."""
    with governed(by=by, now=now):
        access.require(by, Action.VERSION_PROMOTE, version, now=now)
        if not version.releases.accepted().filter(environment=Environment.STAGING).exists():
            raise IllegalMove(_("It is not live in staging any more."), current=None)
        release = _move(
            version, Environment.PRODUCTION, [ReleaseState.STAGED], ReleaseState.LIVE, now
        )
        signals.version_released.send(sender=Release, thing=release, by=by, now=now)
        record(
            Action.VERSION_PROMOTE,
            version,
            before={Environment.PRODUCTION: ReleaseState.STAGED},
            after={Environment.PRODUCTION: ReleaseState.LIVE},
            related=_related(version),
        )
    return release


def deprecate(
    version: SchemaVersion,
    *,
    environments: Collection[str],
    sunset_at: datetime,
    replacement: SchemaVersion | None,
    by: User,
    now: datetime,
) -> list[Release]:
    """Say that the version ends at `sunset_at`, and what takes its place.

    It is still accepted, with a warning on each answer. Again for a deprecated version: the date
    moves. An environment in which it never went live is passed over.
    """
    with governed(by=by, now=now):
        access.require(by, Action.VERSION_DEPRECATE, version, now=now)
        moved = []
        for release in _in(version, environments, ReleaseState.LIVE, ReleaseState.DEPRECATED):
            moved.append(_deprecated(release, sunset_at, replacement, now))
            signals.version_deprecated.send(sender=Release, thing=moved[-1], by=by, now=now)
        _refuse_nothing(moved)
        record(
            Action.VERSION_DEPRECATE,
            version,
            after={
                "environments": [release.environment for release in moved],
                "sunset_at": sunset_at,
                "replacement": replacement.version if replacement else None,
            },
            related=_related(version),
        )
    return moved


def retire(
    version: SchemaVersion, *, environments: Collection[str], by: User, now: datetime
) -> list[Release]:
    """Refuse the version's events from now on. Live versions are deprecated on the way.

    Whether it is still used is asked before, by the check of the change request.
    """
    with governed(by=by, now=now):
        access.require(by, Action.VERSION_RETIRE, version, now=now)
        unfinished = (ReleaseState.STAGED, ReleaseState.LIVE, ReleaseState.DEPRECATED)
        retired = []
        for release in _in(version, environments, *unfinished):
            if release.state == ReleaseState.LIVE:
                _deprecated(release, now, release.replacement, now)
            retired.append(
                _move(
                    version,
                    release.environment,
                    [ReleaseState.STAGED, ReleaseState.DEPRECATED],
                    ReleaseState.RETIRED,
                    now,
                )
            )
            signals.version_retired.send(sender=Release, thing=retired[-1], by=by, now=now)
        _refuse_nothing(retired)
        indexing.index(version.event_type)
        record(
            Action.VERSION_RETIRE,
            version,
            after={"environments": [release.environment for release in retired]},
            related=_related(version),
        )
    return retired


def live(event_type: EventType, *, environment: str | None = None) -> list[SchemaVersion]:
    """Return the versions that are live in the environment (None: in any), oldest first."""
    releases = Release.objects.filter(version__event_type=event_type, state=ReleaseState.LIVE)
    if environment:
        releases = releases.filter(environment=environment)
    found = SchemaVersion.objects.filter(pk__in=releases.values("version"))
    return list(found.order_by("major", "minor", "patch"))


def compared_with(
    versions: Sequence[SchemaVersion], number: str, mode: Mode
) -> list[SchemaVersion]:
    """Return which of the live `versions`, oldest first, a proposal of that number is held against.

    All of them in a transitive mode; else the newest below it, so that 1.4.1 beside 2.0.0 is held
    against 1.4.0, or the oldest when all are above.
    """
    if mode.is_transitive or not versions:
        return list(versions)
    below = [one for one in versions if numbers(one.version) < numbers(number)]
    return [below[-1] if below else versions[0]]


def numbers(version: str) -> tuple[int, ...]:
    """Return MAJOR.MINOR.PATCH as numbers, for sorting."""
    return tuple(int(part) for part in version.split("."))


def suggest(existing: Iterable[str], report: Report) -> str:
    """Return the number that fits a change: breaking → next major, words only → next patch.

    `existing` are all numbers that the event type has had. What is undecided counts as a minor
    change: whoever approves it says that it does not break.
    """
    taken = sorted(map(numbers, existing))
    if not taken:
        return "1.0.0"
    major, minor, patch = taken[-1]
    if report.verdict is Verdict.INCOMPATIBLE:
        return f"{major + 1}.0.0"
    if all(finding.kind is Kind.MEANING_CHANGED for finding in report.findings):
        return f"{major}.{minor}.{patch + 1}"
    return f"{major}.{minor + 1}.0"


_WORDS = {Severity.BREAKING: "Breaking: ", Severity.UNDECIDED: "To look at: ", Severity.SAFE: ""}


def changelog(report: Report) -> str:
    """Return the findings as lines of text, breaking ones first; "" when nothing changed."""
    lines = [f"{_WORDS[one.severity]}{one.message}" for one in report.findings]
    return "\n".join(dict.fromkeys(lines))


def _release(version: SchemaVersion, environment: str, state: str, *, now: datetime) -> Release:
    return Release.objects.create(version=version, environment=environment, state=state, since=now)


def _in(version: SchemaVersion, environments: Collection[str], *states: str) -> list[Release]:
    return list(
        version.releases.filter(environment__in=environments, state__in=states)
        .select_for_update()
        .order_by("environment")
    )


def _deprecated(
    release: Release, sunset_at: datetime, replacement: SchemaVersion | None, now: datetime
) -> Release:
    if release.state == ReleaseState.DEPRECATED:
        release.sunset_at, release.replacement = sunset_at, replacement
        release.save()
        return release
    return Release.objects.move(
        release.pk,
        ReleaseState.LIVE,
        ReleaseState.DEPRECATED,
        since=now,
        sunset_at=sunset_at,
        replacement=replacement,
    )


def _move(
    version: SchemaVersion, environment: str, sources: list[str], target: str, now: datetime
) -> Release:
    release = version.releases.filter(environment=environment).first()
    if release is None:
        raise IllegalMove(_("It was never released in %s.") % environment, current=None)
    return Release.objects.move(release.pk, sources, target, since=now)


def _refuse_nothing(releases: list[Release]) -> None:
    if not releases:
        raise ValidationError([at(_("It is not live there."), "/environments")])


def _related(version: SchemaVersion) -> tuple[models.Model, ...]:
    topic = version.event_type.topic
    return version.event_type, topic, topic.owner
