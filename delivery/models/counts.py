"""Roll-ups that dashboards read instead of raw attempts; kept by workers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.words import Environment


class Grain(models.TextChoices):
    """How long a roll-up's span is."""

    MINUTE = "minute", _("Minute")
    QUARTER = "quarter", _("Quarter of an hour")
    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")


class Rollup(models.Model):
    """Counts of one span for one subscription, or, with none, for what was published."""

    grain = models.CharField(max_length=7, choices=Grain)
    at = models.DateTimeField()
    environment = models.CharField(max_length=10, choices=Environment)
    topic_id = models.UUIDField()
    event_type_id = models.UUIDField(null=True)
    subscription_id = models.UUIDField(null=True)
    application_id = models.UUIDField(null=True)
    published = models.PositiveBigIntegerField(default=0)
    delivered = models.PositiveBigIntegerField(default=0)
    first_try = models.PositiveBigIntegerField(default=0)
    failed_attempts = models.PositiveBigIntegerField(default=0)
    dead = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    discarded = models.PositiveBigIntegerField(default=0)
    retries = models.PositiveBigIntegerField(default=0)
    # Levels, not counts: the most that was seen waiting in the span, and its greatest age.
    backlog = models.PositiveBigIntegerField(default=0)
    oldest_seconds = models.PositiveIntegerField(default=0)
    # Delivered counts by latency; bounds in `delivery.rollups.LATENCY_BOUNDS_MS`.
    latency_counts = ArrayField(models.PositiveBigIntegerField(), default=list)
    # Failed attempts by error class.
    errors = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("roll-up")
        verbose_name_plural = _("roll-ups")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "grain",
                    "at",
                    "environment",
                    "topic_id",
                    "event_type_id",
                    "subscription_id",
                    "application_id",
                ],
                nulls_distinct=False,
                name="one_rollup_per_span",
            )
        ]
        indexes = [
            models.Index(fields=["subscription_id", "grain", "at"], name="rollup_by_subscription"),
            models.Index(fields=["environment", "grain", "at"], name="rollup_by_environment"),
        ]

    def __str__(self) -> str:
        return f"{self.grain} {self.at:%Y-%m-%d %H:%M}"


class RollupMark(models.Model):
    """How far a roll-up has read, by name."""

    name = models.CharField(max_length=40, primary_key=True)
    up_to = models.UUIDField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("roll-up mark")
        verbose_name_plural = _("roll-up marks")

    def __str__(self) -> str:
        return self.name


class FilteredCount(models.Model):
    """Events that a subscription's filter left out, per minute: they make no delivery row."""

    subscription_id = models.UUIDField()
    minute = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("filtered count")
        verbose_name_plural = _("filtered counts")
        constraints = [
            models.UniqueConstraint(
                fields=["subscription_id", "minute"], name="one_filtered_count_per_minute"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.count}"


class ContractBreach(models.Model):
    """Events that an application published and whose data broke a version's contract, per day.

    They were refused and stored nowhere: this is all that is known of them.
    """

    version_id = models.UUIDField()
    environment = models.CharField(max_length=10, choices=Environment)
    application_id = models.UUIDField()
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name = _("refused by contract")
        verbose_name_plural = _("refused by contract")
        constraints = [
            models.UniqueConstraint(
                fields=["version_id", "environment", "application_id", "day"],
                name="one_breach_count_per_day",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.day}: {self.count}"
