"""Replays: recorded, previewable orders to deliver again."""

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
from delivery.querysets import ReplayQuerySet
from delivery.states import REPLAY_MOVES, ReplayState


class Replay(Identified):
    """An order to deliver again: who, why, what, to whom, how fast."""

    state_field: ClassVar[str] = "state"
    moves: ClassVar[Mapping[str, tuple[str, ...]]] = REPLAY_MOVES

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("delivery_replay_number")
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    selection = models.JSONField(_("what"), default=dict)
    subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.PROTECT,
        related_name="replays",
        null=True,
        blank=True,
        verbose_name=_("to another subscription"),
    )
    reason = models.TextField(_("reason"))
    rate_per_second = models.PositiveIntegerField(_("at most per second"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=20, choices=ReplayState, default=ReplayState.QUEUED
    )
    matched = models.PositiveIntegerField(_("matched"), default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="replays"
    )
    requested_at = models.DateTimeField(_("requested"))
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = ReplayQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ReplayState.values), name="replay_state_known"
            )
        ]

    def __str__(self) -> str:
        return f"R-{self.number}"


class ReplayItem(Identified):
    """One delivery of a replay: what it repeats, and what became of it."""

    replay = models.ForeignKey(Replay, on_delete=models.PROTECT, related_name="items")
    repeats_id = models.UUIDField(null=True)
    event_id = models.UUIDField()
    subscription = models.ForeignKey(
        "delivery.Subscription", on_delete=models.PROTECT, related_name="+"
    )
    # Null until it was queued; a refused item has a reason and no delivery.
    delivery_id = models.UUIDField(null=True, blank=True)
    refused = models.CharField(_("refused because"), max_length=40, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    result = models.CharField(_("result"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("replay item")
        verbose_name_plural = _("replay items")
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["replay", "id"],
                name="replay_item_waiting",
                condition=Q(delivery_id__isnull=True, refused=""),
            ),
            models.Index(fields=["delivery_id"], name="replay_item_delivery"),
            models.Index(
                fields=["event_id"],
                name="replay_item_unsent",
                condition=Q(delivery_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.replay_id}: {self.event_id}"
