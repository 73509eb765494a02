"""The house's rules for contracts by name, what breaking one can mean, and what it means at first.

`governance.lint` looks for what breaks them. What a rule weighs is data: `RuleWeight` rows for the
portal, `Topic.house_rules` for one topic, and `SHIPPED` where nobody has said anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Weight(models.TextChoices):
    """What breaking a rule means."""

    ERROR = "error", gettext_lazy("Error")
    ADVICE = "advice", gettext_lazy("Advice")
    OFF = "off", gettext_lazy("Off")


class HouseRule(models.TextChoices):
    """A rule for contracts, as people say it."""

    ROOT_IS_OBJECT = "root_is_object", gettext_lazy("The data is an object with named fields")
    FIELD_HAS_MEANING = "field_has_meaning", gettext_lazy("Every field says what it means")
    IDENTIFIER_IS_TEXT = "identifier_is_text", gettext_lazy("Identifiers are text, not numbers")
    TIME_HAS_ZONE = "time_has_zone", gettext_lazy("Times carry a zone")
    MONEY_HAS_CURRENCY = "money_has_currency", gettext_lazy("Money stands beside its currency")
    SIZE_IS_BOUNDED = "size_is_bounded", gettext_lazy("Texts and lists have a greatest size")
    NAME_IS_IN_CASE = "name_is_in_case", gettext_lazy("Names keep the topic's convention")
    CONTENT_IS_STATED = (
        "content_is_stated",
        gettext_lazy("It is said whether unknown fields may come along"),
    )
    CONTENT_IS_OPEN = "content_is_open", gettext_lazy("Unknown fields may come along")
    SEARCHABLE_IS_VALUE = (
        "searchable_is_value",
        gettext_lazy("What is searched for is a text or a number"),
    )
    SEARCHABLE_IS_HARMLESS = (
        "searchable_is_harmless",
        gettext_lazy("What says something of a person is not searched for"),
    )


SHIPPED: Mapping[str, Weight] = {
    **dict.fromkeys(HouseRule.values, Weight.ADVICE),
    HouseRule.ROOT_IS_OBJECT.value: Weight.ERROR,
    HouseRule.NAME_IS_IN_CASE.value: Weight.ERROR,
}


def check_weights(given: object) -> None:
    """Raise ValidationError unless each rule named is one of the house's, with a known weight."""
    if not isinstance(given, dict):
        raise ValidationError(_("Name rules, each with its weight."))
    for name, weight in given.items():
        if name not in HouseRule.values:
            raise ValidationError(_("The house has no rule %s.") % name)
        if weight not in Weight.values:
            raise ValidationError(
                _("%(rule)s is one of %(weights)s.")
                % {"rule": name, "weights": ", ".join(Weight.values)}
            )
