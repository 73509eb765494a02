"""What the doors of delivery take and answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from catalog.api.doors import Instant
from catalog.words import Environment
from delivery import feed
from delivery.models import Attempt, Subscription
from delivery.states import (
    AttemptOutcome,
    BodyMode,
    CircuitState,
    DeliveryMode,
    DeliveryStatus,
    DisableReason,
    ReplayState,
    SubscriptionState,
)

RETRYING = "retrying"  # pending, and tried before (design, section 1)
# What each kind of credentials needs, and what it may have.
AUTH_MEMBERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "basic": (("username", "password"), ()),
    "bearer": (("token",), ()),
    "client_credentials": (("token_url", "client_id", "client_secret"), ("scope", "audience")),
}
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
SHOWN_STATUSES = [*DeliveryStatus.choices, (RETRYING, "Retrying")]
MADE_STATUSES = [*ReplayState.choices, ("dry_run", "Not started")]


class HookWish(serializers.Serializer[Any]):
    """What a builder sends to subscribe; Zapier says `target_url`, n8n and Make `hookUrl`."""

    target_url = serializers.URLField(required=False, max_length=2000)
    hookUrl = serializers.URLField(required=False, max_length=2000)
    event_type = serializers.CharField(max_length=200)
    filter = serializers.JSONField(required=False, allow_null=True)
    application = serializers.SlugField(
        required=False, help_text="For people only: a key stands for its own application."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take either name of the address."""
        url = attrs.pop("hookUrl", "") or attrs.get("target_url", "")
        if not url:
            raise serializers.ValidationError({"target_url": "Give the address to send events to."})
        return {**attrs, "target_url": url}


class HookMade(serializers.Serializer[Any]):
    """A hook, and the secret that signs what it sends."""

    id = serializers.UUIDField()
    secret = serializers.CharField()


class SampleQuery(serializers.Serializer[Any]):
    """Which samples."""

    event_type = serializers.CharField(max_length=200)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class FeedQuery(serializers.Serializer[Any]):
    """From where, and how much."""

    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    limit = serializers.IntegerField(
        min_value=1, max_value=feed.MAX_LIMIT, default=feed.DEFAULT_LIMIT
    )


class FeedItem(serializers.Serializer[Any]):
    """An event, and the cursor that acknowledges it with all before it."""

    cursor = serializers.IntegerField()
    event = serializers.JSONField(help_text="The CloudEvent, in JSON format.")


class FeedPage(serializers.Serializer[Any]):
    """Events in order; `cursor` stands behind the last one."""

    results = FeedItem(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    cursor = serializers.IntegerField()


class Acknowledgement(serializers.Serializer[Any]):
    """Up to where events were taken care of."""

    cursor = serializers.IntegerField(min_value=0, max_value=2**63 - 1)


class Acknowledged(serializers.Serializer[Any]):
    """How many events that ended."""

    acknowledged = serializers.IntegerField()
    cursor = serializers.IntegerField()


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
    version_pin = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    body = serializers.ChoiceField(choices=BodyMode.choices, required=False)
    mapping = serializers.CharField(required=False, allow_blank=True)
    endpoint_url = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    endpoint_region = serializers.CharField(required=False, allow_blank=True)
    fallback_url = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    is_ordered = serializers.BooleanField(required=False)
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
    version_pin = serializers.IntegerField(allow_null=True)
    mode = serializers.ChoiceField(choices=DeliveryMode.choices)
    body = serializers.ChoiceField(choices=BodyMode.choices)
    mapping = serializers.CharField()
    endpoint_url = serializers.SerializerMethodField()
    endpoint_region = serializers.SerializerMethodField()
    fallback_url = serializers.SerializerMethodField()
    is_ordered = serializers.BooleanField()
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


class Reason(serializers.Serializer[Any]):
    """Why, for the ledger."""

    reason = serializers.CharField(required=False, allow_blank=True, default="")


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


class AttemptShape(serializers.Serializer[Attempt]):
    """One try at a delivery."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    started_at = Instant()
    duration_ms = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=AttemptOutcome.choices)
    status_code = serializers.IntegerField(allow_null=True)
    error_class = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    response_excerpt = serializers.CharField(allow_blank=True)
    url = serializers.CharField(allow_blank=True)


class DeliveryShape(serializers.Serializer[Any]):
    """One event owed to one subscription."""

    id = serializers.UUIDField()
    event = serializers.UUIDField()
    event_type = serializers.CharField()
    event_id = serializers.CharField(help_text="The id that the source gave it.")
    source = serializers.CharField()  # type: ignore[assignment]  # a declared field, taken off
    subscription = serializers.UUIDField()
    environment = serializers.ChoiceField(choices=Environment.choices)
    status = serializers.ChoiceField(choices=SHOWN_STATUSES)
    reason = serializers.CharField(allow_blank=True)
    created_at = Instant()
    ended_at = Instant(allow_null=True)
    next_attempt_at = Instant(allow_null=True)
    attempt_count = serializers.IntegerField()
    failure_group = serializers.UUIDField(allow_null=True)
    replay = serializers.UUIDField(allow_null=True)
    repeats = serializers.UUIDField(allow_null=True)


class DeliveryQuery(serializers.Serializer[Any]):
    """Which deliveries."""

    status = serializers.ChoiceField(choices=SHOWN_STATUSES, required=False)
    subscription = serializers.UUIDField(required=False)
    event_type = serializers.CharField(required=False)
    failure_group = serializers.UUIDField(required=False)
    replay = serializers.UUIDField(required=False)
    since = Instant(required=False)
    until = Instant(required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class EventDelivery(serializers.Serializer[Any]):
    """A delivery as part of its event."""

    id = serializers.UUIDField()
    subscription = serializers.UUIDField()
    status = serializers.ChoiceField(choices=SHOWN_STATUSES)
    reason = serializers.CharField(allow_blank=True)
    ended_at = Instant(allow_null=True)
    next_attempt_at = Instant(allow_null=True)
    attempts = AttemptShape(many=True)


class EventShape(serializers.Serializer[Any]):
    """An event, and what became of it as far as the asker may see."""

    id = serializers.UUIDField(help_text="Ours; the envelope has the source's.")
    environment = serializers.ChoiceField(choices=Environment.choices)
    topic = serializers.CharField()
    application = serializers.CharField(help_text="Who published it.")
    version = serializers.CharField()
    received_at = Instant()
    payload = serializers.ChoiceField(
        choices=["whole", "masked", "hidden", "gone"],
        help_text="How much of the data is in the envelope.",
    )
    envelope = serializers.JSONField(help_text="The CloudEvent, in JSON format.")
    deliveries = EventDelivery(many=True)


class EventQuery(serializers.Serializer[Any]):
    """Which events."""

    id = serializers.CharField(required=False, help_text="The id that the source gave it.")
    source = serializers.CharField(required=False)  # type: ignore[assignment]  # as above
    type = serializers.CharField(required=False)
    subject = serializers.CharField(required=False)
    topic = serializers.CharField(required=False)
    application = serializers.CharField(required=False)
    correlationid = serializers.CharField(required=False)
    causationid = serializers.CharField(required=False)
    traceparent = serializers.CharField(
        required=False, help_text="A whole traceparent, or the trace's 32 digits."
    )
    since = Instant(required=False)
    until = Instant(required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class Discard(serializers.Serializer[Any]):
    """Why it is not needed."""

    reason = serializers.CharField()


class ReplayFilter(serializers.Serializer[Any]):
    """What to deliver again; see `delivery.replay_selections`."""

    deliveries = serializers.ListField(child=serializers.UUIDField(), required=False)
    failure_group = serializers.UUIDField(required=False, allow_null=True)
    subscription = serializers.UUIDField(required=False, allow_null=True)
    topic = serializers.CharField(required=False, allow_null=True, help_text="Its name.")
    event_type = serializers.CharField(required=False, allow_null=True)
    status = serializers.ChoiceField(choices=DeliveryStatus.choices, required=False)
    since = Instant(required=False, allow_null=True)
    until = Instant(required=False, allow_null=True)


class ReplayWish(serializers.Serializer[Any]):
    """An order to deliver again."""

    filter = ReplayFilter()
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    rate = serializers.IntegerField(required=False, allow_null=True, default=None)
    subscription = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Send to this one instead."
    )
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    includes_arrived = serializers.BooleanField(required=False, default=False)
    one_first = serializers.BooleanField(required=False, default=False)
    dry_run = serializers.BooleanField(required=False, default=False)


class ReplayPreview(serializers.Serializer[Any]):
    """What a replay would do now."""

    will_send = serializers.IntegerField()
    arrived = serializers.IntegerField()
    refused = serializers.DictField(child=serializers.IntegerField())
    seconds = serializers.IntegerField(allow_null=True)
    needs_approval = serializers.BooleanField()


class ReplayMade(serializers.Serializer[Any]):
    """The order; after a dry run it has no id, `dry_run` as its status, and a preview."""

    id = serializers.UUIDField(allow_null=True)
    matched = serializers.IntegerField()
    status = serializers.ChoiceField(choices=MADE_STATUSES)
    preview = ReplayPreview(required=False)


class ReplayQuery(serializers.Serializer[Any]):
    """Which replays."""

    status = serializers.ChoiceField(choices=ReplayState.choices, required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class ReplayShape(serializers.Serializer[Any]):
    """A replay and how far it has come; the counts add up to `matched`."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    environment = serializers.ChoiceField(choices=Environment.choices)
    status = serializers.ChoiceField(choices=ReplayState.choices)
    filter = serializers.JSONField()
    subscription = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField()
    rate = serializers.IntegerField(allow_null=True)
    requested_by = serializers.CharField()
    requested_at = Instant()
    started_at = Instant(allow_null=True)
    ended_at = Instant(allow_null=True)
    matched = serializers.IntegerField()
    waiting = serializers.IntegerField()
    under_way = serializers.IntegerField()
    arrived = serializers.IntegerField()
    failed = serializers.IntegerField()
    refused = serializers.IntegerField()
