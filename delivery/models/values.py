"""Values in the data of events, by which people find them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class EventValue(models.Model):
    """That an event's data holds a value at a searchable path; the value itself is not kept.

    `digest` is of environment and value; see `delivery.values`. Narrow, and written by a worker
    after the event, so publishing pays nothing for it.
    """

    digest = models.BinaryField(_("digest"), max_length=16)
    event_id = models.UUIDField(_("event"))
    topic_id = models.UUIDField(_("topic"))

    class Meta:
        verbose_name = _("searchable value")
        verbose_name_plural = _("searchable values")
        constraints = [
            models.UniqueConstraint(fields=["digest", "event_id"], name="event_value_once"),
        ]
        indexes = [models.Index(fields=["topic_id", "event_id"], name="event_value_by_topic")]

    def __str__(self) -> str:
        return str(self.event_id)
