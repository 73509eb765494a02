"""Grants and the requests for them."""

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
from governance.querysets import AccessRequestQuerySet, GrantQuerySet
from governance.states import GRANT_MOVES, REQUEST_MOVES, GrantState, RequestState, Verb

ONE_GRANTEE = Q(application__isnull=False, team__isnull=True) | Q(
    application__isnull=True, team__isnull=False
)


class Wanted(Identified):
    """Who may do what with which topic, where: shared by grants and requests."""

    application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        null=True,
        blank=True,
        verbose_name=_("application"),
    )
    team = models.ForeignKey(
        "catalog.Team",
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        null=True,
        blank=True,
        verbose_name=_("team"),
    )
    topic = models.ForeignKey(
        "catalog.Topic",
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        verbose_name=_("topic"),
    )
    verb = models.CharField(_("may"), max_length=10, choices=Verb)
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    reason = models.TextField(_("reason"))

    class Meta:
        abstract = True

    @property
    def grantee(self) -> models.Model:
        """Return the application or the team."""
        return self.application or self.team  # type: ignore[return-value]  # one by constraint


class Grant(Wanted):
    """Permission for an application or team to publish or subscribe to a topic."""

    state_field: ClassVar[str] = "state"
    moves: ClassVar[Mapping[str, tuple[str, ...]]] = GRANT_MOVES

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("governance_grant_number")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=GrantState, default=GrantState.IN_FORCE
    )
    until = models.DateTimeField(_("until"), null=True, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    granted_at = models.DateTimeField(_("granted"))
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    end_reason = models.TextField(_("why it ended"), blank=True)

    objects = GrantQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["-granted_at"]
        constraints = [
            models.CheckConstraint(condition=ONE_GRANTEE, name="grant_has_one_grantee"),
            models.CheckConstraint(
                condition=Q(state__in=GrantState.values), name="grant_state_known"
            ),
            models.UniqueConstraint(
                fields=["application", "verb", "topic", "environment"],
                condition=Q(state="in_force", application__isnull=False),
                name="one_grant_in_force_per_application",
            ),
            models.UniqueConstraint(
                fields=["team", "verb", "topic", "environment"],
                condition=Q(state="in_force", team__isnull=False),
                name="one_grant_in_force_per_team",
            ),
        ]

    def __str__(self) -> str:
        return f"G-{self.number}"


class AccessRequest(Wanted):
    """Someone's request for a grant."""

    state_field: ClassVar[str] = "state"
    moves: ClassVar[Mapping[str, tuple[str, ...]]] = REQUEST_MOVES

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("governance_access_request_number")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=RequestState, default=RequestState.OPEN
    )
    wanted_until = models.DateTimeField(_("wanted until"), null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="access_requests"
    )
    requested_at = models.DateTimeField(_("requested"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_note = models.TextField(_("note"), blank=True)
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="requests", null=True, blank=True
    )

    objects = AccessRequestQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        ordering = ["-requested_at"]
        constraints = [
            models.CheckConstraint(condition=ONE_GRANTEE, name="request_has_one_grantee"),
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values), name="request_state_known"
            ),
            models.UniqueConstraint(
                fields=["application", "verb", "topic", "environment"],
                condition=Q(state="open", application__isnull=False),
                name="one_open_request_per_application",
            ),
            models.UniqueConstraint(
                fields=["team", "verb", "topic", "environment"],
                condition=Q(state="open", team__isnull=False),
                name="one_open_request_per_team",
            ),
        ]

    def __str__(self) -> str:
        return f"AR-{self.number}"
