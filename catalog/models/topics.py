"""Topics: purpose-built channels for related events."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History
from catalog.querysets import TopicQuerySet
from catalog.words import Case, Criticality, TopicKind

DOTTED_NAME = RegexValidator(
    r"^[a-z0-9]+([._-][a-z0-9]+)*$",
    _("Use lower-case letters, digits, dots and hyphens, such as sales.orders."),
)
MAX_PAYLOAD_BYTES = 256 * 1024  # the edge's ceiling for one event (design, section 4)


class Topic(Identified):
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
