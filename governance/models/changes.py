"""Change requests, their checks, reviews and discussion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified, NextNumber
from catalog.history import History
from governance.querysets import ChangeRequestQuerySet
from governance.states import (
    CHANGE_MOVES,
    ChangeKind,
    ChangeState,
    Decision,
    Outcome,
    Verdict,
)


class ChangeRequest(Identified):
    """A proposed change to a governed thing."""

    state_field: ClassVar[str] = "state"
    moves: ClassVar[Mapping[str, tuple[str, ...]]] = CHANGE_MOVES

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("governance_change_request_number")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=ChangeKind)
    title = models.CharField(_("title"), max_length=200)
    reason = models.TextField(_("reason"))
    topic = models.ForeignKey(
        "catalog.Topic",
        on_delete=models.PROTECT,
        related_name="change_requests",
        verbose_name=_("topic"),
    )
    event_type = models.ForeignKey(
        "catalog.EventType",
        on_delete=models.PROTECT,
        related_name="change_requests",
        null=True,
        blank=True,
        verbose_name=_("event type"),
    )
    # The version that a promotion, deprecation or retirement speaks of; for a new one, its base.
    base = models.ForeignKey(
        "catalog.SchemaVersion",
        on_delete=models.PROTECT,
        related_name="change_requests",
        null=True,
        blank=True,
        verbose_name=_("starting from"),
    )
    # JSON text by kind; see `governance.proposals`.
    proposal = models.TextField(_("proposal"))
    proposal_sha256 = models.CharField(max_length=64, editable=False)
    state = models.CharField(
        _("state"), max_length=20, choices=ChangeState, default=ChangeState.DRAFT
    )
    verdict = models.CharField(_("verdict"), max_length=12, choices=Verdict, blank=True)
    is_emergency = models.BooleanField(_("emergency"), default=False)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="change_requests"
    )
    created_at = models.DateTimeField(_("created"))
    opened_at = models.DateTimeField(_("opened"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)

    objects = ChangeRequestQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("change request")
        verbose_name_plural = _("change requests")
        ordering = ["-number"]
        permissions = [
            ("propose_changerequest", "Can propose a change"),
            ("review_changerequest", "Can review changes"),
            ("apply_changerequest", "Can apply approved changes"),
            ("emergency_changerequest", "Can make an emergency change"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ChangeState.values), name="change_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"CR-{self.number}"


class CheckResult(Identified):
    """What one check said of one state of the proposal; append-only."""

    change_request = models.ForeignKey(
        ChangeRequest, on_delete=models.CASCADE, related_name="check_results"
    )
    check_name = models.CharField(_("check"), max_length=60)
    proposal_sha256 = models.CharField(max_length=64)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    summary = models.TextField(_("summary"))
    findings = models.JSONField(_("findings"), default=list)
    ran_at = models.DateTimeField(_("ran"))

    class Meta:
        verbose_name = _("check result")
        verbose_name_plural = _("check results")
        ordering = ["ran_at"]

    def __str__(self) -> str:
        return f"{self.check_name}: {self.outcome}"


class Review(Identified):
    """One person's decision on one state of the proposal; void once the proposal changes."""

    change_request = models.ForeignKey(
        ChangeRequest, on_delete=models.PROTECT, related_name="reviews"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    decision = models.CharField(_("decision"), max_length=20, choices=Decision)
    note = models.TextField(_("note"), blank=True)
    # The subscriber for which a member of its team consents or objects.
    application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("for the subscriber"),
    )
    for_owning_team = models.BooleanField(_("for the owning team"), default=False)
    proposal_sha256 = models.CharField(max_length=64)
    decided_at = models.DateTimeField(_("decided"))
    voided_at = models.DateTimeField(_("void since"), null=True, blank=True)

    history = History()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["decided_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["change_request", "reviewer"],
                condition=Q(voided_at__isnull=True, application__isnull=True),
                name="one_standing_review_per_person",
            ),
            models.UniqueConstraint(
                fields=["change_request", "application"],
                condition=Q(voided_at__isnull=True, application__isnull=False),
                name="one_standing_review_per_subscriber",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.decision}"


class Comment(Identified):
    """A word in the discussion of a change request."""

    change_request = models.ForeignKey(
        ChangeRequest, on_delete=models.PROTECT, related_name="comments"
    )
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = models.TextField(_("comment"))
    written_at = models.DateTimeField(_("written"))

    history = History()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["written_at"]

    def __str__(self) -> str:
        return self.text[:60]
