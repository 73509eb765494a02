"""Rows of the catalog as files. Whoever asks passes querysets of what they may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time
from operator import attrgetter
from typing import Any

import yaml
from django.db import models
from django.db.models import Prefetch, QuerySet

from catalog.models import (
    Application,
    Domain,
    EventType,
    Region,
    Release,
    RuleWeight,
    SchemaVersion,
    Team,
    Topic,
)

# What a file does not say: the row's own identity, and what is said by its place in the tree.
_NOT_WRITTEN = {"id", "created_at", "search", "group", "service_account"}


def write(
    *,
    event_types: QuerySet[EventType],
    topics: QuerySet[Topic],
    applications: QuerySet[Application],
) -> dict[str, bytes]:
    """Return every file by its path, in a bounded number of queries."""
    regions = {region.code: region.name for region in Region.objects.order_by("code")}
    weights = dict(RuleWeight.objects.values_list("rule", "weight"))
    files = {"regions.yaml": _yaml(regions), "house-rules.yaml": _yaml(weights)}
    for team in Team.objects.order_by("slug"):
        files[f"teams/{team.slug}.yaml"] = _yaml(values_of(team, "slug"))
    for domain in Domain.objects.select_related("owner").order_by("slug"):
        files[f"domains/{domain.slug}.yaml"] = _yaml(values_of(domain, "slug"))
    for topic in topics.select_related("domain", "owner").order_by("name"):
        files[f"topics/{topic.name}.yaml"] = _yaml(values_of(topic, "name"))
    for application in applications.select_related("team", "region").order_by("slug"):
        files[f"applications/{application.slug}.yaml"] = _yaml(values_of(application, "slug"))
    for event_type in _with_versions(event_types):
        files |= _event_type(event_type)
    return dict(sorted(files.items()))


def _with_versions(event_types: QuerySet[EventType]) -> QuerySet[EventType]:
    releases = Release.objects.select_related("replacement").order_by("environment")
    versions = SchemaVersion.objects.order_by("major", "minor", "patch").prefetch_related(
        Prefetch("releases", queryset=releases)
    )
    return (
        event_types.select_related("topic")
        .order_by("name")
        .prefetch_related(Prefetch("versions", queryset=versions))
    )


def _event_type(event_type: EventType) -> dict[str, bytes]:
    folder = f"event-types/{event_type.name}"
    versions = list(event_type.versions.all())
    words = values_of(event_type, "name")
    words["versions"] = {one.version: version_values(one) for one in versions}
    files = {f"{folder}/event-type.yaml": _yaml(words)}
    for one in versions:
        files[f"{folder}/{one.version}.schema.json"] = one.document.encode()
        if one.example:
            files[f"{folder}/{one.version}.example.json"] = one.example.encode()
    return files


def version_values(version: SchemaVersion) -> dict[str, Any]:
    """Return what is said of a version beside its schema and example."""
    return {
        "changes": version.changes,
        "guarantee": version.guarantee,
        "releases": {one.environment: dict(_release(one)) for one in version.releases.all()},
    }


def _release(release: Release) -> Iterator[tuple[str, str]]:
    yield "state", str(release.state)
    if release.sunset_at:
        yield "sunset_at", release.sunset_at.astimezone(UTC).isoformat()
    if release.replacement:
        yield "replacement", release.replacement.version


def values_of(thing: models.Model, name: str) -> dict[str, Any]:
    """Return the values of a row by field, in the model's order; `name` is the file's own."""
    return {field.name: plain(getattr(thing, field.name)) for field in fields_of(type(thing), name)}


def fields_of(model: type[models.Model], name: str) -> list[models.Field[Any, Any]]:
    """Return the fields that a file of this model says."""
    return [
        field
        for field in model._meta.concrete_fields
        if field.name not in _NOT_WRITTEN and field.name != name
    ]


def plain(value: object) -> Any:
    """Return a field's value as files have it: other things by their names."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return next((form(value) for kind, form in _FORMS if isinstance(value, kind)), value)


_FORMS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (Team, attrgetter("slug")),
    (Domain, attrgetter("slug")),
    (Topic, attrgetter("name")),
    (Region, attrgetter("code")),
    (datetime, lambda at: at.astimezone(UTC).isoformat()),
    (time, time.isoformat),
    (str, str),  # a member of choices is its bare value
)


def _yaml(values: Mapping[str, Any]) -> bytes:
    text: str = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=100)
    return text.encode()
