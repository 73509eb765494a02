"""What the house's rules weigh in this portal."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.history import History
from catalog.house_rules import HouseRule, Weight


class RuleWeight(models.Model):
    """The weight of one rule, where somebody has set it; `house_rules.SHIPPED` has the others."""

    rule = models.CharField(_("rule"), max_length=40, primary_key=True, choices=HouseRule)
    weight = models.CharField(_("weight"), max_length=6, choices=Weight)

    history = History()

    class Meta:
        verbose_name = _("house rule")
        verbose_name_plural = _("house rules")
        ordering = ["rule"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(weight__in=Weight.values), name="rule_weight_known"
            )
        ]

    def __str__(self) -> str:
        return self.get_rule_display()
