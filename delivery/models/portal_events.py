"""What Signalbox has to say of itself, waiting to be published."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.words import Environment


class PortalEvent(Identified):
    """One event of the topic `portal.operations`, written with the fact and published after it.

    `key` is the event's id: what was said under it before is not said again.
    """

    key = models.CharField(_("id"), max_length=200, unique=True)
    type = models.CharField(_("type"), max_length=200)
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    data = models.JSONField(_("data"))
    happened_at = models.DateTimeField(_("when"))
    ended_at = models.DateTimeField(_("published or given up"), null=True, blank=True)
    refusal = models.TextField(_("why it was not published"), blank=True)

    class Meta:
        verbose_name = _("event of the portal")
        verbose_name_plural = _("events of the portal")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["id"], name="portal_event_waiting", condition=models.Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.key
