"""Events, their payloads and their identities.

`Event` and `Payload` are partitioned by day through the time in their key. Their keys to other
tables have no constraint: one statement writes them, and a constraint would cost a third of it.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Substr
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.ids import uuid7
from catalog.words import Environment
from delivery.querysets import EventQuerySet


class Event(models.Model):
    """One immutable fact: a CloudEvents 1.0 envelope."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    source = models.TextField(_("source"))
    event_id = models.TextField(_("id given by the source"))
    type = models.ForeignKey(
        "catalog.EventType",
        on_delete=models.DO_NOTHING,
        related_name="events",
        db_constraint=False,
        db_index=False,
        verbose_name=_("type"),
    )
    version = models.ForeignKey(
        "catalog.SchemaVersion",
        on_delete=models.DO_NOTHING,
        related_name="events",
        db_constraint=False,
        db_index=False,
        verbose_name=_("schema version"),
    )
    application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.DO_NOTHING,
        related_name="events",
        db_constraint=False,
        db_index=False,
        verbose_name=_("published by"),
    )
    subject = models.TextField(_("subject"), null=True, blank=True)  # noqa: DJ001 - absent ≠ empty
    time = models.TextField(_("time, as sent"), null=True, blank=True)  # noqa: DJ001 - as sent
    dataschema = models.TextField(null=True, blank=True)  # noqa: DJ001 - absent ≠ empty
    received_at = models.DateTimeField(_("received"))
    correlation_id = models.TextField(_("correlation"))
    causation_id = models.TextField(_("caused by"), blank=True)
    trace_parent = models.CharField(_("trace"), max_length=55)
    hops = models.PositiveSmallIntegerField(_("hops"), default=0)
    partition_key = models.TextField(_("ordering key"), blank=True)
    # Further attributes (JSON object) that travel with every delivery.
    extensions = models.JSONField(default=dict)
    regions = models.JSONField(_("bound to regions"), default=list)
    size_bytes = models.PositiveIntegerField(_("size, bytes"))
    # What this event corrects, or the production event that a staging copy was made of.
    origin_id = models.UUIDField(_("made from"), null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-id"]
        permissions = [
            ("view_payload", "Can see payloads"),
            ("view_sensitive", "Can see fields marked sensitive"),
            ("expunge_payload", "Can expunge payloads"),
            ("copy_event", "Can copy a production event to staging"),
        ]
        indexes = [
            models.Index(fields=["type", "-id"], name="event_by_type"),
            models.Index(fields=["correlation_id"], name="event_by_correlation"),
            models.Index(fields=["event_id"], name="event_by_given_id"),
            models.Index(
                fields=["causation_id"],
                name="event_by_cause",
                condition=~models.Q(causation_id=""),
            ),
            # No hash indexes: all rows of one value stand in one chain there, and each insert walks
            # it, so a subject or a trace that many events share would cost more with every event.
            models.Index(
                fields=["subject"],
                name="event_by_subject",
                condition=models.Q(subject__isnull=False),
            ),
            models.Index(Substr("trace_parent", 4, 32), name="event_by_trace"),
            models.Index(
                fields=["origin_id"],
                name="event_by_origin",
                condition=models.Q(origin_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.event_id}"


class Payload(models.Model):
    """The data of an event as it was sent; deleted by retention or expunged, the event stays."""

    event_id = models.UUIDField(primary_key=True)
    topic_id = models.UUIDField()
    data = models.TextField(_("data"))

    class Meta:
        verbose_name = _("payload")
        verbose_name_plural = _("payloads")

    def __str__(self) -> str:
        return str(self.event_id)


class Expunction(models.Model):
    """Says that a payload was taken away for good: by whom, when and why; its event stays."""

    event_id = models.UUIDField(primary_key=True)
    reason = models.TextField(_("reason"))
    expunged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("expunged by"),
    )
    expunged_at = models.DateTimeField(_("expunged"))

    class Meta:
        verbose_name = _("expunction")
        verbose_name_plural = _("expunctions")
        ordering = ["-expunged_at"]

    def __str__(self) -> str:
        return gettext("Expunged by %(who)s because: %(reason)s") % {
            "who": self.expunged_by,
            "reason": self.reason,
        }


class EventIdentity(models.Model):
    """Says that an application's (environment, source, id) was seen, with what content."""

    digest = models.BinaryField(primary_key=True, max_length=16)
    event_id = models.UUIDField()
    content_digest = models.BinaryField(max_length=16)

    class Meta:
        verbose_name = _("event identity")
        verbose_name_plural = _("event identities")
        # Rows stand in the order of their age, so that a few pages tell which are past it.
        indexes = [BrinIndex(fields=["event_id"], autosummarize=True, name="identity_by_age")]

    def __str__(self) -> str:
        return str(self.event_id)
