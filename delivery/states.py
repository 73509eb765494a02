"""States of run-time things and the moves between them (design, section 1)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeliveryStatus(models.TextChoices):
    """Pending while owed; every other value is an end."""

    PENDING = "pending", _("Pending")
    DELIVERED = "delivered", _("Delivered")
    DEAD = "dead", _("Dead")
    SKIPPED = "skipped", _("Skipped")
    DISCARDED = "discarded", _("Discarded")


class SkipReason(models.TextChoices):
    """Which rule decided that a delivery is not made."""

    NO_GRANT = "no_grant", _("No grant")
    RESIDENCY = "residency", _("Residency")
    EXPIRED = "expired", _("Too old")
    HOP_LIMIT = "hop_limit", _("Too many hops")
    FILTERED = "filtered", _("Filtered out")
    NOT_CONCERNED = "not_concerned", _("Has what this corrects")
    RULE = "rule", _("Routing rule")
    HANDED_OVER = "handed_over", _("Handed to its stand-in")


class RuleAction(models.TextChoices):
    """What a routing rule does with an event that it matches (`delivery.rules`)."""

    ALLOW = "allow", _("Let it pass")
    DENY = "deny", _("Keep it away")
    SEND_ALSO = "send_also", _("Send it also to")
    SEND_INSTEAD = "send_instead", _("Send it instead to")


class RuleEffect(models.TextChoices):
    """What a routing rule decided for one subscription."""

    ALLOWED = "allowed", _("Let through")
    DENIED = "denied", _("Kept away")
    ADDED = "added", _("Added")
    REPLACED = "replaced", _("Sent elsewhere")


class SubscriptionState(models.TextChoices):
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    DISABLED = "disabled", _("Disabled")


SUBSCRIPTION_MOVES: Mapping[str, tuple[str, ...]] = {
    SubscriptionState.ACTIVE: (SubscriptionState.PAUSED, SubscriptionState.DISABLED),
    SubscriptionState.PAUSED: (SubscriptionState.ACTIVE, SubscriptionState.DISABLED),
    SubscriptionState.DISABLED: (SubscriptionState.ACTIVE, SubscriptionState.PAUSED),
}


class DisableReason(models.TextChoices):
    """Why the engine disabled a subscription."""

    FAILING = "failing", _("Failing for days")
    GONE = "gone", _("The receiver is gone")
    NO_GRANT = "no_grant", _("No grant")


class CircuitState(models.TextChoices):
    CLOSED = "closed", _("Closed")
    OPEN = "open", _("Open")
    PROBING = "probing", _("Probing")


class SecretKind(models.TextChoices):
    """How an inbound address knows who calls."""

    HEADER = "header", _("in a header")
    BASIC = "basic", _("user and password")
    QUERY = "query", _("in the address")
    HMAC = "hmac", _("signature of the body")


class DeliveryMode(models.TextChoices):
    """How events reach the subscriber."""

    WEBHOOK = "webhook", _("Webhook: we call the endpoint")
    PULL = "pull", _("Feed: the subscriber asks")


class SignatureScheme(models.TextChoices):
    """How a message is signed (Standard Webhooks)."""

    V1 = "v1", _("Secret that both sides hold")
    V1A = "v1a", _("Key pair: the receiver holds the public half")


class Batching(models.TextChoices):
    """Whether a webhook's events come one by one."""

    TOPIC = "topic", _("As the topic says")
    EACH = "each", _("Each event at once")
    BATCHES = "batches", _("In batches")


class Poison(models.TextChoices):
    """What an ordered subscription does with an event that cannot be delivered."""

    SKIP = "skip", _("Give it up as a dead letter and go on with its key")
    BLOCK = "block", _("Keep trying; later events of its key wait")
    PARK = "park", _("Give it up and park its key: later events wait until someone decides")


class BodyMode(models.TextChoices):
    """What the body of a webhook holds."""

    BINARY = "binary", _("The data, attributes as ce- headers")
    STRUCTURED = "structured", _("The whole CloudEvent")
    DATA = "data", _("The data alone")
    MAPPED = "mapped", _("What the mapping makes of it")


class AttemptOutcome(models.TextChoices):
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    INTERRUPTED = "interrupted", _("Interrupted")


class FailureGroupState(models.TextChoices):
    OPEN = "open", _("Open")
    ASSIGNED = "assigned", _("Assigned")
    RESOLVED = "resolved", _("Resolved")
    IGNORED = "ignored", _("Ignored")


FAILURE_GROUP_MOVES: Mapping[str, tuple[str, ...]] = {
    FailureGroupState.OPEN: (
        FailureGroupState.ASSIGNED,
        FailureGroupState.RESOLVED,
        FailureGroupState.IGNORED,
    ),
    FailureGroupState.ASSIGNED: (
        FailureGroupState.OPEN,
        FailureGroupState.ASSIGNED,
        FailureGroupState.RESOLVED,
        FailureGroupState.IGNORED,
    ),
    FailureGroupState.RESOLVED: (FailureGroupState.OPEN,),
    FailureGroupState.IGNORED: (FailureGroupState.OPEN,),
}


class ReplayState(models.TextChoices):
    AWAITING_APPROVAL = "awaiting_approval", _("Awaits approval")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


REPLAY_MOVES: Mapping[str, tuple[str, ...]] = {
    ReplayState.AWAITING_APPROVAL: (ReplayState.QUEUED, ReplayState.CANCELLED),
    ReplayState.QUEUED: (ReplayState.RUNNING, ReplayState.PAUSED, ReplayState.CANCELLED),
    ReplayState.RUNNING: (ReplayState.PAUSED, ReplayState.DONE, ReplayState.CANCELLED),
    ReplayState.PAUSED: (ReplayState.QUEUED, ReplayState.RUNNING, ReplayState.CANCELLED),
    ReplayState.DONE: (),
    ReplayState.CANCELLED: (),
}
