"""The checks of a proposed routing rule: what changes, whether it can work, what traffic says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from delivery import diagnosis, dry_runs, routing_rules, rule_proposals, rule_words
from delivery.dry_runs import DryRun, Moved
from delivery.knowledge import Stale
from delivery.models import RoutingRule, Subscription
from delivery.routing_rules import drafted, in_force
from delivery.rule_proposals import RuleProposal
from delivery.verdicts import Judged
from governance import checks, proposals
from governance.access import entitlements
from governance.checks import Answer, Weight
from governance.models import ChangeRequest
from governance.reviews import APPLIERS
from governance.states import ChangeKind, Outcome, Verb

CHANGES = "rule_changes"
POSSIBLE = "rule_possible"
DRY_RUN = "rule_dry_run"
SHOWN_EVENTS = 8
LABELS: Mapping[str, object] = {
    "name": _lazy("Name"),
    "environment": _lazy("Environment"),
    "position": _lazy("Position"),
    "is_active": _lazy("In force"),
    "action": _lazy("What it does"),
    "event_types": _lazy("Event types"),
    "regions": _lazy("Bound to"),
    "filter": _lazy("Filter"),
    "condition": _lazy("Condition on the data"),
    "concerns": _lazy("Whom it concerns"),
    "sends_to": _lazy("Sends to"),
}


def check_changes(change: ChangeRequest, now: datetime) -> Answer | None:
    """Say the rule in a sentence, and each value that changes, before and after."""
    del now
    found = _draft(change)
    if found is None:
        return None
    proposal, rule = found
    standing = proposal.standing(change.topic)
    rows = list(differences(proposal, standing))
    before = rule_words.sentence(standing) if standing else _("There is no such rule.")
    after = rule_words.sentence(rule) if rule.is_active else _("The rule is not in force any more.")
    return Answer(
        outcome=Outcome.PASSED if rows else Outcome.ADVICE,
        summary=after if rows else _("The rule says all this already."),
        findings=[{"label": _("The rule"), "before": before, "after": after}, *rows],
    )


def differences(
    proposal: RuleProposal, standing: RoutingRule | None
) -> Iterator[dict[str, object]]:
    """Yield {field, label, before, after} for each value that would change."""
    was = rule_proposals.of_rule(standing) if standing else {}
    for name, label in LABELS.items():
        before, after = was.get(name, ""), getattr(proposal, name)
        if _plain(before) != _plain(after):
            yield {
                "field": name,
                "label": str(label),
                "before": _plain(before),
                "after": _plain(after),
            }


def check_possible(change: ChangeRequest, now: datetime) -> Answer:
    """See that the rule can do what it says: who it names is there, may have it, and where."""
    proposal = _proposal(change)
    try:
        problems = list(proposal.problems()) or list(proposal.unknown_names(change.topic))
        rule = None if problems else _drafted(change, proposal)
    except ValidationError as error:
        problems, rule = error.error_list, None
    if rule is None:
        return Answer(
            outcome=Outcome.FAILED,
            summary=_("The rule cannot work: %s") % problems[0].messages[0],
            findings=[{"message": one.messages[0]} for one in problems],
        )
    warnings = list(_warnings(rule, now)) if rule.is_active else []
    return Answer(
        outcome=Outcome.ADVICE if warnings else Outcome.PASSED,
        summary=warnings[0] if warnings else _("Whom it names is there and may have the events."),
        findings=[{"message": one} for one in warnings],
    )


def check_dry_run(change: ChangeRequest, now: datetime) -> Answer | None:
    """Say what the rule would have done with the last events, with examples.

    Findings: the counts, then one for each subscriber it touches, then events.
    """
    found = _draft(change)
    if found is None:
        return None
    try:
        run = dry_runs.of(found[1], now=now)
    except Stale:
        summary = _("Nobody can tell just now what events do. Run the checks again.")
        return Answer(outcome=Outcome.UNDECIDED, summary=summary)
    if not run.total:
        return Answer(outcome=Outcome.PASSED, summary=_("No event is recorded yet to try it on."))
    counts: dict[str, object] = {
        "total": run.total,
        "matched": run.matched,
        "changed": len(run.changed),
    }
    subscriptions = _named(run)
    return Answer(
        outcome=Outcome.ADVICE if run.changed or not run.matched else Outcome.PASSED,
        summary=_in_words(run),
        findings=[
            {**counts},
            *_by_subscriber(run, subscriptions),
            *(_example(one, subscriptions) for one in run.moved[:SHOWN_EVENTS]),
        ],
    )


def _proposal(change: ChangeRequest) -> RuleProposal:
    proposal = proposals.of(change)
    if not isinstance(proposal, RuleProposal):
        raise ValidationError(_("The request proposes no routing rule."))
    return proposal


def _drafted(change: ChangeRequest, proposal: RuleProposal) -> RoutingRule:
    return drafted(proposal, topic=change.topic, standing=proposal.standing(change.topic))


def _draft(change: ChangeRequest) -> tuple[RuleProposal, RoutingRule] | None:
    """Return the rule as it would be; None where it cannot be, which `check_possible` says."""
    proposal = _proposal(change)
    try:
        return proposal, _drafted(change, proposal)
    except ValidationError:
        return None


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _warnings(rule: RoutingRule, now: datetime) -> Iterator[str]:
    same_place = in_force(rule.topic, rule.environment).filter(position=rule.position)
    other = same_place.exclude(pk=rule.pk).first()
    if other is not None:
        words = {"rule": other, "position": rule.position}
        yield (
            _("%(rule)s stands at position %(position)s too: the older one is asked first.") % words
        )
    target = rule.to_application or (rule.to_subscription and rule.to_subscription.application)
    if target is None:
        return
    held = entitlements(now)
    words = {"name": target.name, "topic": rule.topic.name}
    if not held.allows(target.pk, Verb.SUBSCRIBE, rule.topic_id, rule.environment, now):
        yield _("%(name)s may not subscribe to %(topic)s: until it may, it gets nothing.") % words
    if rule.to_application is not None and not _subscribes(rule):
        yield (
            _("%(name)s has no subscription of %(topic)s here: until it has, it gets nothing.")
            % words
        )
    for one in _targets(rule):
        region = one.endpoint.region_id if one.endpoint else one.application.region_id
        if rule.topic.regions and region not in rule.topic.regions:
            words = {"name": one.name, "region": region, "bound": ", ".join(rule.topic.regions)}
            yield _("%(name)s is in %(region)s; events of the topic stay in %(bound)s.") % words


def _targets(rule: RoutingRule) -> list[Subscription]:
    here = Subscription.objects.standing().filter(topic=rule.topic, environment=rule.environment)
    if rule.to_subscription_id is not None:
        here = here.filter(pk=rule.to_subscription_id)
    else:
        here = here.filter(application=rule.to_application_id)
    return list(here.select_related("endpoint", "application"))


def _subscribes(rule: RoutingRule) -> bool:
    return bool(_targets(rule))


def _in_words(run: DryRun) -> str:
    words = {"total": run.total, "matched": run.matched, "changed": len(run.changed)}
    if not run.matched:
        return _("It matches none of the last %(total)s events.") % words
    if not run.changed:
        told = _("It matches %(matched)s of the last %(total)s events; none would go another way.")
        return told % words
    away = sum(bool(one.lost) for one in run.changed)
    more = sum(bool(one.gained) for one in run.changed)
    parts = []
    if away:
        parts.append(
            ngettext(
                "%(n)s would not go to all that get it today",
                "%(n)s would not go to all that get them today",
                away,
            )
            % {"n": away}
        )
    if more:
        parts.append(_("%(n)s would go to others") % {"n": more})
    return _("Of the last %(total)s events it matches %(matched)s: %(what)s.") % {
        **words,
        "what": _(" and ").join(parts),
    }


def _named(run: DryRun) -> Mapping[UUID, Subscription]:
    ids = {
        judged.subscription.id
        for one in run.moved
        for judged in (*one.gained, *one.lost, *one.held)
    }
    return Subscription.objects.select_related("application").in_bulk(ids)


def _by_subscriber(
    run: DryRun, subscriptions: Mapping[UUID, Subscription]
) -> Iterator[dict[str, object]]:
    gained = _count([one.gained for one in run.moved])
    lost = _count([one.lost for one in run.moved])
    held = _count([one.held for one in run.moved])
    why = {judged.subscription.id: judged.reason for one in run.moved for judged in one.held}
    for pk in sorted({*gained, *lost, *held}, key=lambda pk: subscriptions[pk].number):
        row = subscriptions[pk]
        yield {
            "subscription": str(pk),
            "number": row.number,
            "name": row.name,
            "application": row.application.name,
            "gains": gained[pk],
            "loses": lost[pk],
            "held": held[pk],
            "held_because": str(diagnosis.explain_skip(why[pk])) if pk in why else "",
        }


def _count(groups: Sequence[Sequence[Judged]]) -> Counter[UUID]:
    return Counter(judged.subscription.id for group in groups for judged in group)


def _example(moved: Moved, subscriptions: Mapping[UUID, Subscription]) -> dict[str, object]:
    def names(judged: Sequence[Judged]) -> str:
        return ", ".join(subscriptions[one.subscription.id].name for one in judged)

    told = []
    if moved.lost:
        told.append(_("Not to %s any more.") % names(moved.lost))
    if moved.gained:
        told.append(_("To %s.") % names(moved.gained))
    if moved.held:
        told.append(_("Meant for %s, and held back.") % names(moved.held))
    event = moved.event
    return {
        "event": str(event.pk),
        "event_id": event.event_id,
        "title": event.type.title,
        "at": event.received_at.isoformat(),
        "because": " ".join(told),
    }


def register() -> None:
    """Add the kind's checks, and what applying it does, to governance's registries."""
    kinds = (ChangeKind.ROUTING_RULE,)
    checks.register(CHANGES, check_changes, kinds=kinds, order=10)
    checks.register(POSSIBLE, check_possible, kinds=kinds, weight=Weight.BLOCKS, order=20)
    checks.register(DRY_RUN, check_dry_run, kinds=kinds, order=30)
    APPLIERS[ChangeKind.ROUTING_RULE] = routing_rules.apply_change
