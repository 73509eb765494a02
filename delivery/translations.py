"""The reviewed conversions between major versions: what is in force, and putting one in force."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog import referring, schemas
from catalog.models import EventType, Release, SchemaVersion, User
from catalog.words import ReleaseState
from delivery import configuration, mapping
from delivery.cloudevents import ExtensionValue, deprecation_extensions
from delivery.expressions import Expression
from delivery.models import Translation as Row
from delivery.translating import TRANSLATED_FROM, Translation
from governance import access
from governance.actions import Action
from governance.governed import governed, record
from governance.models import ChangeRequest
from governance.proposals import digest

# (version published, environment) → the major version wanted → how to make it.
Translations = Mapping[tuple[UUID, str], Mapping[int, Translation]]

logger = logging.getLogger(__name__)


def in_force(event_types: Collection[UUID] | None = None) -> Translations:
    """Return every conversion whose target is accepted in the environment; of all types for None.

    The target is the newest live version of its major, else the newest deprecated one.
    """
    rows = Row.objects.all()
    if event_types is not None:
        rows = rows.filter(event_type__in=event_types)
    found: dict[tuple[UUID, str], dict[int, Translation]] = {}
    by_type: dict[UUID, list[Row]] = {}
    for row in rows:
        by_type.setdefault(row.event_type_id, []).append(row)
    if not by_type:
        return found
    targets = _targets(by_type)
    versions = SchemaVersion.objects.filter(event_type__in=by_type).only(
        "event_type_id", "version", "major"
    )
    for version in versions:
        for row in by_type[version.event_type_id]:
            if row.from_major != version.major:
                continue
            expression = _expression(row.mapping)
            for environment, target in targets.get((row.event_type_id, row.to_major), {}).items():
                if expression is not None:
                    ways = found.setdefault((version.pk, environment), {})
                    ways[row.to_major] = between(version.version, target, expression)
    return found


def between(source: str, target: Release, expression: Expression) -> Translation:
    """Return the conversion from the version `source` to the version of a release."""
    version = target.version
    path = referring.schema_path(version.event_type.name, version.version)
    extensions: dict[str, ExtensionValue] = {TRANSLATED_FROM: source}
    if target.state == ReleaseState.DEPRECATED:
        name = version.event_type.name
        extensions |= deprecation_extensions(
            since=target.since,
            sunset=target.sunset_at,
            migration_url=f"{configuration.public_url()}/api/v1/event-types/{name}/versions",
        )
    return Translation(
        source=source,
        target=version.version,
        expression=expression,
        validator=_validator(version.document_sha256, version.document),
        dataschema=f"{configuration.public_url()}{path}",
        extensions=extensions,
    )


def standing(event_type: EventType, *, from_major: int, to_major: int) -> Row | None:
    """Return the conversion that is in force between the two, None where there is none yet."""
    return Row.objects.filter(
        event_type=event_type, from_major=from_major, to_major=to_major
    ).first()


def target_of(event_type: EventType, major: int) -> Release | None:
    """Return the release that conversions to the major version are held against, in review."""
    return next(iter(_targets([event_type.pk]).get((event_type.pk, major), {}).values()), None)


def put(
    change: ChangeRequest,
    *,
    from_major: int,
    to_major: int,
    expression: str,
    by: User,
    now: datetime,
) -> Row:
    """Put an approved conversion in force, in place of the one that stood."""
    event_type = change.event_type
    if event_type is None:
        raise ValidationError(_("The request names no event type."))
    with governed(by=by, now=now):
        access.require(by, Action.TRANSLATION_APPLY, event_type, now=now)
        row = standing(event_type, from_major=from_major, to_major=to_major)
        before = {"mapping_sha256": digest(row.mapping)} if row else {}
        row = row or Row(event_type=event_type, from_major=from_major, to_major=to_major)
        row.mapping, row.change_request, row.since = expression, change, now
        row.save()
        record(
            Action.TRANSLATION_APPLY,
            row,
            before=before,
            after={
                "from_major": from_major,
                "to_major": to_major,
                "mapping_sha256": digest(expression),
            },
            related=(event_type, event_type.topic, event_type.topic.owner, change),
        )
    return row


def _targets(event_types: Iterable[UUID]) -> dict[tuple[UUID, int], dict[str, Release]]:
    """Return by (type, major) and environment the best release of each."""
    accepted = (
        Release.objects.accepted()
        .filter(version__event_type__in=event_types)
        .select_related("version__event_type")
        .order_by("environment", "version__major", "version__minor", "version__patch")
    )
    found: dict[tuple[UUID, int], dict[str, Release]] = {}
    for release in accepted:
        version = release.version
        best = found.setdefault((version.event_type_id, version.major), {})
        held = best.get(release.environment)
        is_live = release.state == ReleaseState.LIVE
        if held is None or is_live or held.state != ReleaseState.LIVE:
            best[release.environment] = release
    return found


@lru_cache(maxsize=1_024)
def _expression(text: str) -> Expression | None:
    try:
        return mapping.compile(text)
    except mapping.InvalidMapping as error:
        # A request is checked before it is approved, so this one was written past the verbs.
        logger.error("A stored conversion cannot be read: %s", error)
        return None


@lru_cache(maxsize=1_024)
def _validator(sha256: str, document: str) -> schemas.Validator:
    del sha256  # spares the cache from comparing documents of equal hash
    return schemas.validator_for(referring.self_contained(document))
