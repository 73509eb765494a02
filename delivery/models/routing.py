"""Routing rules, and what they decided of each event."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.fields import Identified, NextNumber
from catalog.history import History
from catalog.ids import uuid7
from catalog.words import Environment
from delivery.states import RuleAction, RuleEffect

SENDING = (RuleAction.SEND_ALSO, RuleAction.SEND_INSTEAD)


class RoutingRule(Identified):
    """One rule of a topic in one environment; only an applied change request writes it.

    Rules are asked in the order of `position`, then of their numbers. Whom it concerns and where it
    sends is a subscription or an application, of the same topic and environment; neither means
    everybody (and nowhere). See `delivery.rules`.
    """

    number = models.BigIntegerField(
        unique=True, editable=False, db_default=NextNumber("delivery_routing_rule_number")
    )
    name = models.CharField(_("name"), max_length=120)
    topic = models.ForeignKey(
        "catalog.Topic",
        on_delete=models.PROTECT,
        related_name="routing_rules",
        verbose_name=_("topic"),
    )
    environment = models.CharField(_("environment"), max_length=10, choices=Environment)
    position = models.PositiveIntegerField(_("position"))
    version = models.PositiveIntegerField(_("version"), default=1)
    is_active = models.BooleanField(_("in force"), default=True)
    action = models.CharField(_("what it does"), max_length=12, choices=RuleAction)
    event_types = ArrayField(
        models.CharField(max_length=200), verbose_name=_("event types"), default=list, blank=True
    )
    regions = ArrayField(
        models.CharField(max_length=20), verbose_name=_("bound to"), default=list, blank=True
    )
    filter = models.JSONField(_("filter"), default=dict, blank=True)
    condition = models.TextField(_("condition on the data, JMESPath"), blank=True)
    concerns_application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("concerns the application"),
    )
    concerns_subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("concerns the subscription"),
    )
    to_application = models.ForeignKey(
        "catalog.Application",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("sends to the application"),
    )
    to_subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("sends to the subscription"),
    )
    # What made this version of it.
    change_request = models.ForeignKey(
        "governance.ChangeRequest",
        on_delete=models.PROTECT,
        related_name="routing_rules",
        verbose_name=_("change request"),
    )
    changed_at = models.DateTimeField(_("since"))

    history = History()

    class Meta:
        verbose_name = _("routing rule")
        verbose_name_plural = _("routing rules")
        ordering = ["topic", "environment", "position", "number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=RuleAction.values), name="routing_rule_action_known"
            ),
            models.CheckConstraint(
                condition=Q(concerns_application=None) | Q(concerns_subscription=None),
                name="routing_rule_concerns_one",
            ),
            models.CheckConstraint(
                condition=(
                    Q(action__in=SENDING, to_application=None, to_subscription__isnull=False)
                    | Q(action__in=SENDING, to_application__isnull=False, to_subscription=None)
                    | (~Q(action__in=SENDING) & Q(to_application=None, to_subscription=None))
                ),
                name="routing_rule_sends_to_one",
            ),
        ]

    def __str__(self) -> str:
        return f"RR-{self.number}"


class RoutingDecision(models.Model):
    """What a rule, in one version, decided of an event for one subscription; append-only.

    Partitioned by day with the events, and written only where a rule decided.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    event = models.ForeignKey(
        "delivery.Event",
        on_delete=models.DO_NOTHING,
        related_name="routing_decisions",
        db_constraint=False,
        verbose_name=_("event"),
    )
    subscription = models.ForeignKey(
        "delivery.Subscription",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("subscription"),
    )
    rule = models.ForeignKey(
        RoutingRule,
        on_delete=models.DO_NOTHING,
        related_name="decisions",
        db_constraint=False,
        db_index=False,
        verbose_name=_("rule"),
    )
    rule_version = models.PositiveIntegerField(_("version"))
    effect = models.CharField(_("what it decided"), max_length=10, choices=RuleEffect)

    class Meta:
        verbose_name = _("routing decision")
        verbose_name_plural = _("routing decisions")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.subscription_id}: {self.effect}"
