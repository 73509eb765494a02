"""Conversions between the major versions of an event type."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from catalog.history import History


class Translation(Identified):
    """A reviewed mapping from one major version to another; a later request replaces it."""

    event_type = models.ForeignKey(
        "catalog.EventType",
        on_delete=models.PROTECT,
        related_name="translations",
        verbose_name=_("event type"),
    )
    from_major = models.PositiveIntegerField(_("from major version"))
    to_major = models.PositiveIntegerField(_("to major version"))
    mapping = models.TextField(_("mapping, JMESPath"))
    change_request = models.ForeignKey(
        "governance.ChangeRequest",
        on_delete=models.PROTECT,
        related_name="translations",
        verbose_name=_("approved in"),
    )
    since = models.DateTimeField(_("since"))

    history = History()

    class Meta:
        verbose_name = _("conversion between versions")
        verbose_name_plural = _("conversions between versions")
        ordering = ["event_type", "-from_major", "to_major"]
        constraints = [
            models.UniqueConstraint(
                fields=["event_type", "from_major", "to_major"], name="one_translation_of_a_way"
            ),
            models.CheckConstraint(
                condition=~Q(from_major=F("to_major")), name="translation_goes_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type.name} {self.from_major}.x → {self.to_major}.x"
