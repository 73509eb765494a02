"""What changed between two versions of a contract, in the sentences of a review."""

from __future__ import annotations

from dataclasses import dataclass

from catalog import schemas
from catalog.models import SchemaVersion
from governance import proposal_checks
from governance.compatibility import Mode, Report


@dataclass(frozen=True, kw_only=True, slots=True)
class Changelog:
    """The changes from one version to another; a first version has none before it."""

    version: SchemaVersion
    since: SchemaVersion | None
    report: Report | None


def between(old: SchemaVersion, new: SchemaVersion) -> Changelog:
    """Compare any two versions under the event type's mode and policy, each pair by itself."""
    event_type = new.event_type
    mode = Mode(event_type.compatibility_mode.removesuffix("_TRANSITIVE"))
    report = proposal_checks.compare(
        [old],
        schemas.read(new.document),
        mode=mode,
        policy=event_type.compatibility_policy,
    )
    return Changelog(version=new, since=old, report=report)


def of(version: SchemaVersion) -> Changelog:
    """Compare a version with the next lower one of its event type."""
    below = [
        one
        for one in version.event_type.versions.newest_first()
        if (one.major, one.minor, one.patch) < (version.major, version.minor, version.patch)
    ]
    return (
        between(below[0], version) if below else Changelog(version=version, since=None, report=None)
    )
