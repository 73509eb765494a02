"""Deliveries, their attempts, and the queue of what is owed."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.ids import uuid7
from catalog.words import Environment
from delivery.querysets import DeliveryQuerySet, QueueQuerySet
from delivery.states import AttemptOutcome, DeliveryStatus

# What a feed waits for is never due, so no worker claims it.
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
# The batch that is not made yet: what waits to be sent together.
COLLECTING = UUID(int=0)


class Delivery(models.Model):
    """One event owed to one subscription; inserted once, updated once, when it ends."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(
        "delivery.Event",
        on_delete=models.DO_NOTHING,
        related_name="deliveries",
        db_constraint=False,
        verbose_name=_("event"),
    )
    subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.DO_NOTHING,
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
        verbose_name=_("subscription"),
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    status = models.CharField(
        _("status"), max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    failure_group = models.ForeignKey(
        "delivery.FailureGroup",
        on_delete=models.DO_NOTHING,
        related_name="deliveries",
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
    )
    replay_id = models.UUIDField(_("replay"), null=True, blank=True)
    repeats_id = models.UUIDField(_("repeats"), null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        permissions = [
            ("replay_delivery", "Can replay deliveries"),
            ("replay_many", "Can confirm large replays"),
            ("discard_delivery", "Can discard deliveries"),
            ("correct_event", "Can edit and replay an event"),
        ]
        indexes = [
            models.Index(
                fields=["subscription", "-ended_at"],
                name="delivery_by_end",
                condition=Q(ended_at__isnull=False),
            ),
            models.Index(
                fields=["status", "-ended_at"],
                name="delivery_not_arrived",
                condition=Q(status__in=["dead", "skipped", "discarded"]),
            ),
            models.Index(
                fields=["failure_group"],
                name="delivery_by_group",
                condition=Q(failure_group__isnull=False),
            ),
            models.Index(
                fields=["replay_id"],
                name="delivery_by_replay",
                condition=Q(replay_id__isnull=False),
            ),
            models.Index(
                fields=["repeats_id"],
                name="delivery_by_repeats",
                condition=Q(repeats_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.subscription_id}"


class QueueRow(models.Model):
    """What is owed now: the narrow, hot table that workers claim from.

    A claim moves `due_at` past the lease and writes `lease`; a settled row is deleted, a failed one
    gets its next `due_at`. A killed worker's rows simply become due again.
    """

    delivery_id = models.UUIDField(primary_key=True)
    subscription_id = models.UUIDField()
    event_id = models.UUIDField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True)
    # Seconds of its age that do not count: paused, disabled, circuit open, batch not due.
    waited_seconds = models.PositiveIntegerField(default=0)
    lease = models.UUIDField(null=True)
    order_key = models.TextField(null=True)  # noqa: DJ001 - most rows have none; NULL keeps them narrow
    # A replayed delivery: one attempt, not counted in the endpoint's health.
    is_replay = models.BooleanField(default=False)
    # Of a feed: the place at which it was handed out; see `delivery.feed`.
    position = models.PositiveBigIntegerField(null=True)
    # The first address gave it up, so it goes to the second one, once.
    goes_second = models.BooleanField(null=True)
    # With which others it goes: COLLECTING until a batch is made; see `delivery.batching`.
    batch_id = models.UUIDField(null=True)

    objects = QueueQuerySet.as_manager()

    class Meta:
        db_table = "delivery_queue"
        verbose_name = _("owed delivery")
        verbose_name_plural = _("owed deliveries")
        indexes = [
            models.Index(fields=["subscription_id", "due_at"], name="queue_by_subscription"),
            models.Index(fields=["due_at"], name="queue_by_due"),
            models.Index(
                fields=["subscription_id", "order_key", "delivery_id"],
                name="queue_by_key",
                condition=Q(order_key__isnull=False),
            ),
            models.Index(
                fields=["subscription_id", "order_key"],
                name="queue_out_of_key",
                condition=Q(order_key__isnull=False, lease__isnull=False),
            ),
            models.Index(
                fields=["subscription_id", "due_at"],
                name="queue_replays",
                condition=Q(is_replay=True),
            ),
            models.Index(
                fields=["subscription_id", "batch_id", "delivery_id"],
                name="queue_by_batch",
                condition=Q(batch_id__isnull=False),
            ),
            # What came lately; only that can have filled a batch.
            models.Index(
                fields=["delivery_id", "subscription_id"],
                name="queue_collected",
                condition=Q(batch_id=COLLECTING),
            ),
            # Both are empty for webhooks, so those pay nothing for feeds.
            models.Index(
                fields=["subscription_id", "position"],
                name="queue_handed_out",
                condition=Q(position__isnull=False),
            ),
            models.Index(
                fields=["subscription_id", "delivery_id"],
                name="queue_not_handed_out",
                condition=Q(position__isnull=True, due_at__gte=NEVER),
            ),
        ]

    def __str__(self) -> str:
        return str(self.delivery_id)


class Attempt(models.Model):
    """One try at a delivery; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.DO_NOTHING,
        related_name="attempts",
        db_constraint=False,
        verbose_name=_("delivery"),
    )
    subscription_id = models.UUIDField()
    number = models.PositiveSmallIntegerField(_("try"))
    started_at = models.DateTimeField(_("when"))
    duration_ms = models.PositiveIntegerField(_("took, ms"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=AttemptOutcome)
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    error_class = models.CharField(_("kind of failure"), max_length=40, blank=True)
    message = models.TextField(_("message"), blank=True)
    response_excerpt = models.TextField(_("what it answered"), blank=True)
    url = models.CharField(_("sent to"), max_length=2000, blank=True)
    batch_id = models.UUIDField(_("batch"), null=True, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["batch_id"],
                name="attempt_by_batch",
                condition=Q(batch_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} #{self.number}"
