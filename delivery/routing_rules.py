"""Routing rules as they are stored: carrying out an approved change, and reading them for use."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalog.models import Topic, User
from catalog.moves import IllegalMove
from delivery import filters, rule_parties, rule_proposals
from delivery.models import RoutingRule
from delivery.rule_proposals import RuleProposal
from delivery.rules import Party, Rule
from delivery.states import RuleAction
from governance import access, proposals
from governance.actions import Action
from governance.governed import governed, record
from governance.models import ChangeRequest
from governance.proposals import at

MOST_RULES = 100  # in force of one topic and environment: what is asked for each of its events
BEHIND_ALL = 2**63

logger = logging.getLogger(__name__)


def with_names() -> QuerySet[RoutingRule]:
    """Return all rules in their order, with whom they name, in one query."""
    return RoutingRule.objects.select_related(
        "topic__owner",
        "concerns_application",
        "concerns_subscription__application",
        "to_application",
        "to_subscription__application",
        "change_request",
    ).order_by("topic__name", "environment", "position", "number")


def in_force(topic: Topic, environment: str) -> QuerySet[RoutingRule]:
    """Return the rules of a topic that hold there, in the order in which they are asked."""
    return with_names().filter(topic=topic, environment=environment, is_active=True)


def apply_change(change: ChangeRequest, by: User, now: datetime) -> None:
    """Write what an approved request proposes: a new rule, or the next version of one.

    Raises `IllegalMove` where the rule has changed since the request was written.
    """
    proposal = proposals.of(change)
    if not isinstance(proposal, RuleProposal):
        raise ValidationError(_("The request proposes no routing rule."))
    with governed(by=by, now=now, reason=change.reason):
        access.require(by, Action.ROUTING_RULE_CHANGE, change.topic, now=now)
        Topic.objects.select_for_update(of=("self",)).get(pk=change.topic_id)
        standing = proposal.standing(change.topic)
        _refuse_changed(proposal, standing, change)
        before = _for_ledger(standing) if standing else {}
        rule = drafted(proposal, topic=change.topic, standing=standing)
        _refuse_too_many(rule)
        rule.change_request, rule.changed_at = change, now
        rule.save()
        rule.refresh_from_db(fields=["number"])
        after = _for_ledger(rule)
        record(
            Action.ROUTING_RULE_CHANGE,
            rule,
            before={name: old for name, old in before.items() if old != after[name]},
            after={name: new for name, new in after.items() if new != before.get(name)},
            related=(change.topic, change.topic.owner),
        )


def drafted(
    proposal: RuleProposal, *, topic: Topic, standing: RoutingRule | None = None
) -> RoutingRule:
    """Return the rule as it would be, not saved: `standing` in its next version, or a new one.

    Raises `ValidationError` where it names somebody who is not there any more.
    """
    rule = standing or RoutingRule(topic=topic, environment=proposal.environment)
    found = {
        name: rule_parties.find(text, topic=topic, environment=proposal.environment)
        for name, text in (("concerns", proposal.concerns), ("sends_to", proposal.sends_to))
    }
    concerned, target = found["concerns"], found["sends_to"]
    if concerned is None or target is None:
        pointer = "/concerns" if concerned is None else "/sends_to"
        raise ValidationError([at(_("The subscriber that it names is not there."), pointer)])
    rule.name = proposal.name
    rule.position = proposal.position
    rule.is_active = proposal.is_active
    rule.action = proposal.action
    rule.event_types = list(proposal.event_types)
    rule.regions = list(proposal.regions)
    rule.filter = proposal.filter
    rule.condition = proposal.condition
    rule.concerns_application = concerned.application
    rule.concerns_subscription = concerned.subscription
    rule.to_application, rule.to_subscription = target.application, target.subscription
    rule.version = standing.version + 1 if standing else 1
    return rule


def compiled(rows: Sequence[RoutingRule]) -> tuple[Rule, ...]:
    """Return rules ready to decide, in their order; those of no number yet count as 0."""
    return tuple(_compiled(row) for row in rows)


def place(row: RoutingRule) -> tuple[int, int]:
    """Return where a rule stands among others; one that is not stored yet is the last there."""
    return row.position, BEHIND_ALL if row._state.adding else row.number


def _compiled(row: RoutingRule) -> Rule:
    is_sending = row.action in (RuleAction.SEND_ALSO, RuleAction.SEND_INSTEAD)
    parts: list[object] = [row.filter] if row.filter else []
    parts += [{"jmespath": row.condition}] if row.condition else []
    return Rule(
        id=row.pk,
        number=0 if row._state.adding else row.number,
        version=row.version,
        name=row.name,
        action=RuleAction(row.action),
        event_types=frozenset(row.event_types),
        regions=frozenset(row.regions),
        filter=_filter(json.dumps(parts, sort_keys=True)) if parts else None,
        concerns=Party(
            application_id=row.concerns_application_id,
            subscription_id=row.concerns_subscription_id,
        ),
        sends_to=Party(application_id=row.to_application_id, subscription_id=row.to_subscription_id)
        if is_sending
        else None,
    )


@lru_cache(maxsize=1_024)
def _filter(text: str) -> filters.CompiledFilter:
    try:
        return filters.compile(json.loads(text))
    except filters.InvalidFilter as error:
        # Every proposal is checked, so this one was written past the verbs: it matches nothing.
        logger.error("The filter of a routing rule cannot be read: %s", error)
        return filters.compile({"exact": {"unreadablefilter": "true"}})


def _refuse_changed(
    proposal: RuleProposal, standing: RoutingRule | None, change: ChangeRequest
) -> None:
    if proposal.rule is None:
        return
    if standing is None or standing.version != proposal.rule_version:
        raise IllegalMove(
            _("RR-%s has changed since this was written. Edit the request and look at it again.")
            % proposal.rule,
            current=change.state,
        )


def _refuse_too_many(rule: RoutingRule) -> None:
    if not rule.is_active:
        return
    others = RoutingRule.objects.filter(
        topic=rule.topic, environment=rule.environment, is_active=True
    ).exclude(pk=rule.pk)
    if others.count() >= MOST_RULES:
        message = _("A topic has at most %d rules in one environment: end one first.")
        raise ValidationError([at(message % MOST_RULES, "/is_active")])


def _for_ledger(rule: RoutingRule) -> dict[str, object]:
    values = {**rule_proposals.of_rule(rule), "rule_version": rule.version}
    values.pop("rule")
    told = rule_proposals.digests(values.pop("filter"), str(values.pop("condition")))
    return {**values, **told}
