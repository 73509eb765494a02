"""Subscriptions, the endpoints they deliver to, and the circuit between the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.collecting import Rule
from catalog.fields import Identified, NextNumber
from catalog.history import History
from catalog.models.topics import BatchLimits
from catalog.words import Environment
from delivery.querysets import SubscriptionQuerySet
from delivery.states import (
    SUBSCRIPTION_MOVES,
    Batching,
    BodyMode,
    CircuitState,
    DeliveryMode,
    DisableReason,
    Poison,
    SignatureScheme,
    SubscriptionState,
)


class Endpoint(Identified):
    """Where an application wants its events: an address, its region and how to prove who we are."""

    application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="endpoints",
        verbose_name=_("application"),
    )
    url = models.URLField(_("address"), max_length=2000)
    region = models.ForeignKey(
        "catalog.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("region")
    )
    # Fernet token of a JSON object: static headers and credentials; see `delivery.sealing`.
    sealed_auth = models.TextField(blank=True, editable=False)
    custom_ca = models.TextField(_("certificate authority, PEM"), blank=True)
    changed_at = models.DateTimeField(_("changed"))

    history = History(excluded_fields=["sealed_auth"])

    class Meta:
        verbose_name = _("endpoint")
        verbose_name_plural = _("endpoints")
        ordering = ["application", "url"]

    def __str__(self) -> str:
        return self.url


class EndpointSecret(Identified):
    """A signing secret, encrypted at rest; two are valid during a rotation."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.TextField(editable=False)
    scheme = models.CharField(
        _("kind"), max_length=3, choices=SignatureScheme, default=SignatureScheme.V1
    )
    # Of a key pair, what the receiver verifies with; empty for a secret.
    public_key = models.CharField(_("public key"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True)

    history = History(excluded_fields=["sealed"])

    class Meta:
        verbose_name = _("signing secret")
        verbose_name_plural = _("signing secrets")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Secret of {self.endpoint_id}"


class Subscription(BatchLimits, Identified):
    """An application's standing order for event types of a topic."""

    state_field: ClassVar[str] = "state"
    moves: ClassVar[Mapping[str, tuple[str, ...]]] = SUBSCRIPTION_MOVES

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("delivery_subscription_number")
    )
    name = models.CharField(_("name"), max_length=120)
    application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="subscriptions",
        verbose_name=_("application"),
    )
    topic = models.ForeignKey(
        "catalog.Topic",
        on_delete=models.PROTECT,
        related_name="subscriptions",
        verbose_name=_("topic"),
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    event_types = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("event types"),
        default=list,
        blank=True,
        help_text=_("Empty means every type of the topic."),
    )
    version_pin = models.PositiveIntegerField(
        _("pinned major version"), null=True, blank=True, help_text=_("Empty follows the latest.")
    )
    filter = models.JSONField(_("filter"), default=dict, blank=True)
    reads = ArrayField(
        models.CharField(max_length=200),
        verbose_name=_("fields that it reads"),
        default=list,
        blank=True,
        help_text=_("Empty means everything, unless a mapping tells."),
    )
    mode = models.CharField(
        _("delivery"), max_length=10, choices=DeliveryMode, default=DeliveryMode.WEBHOOK
    )
    body = models.CharField(_("body"), max_length=10, choices=BodyMode, default=BodyMode.BINARY)
    mapping = models.TextField(_("mapping, JMESPath"), blank=True)
    endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.PROTECT,
        related_name="subscriptions",
        null=True,
        blank=True,
        verbose_name=_("endpoint"),
    )
    fallback_endpoint = models.ForeignKey(
        Endpoint,
        on_delete=models.PROTECT,
        related_name="fallback_of",
        null=True,
        blank=True,
        verbose_name=_("fallback endpoint"),
    )
    fallback_subscription = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        related_name="stands_in_for",
        null=True,
        blank=True,
        verbose_name=_("stand-in"),
    )
    batching = models.CharField(
        _("one by one or together"), max_length=10, choices=Batching, default=Batching.TOPIC
    )
    is_ordered = models.BooleanField(_("in order per key"), default=False)
    poison = models.CharField(
        _("if an event of a key fails for good"),
        max_length=10,
        choices=Poison,
        default=Poison.SKIP,
    )
    # Its receiver leaves out an event whose `webhook-id` it has seen: its team says so.
    is_idempotent = models.BooleanField(_("leaves out a repeated event"), default=False)
    concurrency = models.PositiveSmallIntegerField(_("requests at once"), default=16)
    rate_per_second = models.PositiveIntegerField(_("most per second"), null=True, blank=True)
    timeout_seconds = models.PositiveSmallIntegerField(_("time-out, seconds"), default=15)
    retry_waits_seconds = ArrayField(
        models.PositiveIntegerField(),
        verbose_name=_("waits between tries, seconds"),
        null=True,
        blank=True,
    )
    max_age_seconds = models.PositiveIntegerField(_("age limit, seconds"), default=48 * 3600)
    state = models.CharField(
        _("state"), max_length=10, choices=SubscriptionState, default=SubscriptionState.ACTIVE
    )
    state_reason = models.CharField(_("because"), max_length=10, choices=DisableReason, blank=True)
    state_since = models.DateTimeField(_("since"))
    # A REST hook made it: the builder deletes it again, and 410 ends it.
    is_hook = models.BooleanField(_("made by a REST hook"), default=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        ordering = ["number"]
        permissions = [
            ("view_secret", "Can see signing secrets"),
            ("operate_subscription", "Can pause, resume and test every subscription"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SubscriptionState.values), name="subscription_state_known"
            ),
            models.CheckConstraint(
                condition=Q(mode=DeliveryMode.PULL) | Q(endpoint__isnull=False),
                name="webhook_has_endpoint",
            ),
            models.CheckConstraint(
                condition=Q(fallback_endpoint=None) | Q(fallback_subscription=None),
                name="subscription_one_fallback",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def collecting_rule(self) -> Rule | None:
        """Return what ends a batch for it; None where each event comes at once. Reads the topic."""
        if self.mode == DeliveryMode.PULL or self.batching == Batching.EACH:
            return None
        if self.batching == Batching.TOPIC:
            return self.topic.collecting_rule
        return Rule(
            max_events=self.batch_max_events,
            max_bytes=self.batch_max_bytes,
            max_wait_seconds=self.batch_max_wait_seconds,
        )


class Circuit(models.Model):
    """How an endpoint has answered lately, shared by all workers; one row a subscription.

    Written by workers only, so it has no history. `breaker` is the state of `delivery.breaker`.
    """

    subscription = models.OneToOneField(
        Subscription, on_delete=models.CASCADE, primary_key=True, related_name="circuit"
    )
    state = models.CharField(
        _("circuit"), max_length=10, choices=CircuitState, default=CircuitState.CLOSED
    )
    breaker = models.JSONField(default=dict)
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    next_probe_at = models.DateTimeField(_("next probe"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True)
    last_failure_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    last_status = models.CharField(_("last answer"), max_length=40, blank=True)
    # Token bucket that holds over all workers.
    tokens = models.FloatField(default=0)
    tokens_at = models.DateTimeField(null=True, blank=True)
    warned_percent = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("circuit")
        verbose_name_plural = _("circuits")

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.state}"


class FeedPosition(models.Model):
    """How far a feed was read and acknowledged; positions count what was handed out, from 1."""

    subscription = models.OneToOneField(
        Subscription, on_delete=models.CASCADE, primary_key=True, related_name="feed"
    )
    handed_out = models.PositiveBigIntegerField(_("handed out"), default=0)
    acknowledged = models.PositiveBigIntegerField(_("acknowledged"), default=0)
    read_at = models.DateTimeField(_("last read"), null=True, blank=True)

    class Meta:
        verbose_name = _("feed position")
        verbose_name_plural = _("feed positions")

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.acknowledged} of {self.handed_out}"


class ParkedKey(Identified):
    """A key of an ordered subscription whose events wait for someone to decide; see `parking`.

    Written by workers when an event of it died, deleted when it is let go; the ledger keeps both.
    """

    subscription = models.ForeignKey(
        Subscription,
        on_delete=models.CASCADE,
        related_name="parked_keys",
        verbose_name=_("subscription"),
    )
    order_key = models.TextField(_("key"))
    # The one that died: its page has the dead letter.
    delivery_id = models.UUIDField(_("failed delivery"))
    parked_at = models.DateTimeField(_("parked"))

    class Meta:
        verbose_name = _("parked key")
        verbose_name_plural = _("parked keys")
        ordering = ["parked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "order_key"], name="parked_once_a_subscription"
            ),
        ]

    def __str__(self) -> str:
        return self.order_key
