"""Choosing what the house's rules weigh: one choice for each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.house_rules import HouseRule, Weight
from catalog.templatetags.ui_components import component
from governance import house_rules

Choices = list[tuple[str, Any]]


class WeightsWidget(forms.MultiWidget):
    """A labelled choice for each rule; "" leaves a rule to the whole portal."""

    def __init__(self, choices: Sequence[Choices]) -> None:
        named = zip(HouseRule.values, choices, strict=True)
        super().__init__({rule: forms.Select(choices=offered) for rule, offered in named})

    def decompress(self, value: Any) -> list[str]:
        """Return the choices of stored weights, in the rules' order."""
        given = value if isinstance(value, Mapping) else {}
        return [given.get(rule, "") for rule in HouseRule]

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Draw every choice under its rule."""
        drawn = self.get_context(name, value, attrs)["widget"]["subwidgets"]
        for rule, one in zip(HouseRule, drawn, strict=True):
            one["label"] = rule.label
        return component("weights", choices=drawn)


class WeightsField(forms.MultiValueField):
    """The weights that a topic gives rules of its own; those of the portal are named beside."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [_choices(told) for told in house_rules.listed(house_rules.portal_policy())]
        super().__init__(
            fields=[forms.ChoiceField(choices=offered, required=False) for offered in choices],
            widget=WeightsWidget(choices),
            required=False,
            require_all_fields=False,
            label=gettext_lazy("House rules for its contracts"),
            help_text=gettext_lazy(
                "An error has to be accepted by name by whoever approves; advice is only shown."
            ),
            **kwargs,
        )

    def compress(self, data_list: Sequence[str]) -> dict[str, str]:
        """Return the weights that were chosen, by rule."""
        chosen = zip(HouseRule.values, data_list, strict=False)
        return {rule: weight for rule, weight in chosen if weight}


def _choices(told: house_rules.Told) -> Choices:
    portal = _("Portal: %s") % told.weight.label
    return [("", portal), *Weight.choices]
