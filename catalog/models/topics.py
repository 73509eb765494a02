"""Topics: purpose-built channels for related events."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog import collecting
from catalog.fields import Identified
from catalog.history import History
from catalog.house_rules import check_weights
from catalog.querysets import TopicQuerySet
from catalog.words import Case, Criticality, TopicKind

DOTTED_NAME = RegexValidator(
    r"^[a-z0-9]+([._-][a-z0-9]+)*$",
    _("Use lower-case letters, digits, dots and hyphens, such as sales.orders."),
)
MAX_PAYLOAD_BYTES = 256 * 1024  # the edge's ceiling for one event (design, section 4)


def check_time_of_day(text: str) -> None:
    """Raise ValidationError unless the text is a time of day."""
    try:
        collecting.read_times([text])
    except ValueError:
        raise ValidationError(_("Write times of day as 02:00 or 14:30.")) from None


def check_time_zone(name: str) -> None:
    """Raise ValidationError unless there is such a time zone."""
    if not collecting.is_zone(name):
        raise ValidationError(_("There is no time zone of this name: write Europe/Berlin or UTC."))


def _up_to(most: int) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(1), MaxValueValidator(most)]


class BatchLimits(models.Model):
    """What ends a batch, beside the clock."""

    batch_max_events = models.PositiveIntegerField(
        _("events in a batch"),
        default=collecting.DEFAULT_EVENTS,
        validators=_up_to(collecting.MAX_EVENTS),
        help_text=_("A batch goes out as soon as it has so many."),
    )
    batch_max_bytes = models.PositiveIntegerField(
        _("data in a batch, bytes"),
        default=collecting.DEFAULT_BYTES,
        validators=_up_to(collecting.MAX_BYTES),
        help_text=_("Or so much data."),
    )
    batch_max_wait_seconds = models.PositiveIntegerField(
        _("longest wait, seconds"),
        null=True,
        blank=True,
        validators=_up_to(collecting.MAX_WAIT_SECONDS),
        help_text=_("Or when its first event has waited so long. Empty: a minute, or the clock."),
    )

    class Meta:
        abstract = True


class Topic(BatchLimits, Identified):
    """A channel for related events, with the promises that hold for all of them."""

    name = models.CharField(_("name"), max_length=120, unique=True, validators=[DOTTED_NAME])
    title = models.CharField(_("title"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    domain = models.ForeignKey(
        "catalog.Domain", on_delete=models.PROTECT, related_name="topics", verbose_name=_("domain")
    )
    owner = models.ForeignKey(
        "catalog.Team", on_delete=models.PROTECT, related_name="topics", verbose_name=_("owner")
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=TopicKind, default=TopicKind.STREAMING
    )
    batch_times = ArrayField(
        models.CharField(max_length=5, validators=[check_time_of_day]),
        verbose_name=_("batches go out at"),
        default=list,
        blank=True,
        size=collecting.MAX_TIMES,
        help_text=_("For batched topics: times of day such as 02:00, by commas. Empty: no time."),
    )
    batch_time_zone = models.CharField(
        _("in the time zone"), max_length=64, default="UTC", validators=[check_time_zone]
    )
    is_restricted = models.BooleanField(
        _("restricted"),
        default=False,
        help_text=_("Only those with a grant see it, and staging needs a grant too."),
    )
    ordering_key = models.CharField(
        _("ordering key"),
        max_length=200,
        blank=True,
        help_text=_("Events with the same value stay in order: partitionkey, or a path in data."),
    )
    regions = ArrayField(
        models.CharField(max_length=20),
        verbose_name=_("residency"),
        default=list,
        blank=True,
        help_text=_("Regions that its events may be delivered to; empty means anywhere."),
    )
    criticality = models.CharField(
        _("criticality"), max_length=10, choices=Criticality, default=Criticality.NORMAL
    )
    retention_days = models.PositiveIntegerField(_("payloads kept, days"), default=90)
    payload_ceiling_bytes = models.PositiveIntegerField(
        _("largest event, bytes"), default=MAX_PAYLOAD_BYTES
    )
    field_case = models.CharField(_("field names"), max_length=6, choices=Case, default=Case.ANY)
    house_rules = models.JSONField(
        _("house rules"),
        default=dict,
        blank=True,
        validators=[check_weights],
        help_text=_("What rules for contracts weigh here; the others as in the whole portal."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = TopicQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["name"]
        permissions = [
            ("publish_topic", "Can publish to topic in production"),
            ("subscribe_topic", "Can subscribe to topic in production"),
            ("publish_topic_staging", "Can publish to topic in staging"),
            ("subscribe_topic_staging", "Can subscribe to topic in staging"),
            ("view_restricted_topic", "Can view every restricted topic"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=TopicKind.values), name="topic_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(payload_ceiling_bytes__lte=MAX_PAYLOAD_BYTES),
                name="topic_ceiling_within_edge",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def collecting_rule(self) -> collecting.Rule | None:
        """Return what ends a batch of this topic; None where each event goes at once."""
        if self.kind != TopicKind.BATCHED:
            return None
        return collecting.Rule(
            max_events=self.batch_max_events,
            max_bytes=self.batch_max_bytes,
            max_wait_seconds=self.batch_max_wait_seconds,
            times=collecting.read_times(self.batch_times),
            zone=self.batch_time_zone,
        )
