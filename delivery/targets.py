"""Where deliveries go, as every worker process knows it; read again when governance changes it.

Each governed commit raises the number of the ledger's head. A worker compares it twice a second
and sends nothing on knowledge older than `FRESH_SECONDS`: from one second after a revoke no
request goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from catalog.collecting import Rule
from catalog.models import EventType, Release
from catalog.words import ReleaseState
from delivery import (
    breaker,
    circuits,
    configuration,
    endpoints,
    mapping,
    outgoing,
    sealing,
    translations,
)
from delivery.cloudevents import ExtensionValue, deprecation_extensions
from delivery.expressions import Expression
from delivery.models import Endpoint, Subscription
from delivery.outgoing import Address
from delivery.retrying import RetryPolicy
from delivery.states import BodyMode, DeliveryMode, Poison, SubscriptionState
from delivery.translations import Translations
from governance import access
from governance.models import LedgerHead
from governance.states import Verb

REFRESH_SECONDS = 0.5
FRESH_SECONDS = 1.0
# Secrets run out by time alone, so even unchanged knowledge is read again.
MAX_AGE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """All that sending for one subscription needs.

    `is_entitled`: its application may subscribe to its topic. `is_active`: nobody paused or
    disabled it. `fault` says why nothing can be sent, empty when something can.
    """

    subscription_id: UUID
    application_id: UUID
    topic_id: UUID
    environment: str
    topic_regions: tuple[str, ...]
    is_active: bool
    is_ordered: bool
    is_hook: bool
    version_pin: int | None = None
    concurrency: int
    rate_per_second: int | None
    timeout_seconds: int
    mode: BodyMode
    mapped_by: Expression | None = None
    # What ends a batch, where events go out together.
    collects: Rule | None = None
    policy: RetryPolicy
    primary: Address
    fallback: Address | None = None
    # The subscription that stands in for it; see `Knowledge.stand_in`.
    stands_in: UUID | None = None
    is_entitled: bool = False
    fault: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Knowledge:
    """What one reading of the database said."""

    version: tuple[int, str]
    read_at: datetime
    targets: Mapping[UUID, Target] = field(default_factory=dict)
    entitlements: access.Entitlements | None = None
    type_names: Mapping[UUID, str] = field(default_factory=dict)
    # (schema version, environment) → the attributes of the deprecation extension.
    deprecations: Mapping[tuple[UUID, str], Mapping[str, ExtensionValue]] = field(
        default_factory=dict
    )
    translations: Translations = field(default_factory=dict)
    # Circuits that are not closed.
    circuits: Mapping[UUID, breaker.State] = field(default_factory=dict)

    def stand_in(self, target: Target) -> Target | None:
        """Return who takes over what this one cannot take now; None when nobody can."""
        other = self.targets.get(target.stands_in) if target.stands_in else None
        if other is None or other.stands_in is not None or other.subscription_id in self.circuits:
            return None
        is_able = other.is_active and other.is_entitled and not other.fault
        is_near = other.primary.region == target.primary.region
        is_alike = (other.topic_id, other.environment) == (target.topic_id, target.environment)
        return other if is_able and is_near and is_alike else None

    def must_wait(self, target: Target) -> bool:
        """Tell whether its circuit keeps everything back, as nobody else takes it."""
        return (
            target.subscription_id in self.circuits
            and target.fallback is None
            and self.stand_in(target) is None
        )

    def unentitled(self) -> list[Target]:
        """Return the targets whose backlog must end with `no_grant`."""
        return [target for target in self.targets.values() if not target.is_entitled]


def read(known: Knowledge | None, *, now: datetime) -> Knowledge:
    """Return what is known now: the old knowledge, unless something changed it."""
    version = LedgerHead.objects.values_list("number", "hash").first() or (0, "")
    if known is None or known.version != version or now - known.read_at > MAX_AGE:
        known = _read_all(version, now)
    return replace(
        known,
        targets=_entitled(known, now),
        circuits=circuits.not_closed(),
    )


def _read_all(version: tuple[int, str], now: datetime) -> Knowledge:
    subscriptions = (
        Subscription.objects.standing()
        .filter(mode=DeliveryMode.WEBHOOK)
        .select_related("topic", "endpoint", "fallback_endpoint")
    )
    secrets = endpoints.all_sealed(now)
    return Knowledge(
        version=version,
        read_at=now,
        targets={one.pk: _target(one, secrets) for one in subscriptions},
        entitlements=access.entitlements(now),
        type_names=dict(EventType.objects.values_list("pk", "name")),
        deprecations=_deprecations(),
        translations=translations.in_force(),
    )


def _entitled(known: Knowledge, now: datetime) -> Mapping[UUID, Target]:
    """Return the targets with today's answer to whether their applications may subscribe."""
    if known.entitlements is None:
        return known.targets
    allows = known.entitlements.allows
    return {
        pk: target
        if target.is_entitled == is_entitled
        else replace(target, is_entitled=is_entitled)
        for pk, target in known.targets.items()
        for is_entitled in (
            allows(target.application_id, Verb.SUBSCRIBE, target.topic_id, target.environment, now),
        )
    }


def _target(subscription: Subscription, secrets: Mapping[UUID, Sequence[str]]) -> Target:
    waits = subscription.retry_waits_seconds
    policy = configuration.retry_policy()
    primary, fallback, mapped_by, fault = None, None, None, ""
    try:
        mine = secrets.get(subscription.endpoint_id or subscription.pk, ())
        primary = _address(subscription.endpoint, mine)
        # Whoever receives it verifies with the one secret that they were shown.
        fallback = _address(subscription.fallback_endpoint, mine)
        if primary is not None and fallback is not None and fallback.region != primary.region:
            fallback = None  # routing asked whether events may go to the endpoint's region
        if subscription.body == BodyMode.MAPPED:
            mapped_by = mapping.compile(subscription.mapping)
    except (sealing.Unreadable, mapping.InvalidMapping, ValueError) as error:
        fault = str(error)
    return Target(
        subscription_id=subscription.pk,
        application_id=subscription.application_id,
        topic_id=subscription.topic_id,
        environment=subscription.environment,
        topic_regions=tuple(subscription.topic.regions),
        is_active=subscription.state == SubscriptionState.ACTIVE,
        is_ordered=subscription.is_ordered,
        is_hook=subscription.is_hook,
        version_pin=subscription.version_pin,
        concurrency=max(1, subscription.concurrency),
        rate_per_second=subscription.rate_per_second,
        timeout_seconds=subscription.timeout_seconds,
        mode=BodyMode(subscription.body),
        mapped_by=mapped_by,
        collects=subscription.collecting_rule,
        policy=replace(
            policy,
            waits_seconds=policy.waits_seconds if waits is None else tuple(waits),
            max_age_seconds=subscription.max_age_seconds,
            keeps_trying=subscription.is_ordered and subscription.poison == Poison.BLOCK,
            parks_key=subscription.is_ordered and subscription.poison == Poison.PARK,
        ),
        primary=primary or Address(url="", region=""),
        fallback=fallback,
        stands_in=subscription.fallback_subscription_id,
        fault=fault,
    )


def _address(endpoint: Endpoint | None, secrets: Sequence[str]) -> Address | None:
    if endpoint is None:
        return None
    return outgoing.address(
        endpoint.url,
        region=endpoint.region_id,
        secrets=[sealing.unseal(sealed) for sealed in secrets],
        credentials=endpoints.credentials_of(endpoint),
        custom_ca=endpoint.custom_ca,
    )


def _deprecations() -> Mapping[tuple[UUID, str], Mapping[str, ExtensionValue]]:
    rows = Release.objects.filter(state=ReleaseState.DEPRECATED).values_list(
        "version_id", "environment", "since", "sunset_at", "version__event_type__name"
    )
    public_url = configuration.public_url()
    return {
        (version_id, environment): deprecation_extensions(
            since=since,
            sunset=sunset,
            migration_url=f"{public_url}/api/v1/event-types/{name}/versions",
        )
        for version_id, environment, since, sunset, name in rows
    }
