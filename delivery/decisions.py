"""What routing rules decided of an event, as it was recorded, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from catalog.models import User
from delivery import routing_words
from delivery.models import Event, RoutingDecision, RoutingRule, Subscription
from governance import access
from governance.actions import Action

MOST_DECISIONS = 200  # what one page shows of an event

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a rule decided for one subscription; `may_open` tells whether the viewer may see it."""

    subscription: Subscription
    rule: RoutingRule
    rule_version: int
    effect: str
    sentence: str
    may_open: bool


def of(event: Event, *, viewer: User) -> Sequence[Decision]:
    """Return what was decided for the subscriptions that the viewer may see, in their order."""
    return of_each([event.pk], viewer=viewer).get(event.pk, [])


def of_each(event_ids: Collection[UUID], *, viewer: User) -> Mapping[UUID, Sequence[Decision]]:
    """Return what `of` does for each event that a rule decided of, in a fixed number of queries."""
    rows = list(
        RoutingDecision.objects.filter(event_id__in=event_ids)
        .select_related("rule", "subscription__application")
        .order_by("pk")[: MOST_DECISIONS * len(event_ids)]
    )
    if not rows:
        return {}
    ids = {row.subscription_id for row in rows}
    seen = access.restrict(
        Subscription.objects.filter(pk__in=ids), viewer, Action.SUBSCRIPTION_VIEW
    )
    shown = set(seen.values_list("pk", flat=True))
    rules = RoutingRule.objects.filter(pk__in={row.rule_id for row in rows})
    opened = set(
        access.restrict(rules, viewer, Action.ROUTING_RULE_VIEW).values_list("pk", flat=True)
    )
    found: dict[UUID, list[Decision]] = {}
    for row in sorted(rows, key=lambda row: row.subscription.number):
        if row.subscription_id in shown:
            found.setdefault(row.event_id, []).append(
                Decision(
                    subscription=row.subscription,
                    rule=row.rule,
                    rule_version=row.rule_version,
                    effect=row.effect,
                    sentence=in_words(row),
                    may_open=row.rule_id in opened,
                )
            )
    return found


def by_delivery(pairs: Collection[Pair]) -> Mapping[Pair, str]:
    """Return the sentence of each (event, subscription) of which a rule decided, in one query."""
    rows = RoutingDecision.objects.filter(event_id__in={event for event, _who in pairs})
    return {
        (row.event_id, row.subscription_id): in_words(row)
        for row in rows.select_related("rule")
        if (row.event_id, row.subscription_id) in pairs
    }


def in_words(row: RoutingDecision) -> str:
    """Return what was decided, by which rule in which version."""
    rule = row.rule
    return routing_words.ruling_in_words(
        row.effect, number=rule.number, name=rule.name, version=row.rule_version
    )
