"""Routing rules, ready to decide: who gets an event that would not, and who does not that would.

The rules of a topic stand in an order. For each subscription the *first* matching rule that speaks
of it decides, and later ones say nothing of it any more; so no rule can undo another, and no chain
of “send instead” can come back to where it began, however the rules are written:

    allow         whom it concerns gets what it wants: later rules do not take it away
    deny          whom it concerns gets nothing
    send_also     whom it names gets the event as well, though it did not ask for it
    send_instead  whom it concerns gets nothing, whom it names gets the event in its place

A rule adds no right: who is added still needs a grant, and must stand in the event's regions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from delivery.filters import CompiledFilter
from delivery.states import RuleAction, RuleEffect


class Standing(Protocol):
    """What rules ask of a subscription."""

    @property
    def id(self) -> UUID:
        """Return which it is."""
        ...

    @property
    def application_id(self) -> UUID:
        """Return whose it is."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What rules ask of an event; `regions` are its own, else those of its topic."""

    type_name: str
    regions: frozenset[str]
    attributes: Mapping[str, str]
    data: object


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """A subscription, all of an application's subscriptions, or, with neither, everybody."""

    application_id: UUID | None = None
    subscription_id: UUID | None = None

    @property
    def is_everybody(self) -> bool:
        """Tell whether no one in particular is meant."""
        return self.application_id is None and self.subscription_id is None

    def has(self, one: Standing) -> bool:
        """Tell whether a subscription is meant."""
        if self.subscription_id is not None:
            return one.id == self.subscription_id
        return self.application_id in (None, one.application_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule in one version; empty `event_types` and `regions` and no `filter` match all.

    `sends_to` is None for the actions that send nothing.
    """

    id: UUID
    number: int
    version: int
    name: str
    action: RuleAction
    event_types: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    filter: CompiledFilter | None = None
    concerns: Party = Party()
    sends_to: Party | None = None

    def matches(self, facts: Facts) -> bool:
        """Tell whether the rule speaks of an event at all."""
        if self.event_types and facts.type_name not in self.event_types:
            return False
        if self.regions and not self.regions & facts.regions:
            return False
        return self.filter is None or self.filter.matches(facts.attributes, facts.data)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruling:
    """What a rule decided for one subscription."""

    rule: Rule
    subscription_id: UUID
    effect: RuleEffect

    @property
    def is_kept_away(self) -> bool:
        """Tell whether the subscription gets nothing."""
        return self.effect in (RuleEffect.DENIED, RuleEffect.REPLACED)


def decide(
    rules: Sequence[Rule],
    facts: Facts,
    *,
    standing: Sequence[Standing],
    wanting: Collection[UUID],
    able: Collection[UUID],
) -> dict[UUID, Ruling]:
    """Return what the rules decide, by subscription; those that no rule speaks of are left out.

    `wanting` are the subscriptions that asked for the event, `able` those that could read it, which
    are all that can be added. Each rule is asked once, so the work is bounded by their number.
    """
    found: dict[UUID, Ruling] = {}
    for rule in rules:
        if rule.matches(facts):
            _apply(rule, standing, wanting, able, found)
    return found


def _apply(
    rule: Rule,
    standing: Sequence[Standing],
    wanting: Collection[UUID],
    able: Collection[UUID],
    found: dict[UUID, Ruling],
) -> None:
    concerned = [
        one.id
        for one in standing
        if one.id in wanting and one.id not in found and rule.concerns.has(one)
    ]
    added = [
        one.id
        for one in standing
        if rule.sends_to is not None
        and one.id in able
        and one.id not in found
        and rule.sends_to.has(one)
    ]
    match rule.action:
        case RuleAction.ALLOW:
            effects = dict.fromkeys(concerned, RuleEffect.ALLOWED)
        case RuleAction.DENY:
            effects = dict.fromkeys(concerned, RuleEffect.DENIED)
        case RuleAction.SEND_ALSO:
            effects = dict.fromkeys(added, RuleEffect.ADDED)
        case RuleAction.SEND_INSTEAD:
            replaced = set(concerned) - set(added)
            if not replaced and not rule.concerns.is_everybody:
                return
            effects = dict.fromkeys(replaced, RuleEffect.REPLACED)
            effects |= dict.fromkeys(added, RuleEffect.ADDED)
    for subscription_id, effect in effects.items():
        found[subscription_id] = Ruling(rule=rule, subscription_id=subscription_id, effect=effect)
