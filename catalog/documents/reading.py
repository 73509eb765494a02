"""Fetch what the documents say, in a bounded number of queries."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml
from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import referring, schemas
from catalog.documents.asyncapi import EventDoc, ServerDoc, TopicDoc, VersionDoc, build
from catalog.documents.atom import Entry, Feed
from catalog.models import EventType, Release, SchemaVersion, Topic
from catalog.words import Environment, ReleaseState

FEED_LENGTH = 50
_PROMISES = ("kind", "criticality", "retention_days", "regions", "ordering_key", "is_restricted")


def asyncapi(topics: QuerySet[Topic], *, title: str, version: str = "1.0.0") -> dict[str, Any]:
    """Return AsyncAPI 3.0 of the topics, with every version that is accepted somewhere."""
    return build(
        [_topic(topic) for topic in _with_contracts(topics)],
        title=title,
        version=version,
        description=_("Events that Signalbox takes and delivers, as CloudEvents 1.0."),
        servers=[ServerDoc(environment=one, url=settings.PUBLIC_URL) for one in Environment.values],
        resolve=referring.resolve,
    )


def as_json(document: Mapping[str, Any]) -> bytes:
    """Return a document as UTF-8 JSON."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def as_yaml(document: Mapping[str, Any]) -> bytes:
    """Return a document as UTF-8 YAML, members in their order."""
    # Through JSON, so that equal parts are written out and not as anchors.
    plain = json.loads(json.dumps(document))
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    return text.encode()


def _with_contracts(topics: QuerySet[Topic]) -> QuerySet[Topic]:
    releases = Prefetch(
        "releases", queryset=Release.objects.accepted(), to_attr="accepted_releases"
    )
    versions = SchemaVersion.objects.newest_first().prefetch_related(releases)
    types = EventType.objects.order_by("name").prefetch_related(
        Prefetch("versions", queryset=versions)
    )
    return (
        topics.select_related("domain", "owner")
        .order_by("name")
        .prefetch_related(Prefetch("event_types", queryset=types))
    )


def _topic(topic: Topic) -> TopicDoc:
    return TopicDoc(
        name=topic.name,
        title=topic.title,
        description=topic.description,
        domain=topic.domain.name,
        owner=topic.owner.name,
        promises={name.replace("_", "-"): getattr(topic, name) for name in _PROMISES},
        events=tuple(_event(event_type) for event_type in topic.event_types.all()),
    )


def _event(event_type: EventType) -> EventDoc:
    accepted = [
        _version(event_type, version, releases)
        for version in event_type.versions.all()
        if (releases := version.accepted_releases)  # type: ignore[attr-defined]  # prefetched
    ]
    return EventDoc(
        name=event_type.name,
        title=event_type.title,
        description=event_type.description,
        happens_when=event_type.happens_when,
        tags=tuple(event_type.tags),
        versions=tuple(accepted),
    )


def _version(
    event_type: EventType, version: SchemaVersion, releases: Sequence[Release]
) -> VersionDoc:
    ends = [release.sunset_at for release in releases if release.sunset_at]
    path = referring.schema_path(event_type.name, version.version)
    return VersionDoc(
        version=version.version,
        schema=schemas.read(version.document),
        schema_url=f"{settings.PUBLIC_URL}{path}",
        example=json.loads(version.example) if version.example else None,
        has_example=bool(version.example),
        changes=version.changes,
        environments=tuple(sorted(release.environment for release in releases)),
        sunset=min(ends).isoformat() if ends else "",
    )


_SENTENCES = {
    ReleaseState.LIVE: gettext_lazy("%(what)s is live in %(environment)s"),
    ReleaseState.DEPRECATED: gettext_lazy("%(what)s is deprecated in %(environment)s"),
    ReleaseState.RETIRED: gettext_lazy("%(what)s is retired in %(environment)s"),
}


def feed(
    event_types: QuerySet[EventType],
    *,
    title: str,
    path: str,
    page_path: str,
    page_of: Callable[[SchemaVersion], str],
    now: datetime,
) -> Feed:
    """Return the latest changes of the contracts of these types, newest first.

    One entry each time that a version went live, was deprecated or was retired in an environment;
    `page_of` returns the path of the page that tells more. `now` dates a feed without any.
    """
    rows = (
        Release.history.filter(
            version__event_type__in=event_types.values("pk"), state__in=list(_SENTENCES)
        )
        .select_related("version__event_type")
        .order_by("-history_date", "-history_id")[:FEED_LENGTH]
    )
    entries = [_entry(row, page_of(row.version)) for row in rows]
    return Feed(
        id=f"{settings.PUBLIC_URL}{path}",
        title=title,
        url=f"{settings.PUBLIC_URL}{path}",
        page_url=f"{settings.PUBLIC_URL}{page_path}",
        updated=entries[0].at if entries else now,
        entries=entries,
    )


def _entry(row: Any, path: str) -> Entry:
    version = row.version
    what = f"{version.event_type.title} {version.version}"
    summary = version.changes
    if row.state == ReleaseState.DEPRECATED and row.sunset_at:
        summary = _("It ends on %s.") % row.sunset_at.date().isoformat()
    return Entry(
        id=f"urn:uuid:{row.history_id}",
        title=str(_SENTENCES[row.state]) % {"what": what, "environment": row.environment},
        summary=summary,
        url=f"{settings.PUBLIC_URL}{path}",
        author=row.history_user_name or "Signalbox",
        at=row.history_date,
    )
