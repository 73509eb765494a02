"""What a subscription may be asked for, and what is said of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from catalog.api.doors import Instant
from catalog.words import Environment
from delivery import tryouts
from delivery.models import Subscription
from delivery.states import (
    Batching,
    BodyMode,
    CircuitState,
    DeliveryMode,
    DisableReason,
    Poison,
    SubscriptionState,
)

# What each kind of credentials needs, and what it may have.
AUTH_MEMBERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "basic": (("username", "password"), ()),
    "bearer": (("token",), ()),
    "client_credentials": (("token_url", "client_id", "client_secret"), ("scope", "audience")),
}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


class SubscriptionQuery(serializers.Serializer[Any]):
    """Which subscriptions."""

    search = serializers.CharField(required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    application = serializers.CharField(required=False)
    topic = serializers.CharField(required=False)
    event_type = serializers.CharField(required=False)
    state = serializers.ChoiceField(choices=SubscriptionState.choices, required=False)
    mode = serializers.ChoiceField(choices=DeliveryMode.choices, required=False)


class AuthWish(serializers.Serializer[Any]):
    """How the receiver wants us to prove who we are, beside our signature."""

    kind = serializers.ChoiceField(choices=sorted(AUTH_MEMBERS))
    username = serializers.CharField(required=False)
    password = serializers.CharField(required=False)
    token = serializers.CharField(required=False)
    token_url = serializers.URLField(required=False, max_length=2000)
    client_id = serializers.CharField(required=False)
    client_secret = serializers.CharField(required=False)
    scope = serializers.CharField(required=False)
    audience = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take the members of the kind, all that it needs and no others."""
        needed, possible = AUTH_MEMBERS[attrs["kind"]]
        faults = {name: "This kind needs it." for name in needed if name not in attrs}
        faults |= {
            name: "This kind does not know it."
            for name in attrs
            if name not in (*needed, *possible, "kind")
        }
        if faults:
            raise serializers.ValidationError(faults)
        return attrs


class CredentialsWish(serializers.Serializer[Any]):
    """What goes with every request to the endpoint; kept encrypted and never answered."""

    headers = serializers.DictField(
        child=serializers.RegexField(r"^[\x20-\x7e]*$", max_length=4000), required=False
    )
    auth = AuthWish(required=False)

    def validate_headers(self, value: dict[str, str]) -> dict[str, str]:
        """Refuse what is no name of a header (RFC 9110, section 5.6.2)."""
        odd = [name for name in value if not _TOKEN.fullmatch(name)]
        if odd:
            raise serializers.ValidationError(f"These are no names of headers: {', '.join(odd)}.")
        return value


class OrderWish(serializers.Serializer[Any]):
    """What a subscription asks for; what is left out keeps its value."""

    name = serializers.CharField(required=False, max_length=200)
    event_types = serializers.ListField(child=serializers.CharField(), required=False)
    filter = serializers.JSONField(required=False, allow_null=True)
    reads = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        help_text="Fields that the receiver looks at, such as lines[].sku. Empty: everything.",
    )
    version_pin = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    body = serializers.ChoiceField(choices=BodyMode.choices, required=False)
    mapping = serializers.CharField(required=False, allow_blank=True)
    endpoint_url = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    endpoint_region = serializers.CharField(required=False, allow_blank=True)
    fallback_url = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2000,
        help_text="Gets what comes while the circuit is open, and what the first gave up, once; "
        "signed with the same secret.",
    )
    fallback_subscription = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="Takes over what comes while the circuit is open, and what this one gave up: a "
        "webhook of the same team, topic, environment and region.",
    )
    batching = serializers.ChoiceField(choices=Batching.choices, required=False)
    batch_max_events = serializers.IntegerField(required=False)
    batch_max_bytes = serializers.IntegerField(required=False, help_text="Of data, uncompressed.")
    batch_max_wait_seconds = serializers.IntegerField(required=False, allow_null=True)
    is_ordered = serializers.BooleanField(required=False)
    poison = serializers.ChoiceField(choices=Poison.choices, required=False)
    is_idempotent = serializers.BooleanField(
        required=False, help_text="The receiver leaves out an event whose webhook-id it has seen."
    )
    concurrency = serializers.IntegerField(required=False)
    rate_per_second = serializers.IntegerField(required=False, allow_null=True)
    timeout_seconds = serializers.IntegerField(required=False)
    retry_waits_seconds = serializers.ListField(
        child=serializers.IntegerField(), required=False, allow_null=True
    )
    max_age_seconds = serializers.IntegerField(required=False)
    credentials = CredentialsWish(
        required=False, allow_null=True, help_text="Replaces those that stand; null takes them off."
    )
    custom_ca = serializers.CharField(
        required=False, allow_blank=True, help_text="Certificate authority, PEM."
    )
    reason = serializers.CharField(required=False, allow_blank=True)


class SubscriptionWish(OrderWish):
    """A new subscription. Without a topic, that of its event types."""

    application = serializers.SlugField(
        required=False, help_text="For people only: a key stands for its own application."
    )
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    topic = serializers.CharField(required=False)
    mode = serializers.ChoiceField(choices=DeliveryMode.choices, required=False)


class SubscriptionShape(serializers.Serializer[Subscription]):
    """A standing order and how it fares."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    name = serializers.CharField()
    application = serializers.CharField(source="application.slug")
    topic = serializers.CharField(source="topic.name")
    environment = serializers.ChoiceField(choices=Environment.choices)
    event_types = serializers.ListField(
        child=serializers.CharField(), help_text="Empty: every event of the topic."
    )
    filter = serializers.JSONField()
    reads = serializers.ListField(child=serializers.CharField())
    version_pin = serializers.IntegerField(allow_null=True)
    mode = serializers.ChoiceField(choices=DeliveryMode.choices)
    body = serializers.ChoiceField(choices=BodyMode.choices)
    mapping = serializers.CharField()
    endpoint_url = serializers.SerializerMethodField()
    endpoint_region = serializers.SerializerMethodField()
    fallback_url = serializers.SerializerMethodField()
    fallback_subscription = serializers.UUIDField(
        source="fallback_subscription_id", allow_null=True
    )
    batching = serializers.ChoiceField(choices=Batching.choices)
    batch_max_events = serializers.IntegerField()
    batch_max_bytes = serializers.IntegerField()
    batch_max_wait_seconds = serializers.IntegerField(allow_null=True)
    is_ordered = serializers.BooleanField()
    poison = serializers.ChoiceField(choices=Poison.choices)
    is_idempotent = serializers.BooleanField()
    concurrency = serializers.IntegerField()
    rate_per_second = serializers.IntegerField(allow_null=True)
    timeout_seconds = serializers.IntegerField()
    retry_waits_seconds = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, help_text="null: the installation's."
    )
    max_age_seconds = serializers.IntegerField()
    state = serializers.ChoiceField(choices=SubscriptionState.choices)
    state_reason = serializers.ChoiceField(choices=DisableReason.choices, allow_blank=True)
    state_since = Instant()
    circuit = serializers.SerializerMethodField()
    is_hook = serializers.BooleanField()
    created_at = Instant()

    def get_endpoint_url(self, row: Subscription) -> str:
        """Return where events go; empty for a feed."""
        return row.endpoint.url if row.endpoint else ""

    def get_endpoint_region(self, row: Subscription) -> str:
        """Return the endpoint's region; empty for a feed."""
        return row.endpoint.region_id if row.endpoint else ""

    def get_fallback_url(self, row: Subscription) -> str:
        """Return where events go while the circuit is open; empty: they wait."""
        return row.fallback_endpoint.url if row.fallback_endpoint else ""

    def get_circuit(self, row: Subscription) -> str:
        """Return closed, open or probing."""
        circuit = getattr(row, "circuit", None)
        return str(circuit.state if circuit else CircuitState.CLOSED)


class SubscriptionMade(SubscriptionShape):
    """A new subscription with its signing secret (empty for a feed), and advice in sentences."""

    secret = serializers.CharField(allow_blank=True)
    advice = serializers.ListField(child=serializers.CharField())


class PingAnswer(serializers.Serializer[Any]):
    """What the endpoint answered to a test event."""

    ok = serializers.BooleanField()
    status = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField()
    excerpt = serializers.CharField(allow_blank=True)
    error_class = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField()
    advice = serializers.CharField(allow_blank=True)


class Rotation(serializers.Serializer[Any]):
    """How long the old secret stays valid."""

    overlap_seconds = serializers.IntegerField(
        required=False, default=24 * 3600, min_value=0, max_value=7 * 24 * 3600
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="")


class Rotated(serializers.Serializer[Any]):
    """The new secret: shown here, and to who may see secrets."""

    secret = serializers.CharField()
    old_valid_until = Instant()


class PublicKeys(serializers.Serializer[Any]):
    """What verifies the `v1a` signatures (ed25519, `whpk_…`), the newest first."""

    public_keys = serializers.ListField(child=serializers.CharField())


class TryOutWish(serializers.Serializer[Any]):
    """What a subscription would ask for, to be tried on recorded events."""

    topic = serializers.CharField()
    environment = serializers.ChoiceField(choices=Environment.choices, required=False, default="")
    event_types = serializers.ListField(
        child=serializers.CharField(), required=False, default=list, max_length=100
    )
    version_pin = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=2**31 - 1
    )
    filter = serializers.JSONField(required=False, default=dict)
    limit = serializers.IntegerField(
        required=False, default=tryouts.DEFAULT_EVENTS, min_value=1, max_value=tryouts.MAX_EVENTS
    )


class TryOutReason(serializers.Serializer[Any]):
    """Why events would have been left out."""

    sentence = serializers.CharField()
    count = serializers.IntegerField()


class TryOutEvent(serializers.Serializer[Any]):
    """One recorded event: whether it would have come, and why."""

    id = serializers.UUIDField()
    event_id = serializers.CharField()
    type = serializers.CharField()
    received_at = Instant()
    would_receive = serializers.BooleanField()
    reason = serializers.CharField()


class TryOutAnswer(serializers.Serializer[Any]):
    """The outcome in a sentence, with counts and every event."""

    total = serializers.IntegerField()
    matched = serializers.IntegerField()
    is_masked = serializers.BooleanField()
    sentence = serializers.CharField()
    reasons = TryOutReason(many=True)
    events = TryOutEvent(many=True)
