"""What a process knows of governance: values read together, never changed, replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from catalog import collecting, schemas
from delivery import expressions
from delivery.cloudevents import Envelope
from delivery.expressions import Expression
from delivery.filters import CompiledFilter
from delivery.rules import Rule
from delivery.translations import Translations
from governance.access import Entitlements
from governance.states import Verb

PARTITION_ATTRIBUTE = "partitionkey"
VIEW = "view_topic"
MAX_KEY_CHARACTERS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """What one publisher may do with one event type; kept as long as the reading it is of."""

    event_type: EventType
    is_visible: bool
    may_publish_until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Publisher:
    """Who publishes, and into which environment: a key, or an adapter, stands for it.

    `passes` are found at first use; a publisher lives no longer than the reading that made it.
    """

    application_id: UUID
    environment: str
    key_id: UUID | None = None
    passes: dict[str, Pass] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """An API key that was not revoked."""

    publisher: Publisher
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What publishing and routing ask of a topic; empty `regions` mean anywhere."""

    id: UUID
    name: str
    owner_id: UUID
    is_restricted: bool
    regions: frozenset[str]
    payload_ceiling_bytes: int
    ordering_path: Expression | None

    def partition_key(self, envelope: Envelope) -> str:
        """Return what orders the event among others of the topic; empty for nothing."""
        given = envelope.text(PARTITION_ATTRIBUTE)
        if given or self.ordering_path is None:
            return given or ""
        try:
            value = expressions.evaluate(self.ordering_path, envelope.data)
        except expressions.EvaluationFailed:
            return ""
        return str(value)[:MAX_KEY_CHARACTERS] if isinstance(value, str | int | float) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A version that publishers may use in one environment."""

    id: UUID
    number: str
    major: int
    sha256: str
    document: str = field(repr=False)
    deprecated_at: datetime | None
    sunset_at: datetime | None
    replacement: str | None

    @property
    def validator(self) -> schemas.Validator:
        """Return its compiled schema; the same document is compiled once a process."""
        return _compiled(self.sha256, self.document)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventType:
    """An event type with what is accepted of it and who wants it, by environment.

    `translations` are the conversions between major versions, of every type.
    """

    id: UUID
    name: str
    topic: Topic
    versions: Mapping[tuple[str, str], Version]
    newest: Mapping[str, Version]
    wanted_by: Mapping[str, tuple[Subscription, ...]]
    translations: Translations = field(default_factory=dict, compare=False, repr=False)
    # Of environments that have any, so that where there are none routing asks no rule.
    rules: Mapping[str, RuleBook] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """What routing asks of a standing subscription.

    Empty `event_types` mean all of the topic; `filter` is None where every event passes.
    """

    id: UUID
    number: int
    application_id: UUID
    event_types: frozenset[str]
    version_pin: int | None
    filter: CompiledFilter | None
    entitled_until: datetime
    region: str
    is_ordered: bool
    is_pull: bool
    # What ends a batch, where events are sent together.
    collects: collecting.Rule | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleBook:
    """The rules that may match an event type, in their order, and everyone whom they may name.

    `standing` are all subscriptions of the topic and environment, by number: a rule may add one
    that did not ask for the type.
    """

    rules: tuple[Rule, ...]
    standing: tuple[Subscription, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Knowledge:
    """All of it, as of one version of governance."""

    version: tuple[int, str]
    keys: Mapping[str, Key]
    regions: Mapping[UUID, str]
    event_types: Mapping[str, EventType]
    subscriptions: Mapping[tuple[UUID, str], tuple[Subscription, ...]]
    entitlements: Entitlements

    def standing(self, topic: Topic, environment: str) -> tuple[Subscription, ...]:
        """Return the standing subscriptions of a topic, by number."""
        return self.subscriptions.get((topic.id, environment), ())

    def pass_of(self, publisher: Publisher, type_name: str) -> Pass | None:
        """Return what the publisher may do with the type, None for a type that is unknown."""
        found = publisher.passes.get(type_name)
        if found is None:
            event_type = self.event_types.get(type_name)
            if event_type is None:
                return None
            owner, topic = publisher.application_id, event_type.topic
            found = publisher.passes[type_name] = Pass(
                event_type=event_type,
                is_visible=self.may_view(owner, topic),
                may_publish_until=self.entitlements.until(
                    owner, Verb.PUBLISH, topic.id, publisher.environment
                ),
            )
        return found

    def may_view(self, application_id: UUID, topic: Topic) -> bool:
        """Tell whether the application may know that the topic exists, as `access` would."""
        if not topic.is_restricted:
            return True
        actor = self.entitlements.actors.get(application_id)
        if actor is None:
            return False
        held = self.entitlements
        return (
            actor.team_id == topic.owner_id
            or (actor.account_id, VIEW, topic.id) in held.account_permissions
            or any((group, VIEW, topic.id) in held.group_permissions for group in actor.group_ids)
        )


@lru_cache(maxsize=4_096)
def _compiled(sha256: str, document: str) -> schemas.Validator:
    del sha256  # spares the cache from comparing documents of equal hash
    return schemas.validator_for(document)
