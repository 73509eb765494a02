"""What the doors of delivery take and answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.doors import Instant
from catalog.words import Environment
from delivery import feed
from delivery.corrections import Audience
from delivery.models import Attempt
from delivery.states import (
    AttemptOutcome,
    DeliveryStatus,
    ReplayState,
    RuleEffect,
)

RETRYING = "retrying"  # pending, and tried before (design, section 1)
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


class Reason(serializers.Serializer[Any]):
    """Why, for the ledger."""

    reason = serializers.CharField(required=False, allow_blank=True, default="")


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


class DecisionShape(serializers.Serializer[Any]):
    """What a routing rule decided of an event for one subscription, when the event came."""

    subscription = serializers.UUIDField()
    rule = serializers.UUIDField(allow_null=True, help_text="Null where you may not see the rule.")
    rule_version = serializers.IntegerField()
    effect = serializers.ChoiceField(choices=RuleEffect.choices)
    sentence = serializers.CharField()


class LeftOutShape(serializers.Serializer[Any]):
    """A subscription of the topic that gets nothing of the event, and why."""

    subscription = serializers.UUIDField()
    sentence = serializers.CharField()


class RoutingShape(serializers.Serializer[Any]):
    """Why an event went where it went, as far as the asker may see the subscriptions."""

    decisions = DecisionShape(many=True)
    left_out = LeftOutShape(many=True, help_text="By the rules as they stand now.")


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
    expunged = serializers.CharField(
        allow_null=True, help_text="Who took the data away and why, in a sentence, if somebody did."
    )
    deliveries = EventDelivery(many=True)
    decisions = DecisionShape(many=True, help_text="What routing rules decided when it came.")


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
    value = serializers.CharField(
        required=False, max_length=200, help_text="A whole value of a searchable field."
    )
    since = Instant(required=False)
    until = Instant(required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class CorrectionWish(serializers.Serializer[Any]):
    """What is to take the place of an event; what is left out stays as it was."""

    data = serializers.JSONField(  # type: ignore[assignment]  # a declared field, taken off
        help_text="The whole data. “•••” stands for a value that is hidden from you, and stays."
    )
    subject = serializers.CharField(required=False, allow_blank=True)
    version = serializers.CharField(
        required=False, help_text="The version that it keeps; the event's own unless said."
    )
    audience = serializers.ChoiceField(
        choices=[one.value for one in Audience],
        default=Audience.MISSING.value,
        help_text="“missing”: only subscriptions that have not got the event.",
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    dry_run = serializers.BooleanField(required=False, default=False)


class CorrectionMade(serializers.Serializer[Any]):
    """The new event; after a dry run none, only to how many subscriptions it would go."""

    id = serializers.UUIDField(allow_null=True)
    event_id = serializers.CharField(allow_blank=True, help_text="Its id as a CloudEvent.")
    corrects = serializers.UUIDField(help_text="The event in whose place it stands.")
    deliveries = serializers.IntegerField()


class CopyWish(serializers.Serializer[Any]):
    """How to copy an event to staging."""

    version = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="The version in staging that it keeps; the event's own unless said.",
    )
    to = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="A subscription in staging; else everyone there who would get a new event.",
    )
    reason = serializers.CharField(required=False, allow_blank=True, default="")
    dry_run = serializers.BooleanField(required=False, default=False)


class StandInShape(serializers.Serializer[Any]):
    """A value that was invented in place of a sensitive one."""

    pointer = serializers.CharField(allow_blank=True, help_text="Into the data.")
    sensitive = serializers.CharField(allow_blank=True, help_text="The data class.")
    value = serializers.JSONField(allow_null=True)


class CopyMade(serializers.Serializer[Any]):
    """The copy; after a dry run none, only what it would be."""

    id = serializers.UUIDField(allow_null=True)
    event_id = serializers.CharField(allow_blank=True, help_text="Its id as a CloudEvent.")
    copy_of = serializers.UUIDField()
    deliveries = serializers.IntegerField()
    replaced = StandInShape(many=True)
    left_out = serializers.ListField(
        child=serializers.CharField(), help_text="Attributes that held a replaced value."
    )


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
    never_tried = serializers.BooleanField(
        required=False, help_text="Of a topic, only what was never sent to the subscription."
    )


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
