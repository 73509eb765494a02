"""Dead letters and the groups that share a cause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified, NextNumber
from catalog.history import History
from catalog.words import Environment
from delivery.querysets import FailureGroupQuerySet
from delivery.states import FAILURE_GROUP_MOVES, FailureGroupState


class FailureGroup(Identified):
    """Failures with the same cause: subscription, error class, status, normalized message.

    Workers keep the counts; what people say of it (state, assignee, note, resolution) is history.
    """

    state_field: ClassVar[str] = "state"
    moves: ClassVar[Mapping[str, tuple[str, ...]]] = FAILURE_GROUP_MOVES

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("delivery_failure_group_number")
    )
    subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.PROTECT,
        related_name="failure_groups",
        verbose_name=_("subscription"),
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    error_class = models.CharField(_("kind of failure"), max_length=40)
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    message = models.TextField(_("message"), blank=True)
    # SHA-256 over subscription, class, status and normalized message.
    fingerprint = models.CharField(max_length=64, unique=True, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=FailureGroupState, default=FailureGroupState.OPEN
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="failure_groups",
        null=True,
        blank=True,
        verbose_name=_("whose name is on it"),
    )
    count = models.PositiveIntegerField(_("dead letters, ever"), default=0)
    open_count = models.PositiveIntegerField(_("dead letters, open"), default=0)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    resolution = models.TextField(_("what was done"), blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    ignored_until = models.DateTimeField(_("ignored until"), null=True, blank=True)

    objects = FailureGroupQuerySet.as_manager()
    history = History(excluded_fields=["count", "open_count", "last_seen_at"])

    class Meta:
        verbose_name = _("failure group")
        verbose_name_plural = _("failure groups")
        ordering = ["-last_seen_at"]
        permissions = [("handle_failuregroup", "Can assign, resolve and ignore failures")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=FailureGroupState.values), name="failure_group_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"F-{self.number}"

    @property
    def has_come_back(self) -> bool:
        """Tell whether it was resolved before and fails again: its old resolution still stands."""
        return bool(self.resolution) and self.state in (
            FailureGroupState.OPEN,
            FailureGroupState.ASSIGNED,
        )


class DeadLetter(models.Model):
    """A delivery out of retries, with what someone needs to mend it.

    Copied out of the partitioned tables when the delivery dies, so that it outlives them.
    """

    delivery_id = models.UUIDField(primary_key=True)
    event_id = models.UUIDField(db_index=True)
    subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.PROTECT,
        related_name="dead_letters",
        verbose_name=_("subscription"),
    )
    failure_group = models.ForeignKey(
        FailureGroup,
        on_delete=models.PROTECT,
        related_name="dead_letters",
        verbose_name=_("failure group"),
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    event_type = models.CharField(_("event type"), max_length=200)
    version = models.CharField(_("schema version"), max_length=40)
    limit = models.CharField(_("which limit ran out"), max_length=20)
    error_class = models.CharField(_("kind of failure"), max_length=40)
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    message = models.TextField(_("what went wrong"))
    attempts = models.PositiveSmallIntegerField(_("attempts"))
    first_attempt_at = models.DateTimeField(_("first attempt"))
    last_attempt_at = models.DateTimeField(_("last attempt"))
    died_at = models.DateTimeField(_("died"))
    payload = models.TextField(_("data"), blank=True)
    note = models.TextField(_("note"), blank=True)
    # Ended by a replay that arrived, or by a person's discard.
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    resolution = models.CharField(_("how"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ["-died_at"]
        indexes = [
            models.Index(
                fields=["failure_group", "-died_at"],
                name="dead_letter_open",
                condition=Q(resolved_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} → {self.subscription}"
