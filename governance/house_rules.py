"""What the house's rules weigh: for the whole portal here, for one topic among its promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.house_rules import SHIPPED, HouseRule, Weight, check_weights
from catalog.models import RuleWeight, Topic, User
from governance import access, signals
from governance.actions import Action
from governance.governed import governed, record
from governance.lint import Policy, Source


def portal_policy() -> Policy:
    """Return what the rules weigh where a topic says nothing of its own."""
    return Policy(portal=dict(RuleWeight.objects.values_list("rule", "weight")))


def policy_of(topic: Topic) -> Policy:
    """Return what the rules weigh for the contracts of a topic."""
    return Policy(portal=portal_policy().portal, topic=topic.house_rules)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A rule as people and machines read it: what it weighs, by whose word, and how it came."""

    rule: HouseRule
    weight: Weight
    source: Source
    shipped: Weight

    @property
    def label(self) -> str:
        """Return the rule in a sentence."""
        return str(self.rule.label)


def listed(policy: Policy) -> Iterator[Told]:
    """Yield every rule with its weight under a policy, in the house's order."""
    for rule in HouseRule:
        weight, source = policy.of(rule)
        yield Told(rule=rule, weight=weight, source=source, shipped=SHIPPED[rule])


def in_words(weight: str, source: str) -> str:
    """Return what a rule weighs, and by whose word."""
    sentences = {
        Source.TOPIC: _("%s, as its topic says"),
        Source.PORTAL: _("%s, as the whole portal says"),
        Source.SHIPPED: _("%s, as Signalbox comes"),
    }
    return sentences[Source(source)] % Weight(weight).label


def weigh(weights: Mapping[str, str], *, by: User, reason: str = "", now: datetime) -> Policy:
    """Set what rules weigh in the whole portal; those that are not named stay as they are.

    Requests that are in review keep what their checks said until these run again. Raises
    `ValidationError` for an unknown rule or weight.
    """
    try:
        check_weights(weights)
    except ValidationError as error:
        raise ValidationError({"weights": error.messages}) from None
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.HOUSE_RULE_CHANGE, now=now)
        standing = portal_policy()
        for name, weight in sorted(weights.items()):
            if weight != standing.of(name)[0]:
                _set(name, weight, by=by, now=now)
    return portal_policy()


def _set(rule: str, weight: str, *, by: User, now: datetime) -> None:
    rows = RuleWeight.objects.select_for_update()
    row, is_new = rows.get_or_create(rule=rule, defaults={"weight": weight})
    before = SHIPPED[rule].value if is_new else row.weight
    if before == weight:  # someone else was faster
        return
    if not is_new:
        row.weight = weight
        row.save()
    signals.house_rule_weighed.send(sender=RuleWeight, thing=row, by=by, now=now)
    record(Action.HOUSE_RULE_CHANGE, row, before={"weight": before}, after={"weight": weight})
