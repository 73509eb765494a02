"""Reads everything that publishing and routing ask of governance, in a fixed number of queries."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from catalog import models as catalog
from catalog import referring
from catalog.models import Release, SchemaVersion
from catalog.words import Environment, ReleaseState
from delivery import expressions, filters, routing_rules, translations
from delivery import models as rows
from delivery.expressions import Expression
from delivery.known import (
    PARTITION_ATTRIBUTE,
    EventType,
    Key,
    Knowledge,
    Publisher,
    RuleBook,
    Subscription,
    Topic,
    Version,
)
from delivery.models import RoutingRule
from delivery.rules import Rule
from delivery.states import DeliveryMode
from governance import access
from governance.models import ApiKey
from governance.states import Verb

MAX_PATH_CHARACTERS = 200
ByPlace = Mapping[tuple[UUID, str], tuple[Subscription, ...]]
RulesByPlace = Mapping[tuple[UUID, str], tuple[Rule, ...]]

logger = logging.getLogger(__name__)
# Documents never change, so each is read once a process; a hash is 64 characters.
_documents: dict[str, str] = {}


def read(version: tuple[int, str]) -> Knowledge:
    """Return what governance says now; `version` is what its head said just before."""
    entitlements = access.entitlements(datetime.now(tz=UTC))
    subscriptions = _subscriptions(entitlements)
    return Knowledge(
        version=version,
        keys=_keys(),
        regions=dict(catalog.Application.objects.values_list("id", "region_id")),
        event_types=_event_types(_topics(), subscriptions, _rules()),
        subscriptions=subscriptions,
        entitlements=entitlements,
    )


def _keys() -> dict[str, Key]:
    standing = ApiKey.objects.filter(revoked_at__isnull=True, application__is_active=True)
    columns = standing.values_list("digest", "id", "application_id", "environment", "expires_at")
    return {
        digest: Key(
            publisher=Publisher(application_id=owner, environment=environment, key_id=id_),
            expires_at=expires_at,
        )
        for digest, id_, owner, environment, expires_at in columns.iterator()
    }


def _topics() -> dict[UUID, Topic]:
    return {
        topic.pk: Topic(
            id=topic.pk,
            name=topic.name,
            owner_id=topic.owner_id,
            is_restricted=topic.is_restricted,
            regions=frozenset(topic.regions),
            payload_ceiling_bytes=topic.payload_ceiling_bytes,
            ordering_path=_path(topic.ordering_key),
        )
        for topic in catalog.Topic.objects.all()
    }


@lru_cache(maxsize=1_024)
def _path(ordering_key: str) -> Expression | None:
    text = ordering_key.strip().removeprefix("data.")
    if text in ("", PARTITION_ATTRIBUTE):
        return None
    try:
        return expressions.compile(text, max_characters=MAX_PATH_CHARACTERS)
    except expressions.InvalidExpression:
        logger.warning("The ordering key %r of a topic cannot be read", ordering_key)
        return None


def _event_types(
    topics: Mapping[UUID, Topic], subscriptions: ByPlace, rules: RulesByPlace
) -> dict[str, EventType]:
    accepted = _accepted_versions()
    conversions = translations.in_force()
    found = {}
    # A topic made since the topics were read comes with the next reading.
    known = catalog.EventType.objects.filter(topic_id__in=topics)
    for id_, name, topic_id in known.values_list("id", "name", "topic_id"):
        versions = accepted.get(id_, {})
        found[name] = EventType(
            id=id_,
            name=name,
            topic=topics[topic_id],
            versions=versions,
            newest=_newest(versions),
            wanted_by={
                environment: tuple(
                    one
                    for one in subscriptions.get((topic_id, environment), ())
                    if not one.event_types or name in one.event_types
                )
                for environment in Environment.values
            },
            translations=conversions,
            rules=_rules_of(name, topic_id, rules, subscriptions),
        )
    return found


def _rules() -> RulesByPlace:
    found: dict[tuple[UUID, str], list[RoutingRule]] = defaultdict(list)
    in_force = RoutingRule.objects.filter(is_active=True).order_by("position", "number")
    for row in in_force:
        found[row.topic_id, row.environment].append(row)
    return {place: routing_rules.compiled(rows) for place, rows in found.items()}


def _rules_of(
    type_name: str, topic_id: UUID, rules: RulesByPlace, subscriptions: ByPlace
) -> dict[str, RuleBook]:
    found = {}
    for environment in Environment.values if rules else ():
        here = rules.get((topic_id, environment), ())
        fitting = tuple(one for one in here if not one.event_types or type_name in one.event_types)
        if fitting:
            found[environment] = RuleBook(
                rules=fitting, standing=subscriptions.get((topic_id, environment), ())
            )
    return found


def _accepted_versions() -> dict[UUID, dict[tuple[str, str], Version]]:
    releases = list(
        Release.objects.accepted()
        .select_related("version", "replacement")
        .defer("version__document", "replacement__document", "version__example")
    )
    _read_documents({release.version.document_sha256 for release in releases})
    found: dict[UUID, dict[tuple[str, str], Version]] = defaultdict(dict)
    for release in releases:
        version = release.version
        is_deprecated = release.state == ReleaseState.DEPRECATED
        found[version.event_type_id][release.environment, version.version] = Version(
            id=version.pk,
            number=version.version,
            major=version.major,
            sha256=version.document_sha256,
            document=_documents[version.document_sha256],
            deprecated_at=release.since if is_deprecated else None,
            sunset_at=release.sunset_at,
            replacement=release.replacement.version if release.replacement else None,
        )
    return found


def _read_documents(hashes: set[str]) -> None:
    missing = hashes - _documents.keys()
    if missing:
        wanted = SchemaVersion.objects.filter(document_sha256__in=missing)
        # What a schema draws on in the catalog becomes a part: publishing asks no database.
        _documents.update(
            (sha256, referring.self_contained(document))
            for sha256, document in wanted.values_list("document_sha256", "document")
        )


def _newest(versions: Mapping[tuple[str, str], Version]) -> dict[str, Version]:
    """Return the highest live version of each environment, else its highest deprecated one."""
    best: dict[str, Version] = {}
    for (environment, _number), version in versions.items():
        standing = best.get(environment)
        if standing is None or _rank(version) > _rank(standing):
            best[environment] = version
    return best


def _rank(version: Version) -> tuple[bool, tuple[int, ...]]:
    return version.deprecated_at is None, tuple(int(part) for part in version.number.split("."))


def _subscriptions(entitlements: access.Entitlements) -> ByPlace:
    standing = (
        rows.Subscription.objects.standing()
        .filter(application__is_active=True)
        .select_related("endpoint", "application", "topic")
        .order_by("number")
    )
    found: dict[tuple[UUID, str], list[Subscription]] = defaultdict(list)
    for row in standing:
        region = row.endpoint.region_id if row.endpoint else row.application.region_id
        found[row.topic_id, row.environment].append(
            Subscription(
                id=row.pk,
                number=row.number,
                application_id=row.application_id,
                event_types=frozenset(row.event_types),
                version_pin=row.version_pin,
                filter=_filter(json.dumps(row.filter, sort_keys=True)) if row.filter else None,
                entitled_until=entitlements.until(
                    row.application_id, Verb.SUBSCRIBE, row.topic_id, row.environment
                ),
                region=region,
                is_ordered=row.is_ordered,
                is_pull=row.mode == DeliveryMode.PULL,
                collects=row.collecting_rule,
            )
        )
    return {place: tuple(subscriptions) for place, subscriptions in found.items()}


@lru_cache(maxsize=8_192)
def _filter(text: str) -> filters.CompiledFilter:
    try:
        return filters.compile(json.loads(text))
    except filters.InvalidFilter as error:
        # Saving checks every filter, so this one was written past the verbs. It lets nothing pass,
        # and each event's page says so; sending what nobody asked for could not be taken back.
        logger.error("A stored filter cannot be read: %s", error)
        return filters.compile({"exact": {"unreadablefilter": "true"}})
