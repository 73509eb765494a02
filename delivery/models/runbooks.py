"""Runbooks: what to do about a kind of failure, written by those who have done it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified, NextNumber
from catalog.history import History


class Runbook(Identified):
    """Markdown with steps, shown on every failure that fits all of its bindings.

    An empty binding fits everything; one at least is set. Each saved text is a version, kept in
    its history.
    """

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("delivery_runbook_number")
    )
    title = models.CharField(_("title"), max_length=120)
    text = models.TextField(_("text"))
    error_class = models.CharField(_("kind of failure"), max_length=40, blank=True)
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    topic = models.ForeignKey(
        "catalog.Topic",
        on_delete=models.PROTECT,
        related_name="runbooks",
        null=True,
        blank=True,
        verbose_name=_("topic"),
    )
    subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.PROTECT,
        related_name="runbooks",
        null=True,
        blank=True,
        verbose_name=_("subscription"),
    )
    version = models.PositiveIntegerField(_("version"), default=1)
    is_active = models.BooleanField(_("shown"), default=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    changed_at = models.DateTimeField(_("changed"))

    history = History()

    class Meta:
        verbose_name = _("runbook")
        verbose_name_plural = _("runbooks")
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(error_class="")
                | Q(topic__isnull=False)
                | Q(subscription__isnull=False),
                name="runbook_is_bound",
            ),
            models.CheckConstraint(
                condition=Q(status_code__isnull=True) | ~Q(error_class=""),
                name="runbook_answer_of_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.title
