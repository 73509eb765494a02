"""The ledger: a hash-chained, append-only record of every governed change."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified
from governance.querysets import LedgerQuerySet


class LedgerEntry(Identified):
    """Who did what to which thing, when and why, with the values before and after.

    `number` has no gaps. `hash` is over the canonical entry and `previous_hash`; `snapshots` names
    the historical rows of the change with a digest each, so that the chain covers them too.
    """

    number = models.BigIntegerField(_("number"), unique=True)
    at = models.DateTimeField(_("when"))
    actor_id = models.UUIDField(null=True, editable=False)
    actor_name = models.CharField(_("who"), max_length=200)
    action = models.CharField(_("what"), max_length=80)
    subject_type = models.CharField(_("kind of thing"), max_length=60)
    subject_id = models.CharField(max_length=80)
    subject_label = models.CharField(_("thing"), max_length=300)
    reason = models.TextField(_("why"), blank=True)
    before = models.JSONField(_("before"), default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), default=dict, encoder=DjangoJSONEncoder)
    snapshots = models.JSONField(default=list)
    # Other things that this entry concerns (topic, team, application), for what a person may see.
    related = models.JSONField(default=list)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="ledger_subject"),
            models.Index(fields=["actor_id"], name="ledger_actor"),
            GinIndex(fields=["related"], name="ledger_related"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.action} {self.subject_label}"


class LedgerHead(models.Model):
    """The chain's last link, one row; every governed transaction locks it last.

    Its number is also the governance version that every process polls: it changes with each
    governed commit, in the same statement, so nobody can see one without the other.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        verbose_name = _("ledger head")
        verbose_name_plural = _("ledger head")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_ledger_head")]

    def __str__(self) -> str:
        return f"#{self.number}"


class Refusal(Identified):
    """Times that someone was refused something, counted per minute."""

    who_id = models.CharField(max_length=80)
    who_name = models.CharField(_("who"), max_length=200)
    action = models.CharField(_("what"), max_length=80)
    subject = models.CharField(_("thing"), max_length=300)
    minute = models.DateTimeField(_("minute"))
    count = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        verbose_name = _("refusal")
        verbose_name_plural = _("refusals")
        ordering = ["-minute"]
        constraints = [
            models.UniqueConstraint(
                fields=["who_id", "action", "subject", "minute"], name="one_refusal_per_minute"
            )
        ]

    def __str__(self) -> str:
        return f"{self.who_name}: {self.action} {self.subject}"
