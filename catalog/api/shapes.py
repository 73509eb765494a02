"""What the doors of the catalog take and answer."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from catalog import referring
from catalog.api.doors import Instant
from catalog.house_rules import Weight
from catalog.lifecycle import PROPOSED
from catalog.models import Application, Domain, EventType, Release, SchemaVersion, Team, Topic
from catalog.models.event_types import CompatibilityMode, CompatibilityPolicy
from catalog.words import ApplicationKind, Case, Criticality, Environment, ReleaseState, TopicKind

LIFECYCLES = [*ReleaseState.choices, (PROPOSED, "Proposed")]


class TeamQuery(serializers.Serializer[Any]):
    """Which teams."""

    search = serializers.CharField(required=False)


class TeamShape(serializers.Serializer[Team]):
    """People who own things."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    email = serializers.CharField()


class DomainQuery(serializers.Serializer[Any]):
    """Which domains; `owner` is a team's short name."""

    search = serializers.CharField(required=False)
    owner = serializers.CharField(required=False)


class DomainShape(serializers.Serializer[Domain]):
    """A business area."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    owner = serializers.CharField(source="owner.slug")


class TopicQuery(serializers.Serializer[Any]):
    """Which topics; `domain` and `owner` are short names, `region` one that events may go to."""

    search = serializers.CharField(required=False)
    domain = serializers.CharField(required=False)
    owner = serializers.CharField(required=False)
    kind = serializers.ChoiceField(choices=TopicKind.choices, required=False)
    region = serializers.CharField(required=False)
    criticality = serializers.ChoiceField(choices=Criticality.choices, required=False)


class TopicShape(serializers.Serializer[Topic]):
    """A channel for related events, with what holds for all of them."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    domain = serializers.CharField(source="domain.slug")
    owner = serializers.CharField(source="owner.slug")
    kind = serializers.ChoiceField(choices=TopicKind.choices)
    batch_max_events = serializers.IntegerField(help_text="Of batched topics, as what follows.")
    batch_max_bytes = serializers.IntegerField()
    batch_max_wait_seconds = serializers.IntegerField(
        allow_null=True, help_text="null: a minute, or where there are times, until the next."
    )
    batch_times = serializers.ListField(
        child=serializers.CharField(), help_text="Times of day such as 02:00."
    )
    batch_time_zone = serializers.CharField()
    is_restricted = serializers.BooleanField()
    ordering_key = serializers.CharField()
    regions = serializers.ListField(child=serializers.CharField(), help_text="Empty: anywhere.")
    criticality = serializers.ChoiceField(choices=Criticality.choices)
    retention_days = serializers.IntegerField()
    payload_ceiling_bytes = serializers.IntegerField()
    field_case = serializers.ChoiceField(choices=Case.choices)
    house_rules = serializers.DictField(
        child=serializers.ChoiceField(choices=Weight.values),
        help_text="What rules for contracts weigh here; the others as in the whole portal.",
    )
    created_at = Instant()


class EventTypeQuery(TopicQuery):
    """Which event types: of which topics, how far their versions are, and tagged with what."""

    topic = serializers.CharField(required=False)
    lifecycle = serializers.ChoiceField(choices=LIFECYCLES, required=False)
    tag = serializers.CharField(required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class EventTypeShape(serializers.Serializer[EventType]):
    """What happened; `lifecycle` is that of its versions in the environment asked for."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    happens_when = serializers.CharField()
    topic = serializers.CharField(source="topic.name")
    domain = serializers.CharField(source="topic.domain.slug")
    owner = serializers.CharField(source="topic.owner.slug")
    tags = serializers.ListField(child=serializers.CharField())
    lifecycle = serializers.ChoiceField(choices=LIFECYCLES)
    compatibility_mode = serializers.ChoiceField(choices=CompatibilityMode.choices)
    compatibility_policy = serializers.ChoiceField(choices=CompatibilityPolicy.choices)
    created_at = Instant()


class ReleaseShape(serializers.Serializer[Release]):
    """Where a version stands in one environment."""

    environment = serializers.ChoiceField(choices=Environment.choices)
    state = serializers.ChoiceField(choices=ReleaseState.choices)
    since = Instant()
    sunset_at = Instant(allow_null=True)
    replacement = serializers.SerializerMethodField()

    def get_replacement(self, row: Release) -> str | None:
        """Return the version to use instead."""
        return row.replacement.version if row.replacement else None


class VersionShape(serializers.Serializer[SchemaVersion]):
    """One version of a contract; the schema itself is at `schema_url`."""

    id = serializers.UUIDField()
    event_type = serializers.CharField(source="event_type.name")
    version = serializers.CharField()
    releases = ReleaseShape(many=True)
    changes = serializers.CharField()
    guarantee = serializers.CharField()
    schema_sha256 = serializers.CharField(source="document_sha256")
    schema_url = serializers.SerializerMethodField()
    created_at = Instant()

    def get_schema_url(self, row: SchemaVersion) -> str:
        """Return the address of the schema: the `dataschema` of its events."""
        path = referring.schema_path(row.event_type.name, row.version)
        return f"{settings.PUBLIC_URL}{path}"


class ApplicationQuery(serializers.Serializer[Any]):
    """Which applications; `owner` is a team's short name."""

    search = serializers.CharField(required=False)
    owner = serializers.CharField(required=False)
    kind = serializers.ChoiceField(choices=ApplicationKind.choices, required=False)
    region = serializers.CharField(required=False)


class ApplicationShape(serializers.Serializer[Application]):
    """A system that publishes or subscribes."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=ApplicationKind.choices)
    description = serializers.CharField()
    owner = serializers.CharField(source="team.slug")
    region = serializers.CharField(source="region_id")
    is_active = serializers.BooleanField()
    created_at = Instant()


class DataToCheck(serializers.Serializer[Any]):
    """Data to hold against a contract; without a version, the newest accepted one."""

    data = serializers.JSONField(allow_null=True)  # type: ignore[assignment]  # declared, taken off
    version = serializers.CharField(required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class FaultShape(serializers.Serializer[Any]):
    """Where a document is at fault."""

    pointer = serializers.CharField()
    message = serializers.CharField()


class Judgement(serializers.Serializer[Any]):
    """Whether data keeps a contract."""

    valid = serializers.BooleanField()
    version = serializers.CharField()
    errors = FaultShape(many=True)  # type: ignore[assignment]  # declared, taken off
