"""The check of a proposed topic policy: what it changes, and what that means."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import schemas
from catalog.house_rules import HouseRule, Weight
from catalog.models import Region, SchemaVersion, Team, Topic
from catalog.words import ReleaseState
from governance import checks, house_rules, proposal_checks, proposals
from governance.checks import Answer
from governance.differences import plain
from governance.models import ChangeRequest
from governance.proposals import TopicPolicy, at
from governance.states import ChangeKind, Outcome

PROMISES = "promises"
CONTRACTS = "contracts_of_the_topic"
# Promises that decide what a contract of the topic breaks.
_OF_CONTRACTS = frozenset({"house_rules", "field_case", "payload_ceiling_bytes"})


def check(change: ChangeRequest, now: datetime) -> Answer:
    """List each promise that changes, before and after, with a warning where someone is hurt."""
    del now
    found = list(differences(change))
    warnings = [row for row in found if row["message"]]
    if not found:
        summary = _("The topic says all this already.")
    else:
        summary = _("%(n)s promises change.") % {"n": len(found)}
    return Answer(
        outcome=Outcome.ADVICE if warnings or not found else Outcome.PASSED,
        summary=summary,
        findings=found,
    )


def differences(change: ChangeRequest) -> Iterator[dict[str, object]]:
    """Yield {field, label, before, after, message} for each promise that would change."""
    proposal = proposals.of(change)
    if not isinstance(proposal, TopicPolicy):
        return
    topic = change.topic
    for name, after in proposal.values.items():
        before = topic.owner.slug if name == "owner" else plain(getattr(topic, name))
        if name == "house_rules":
            yield from _weighed(topic, after if isinstance(after, Mapping) else {})
        elif before != after:
            yield {
                "field": name,
                "label": str(Topic._meta.get_field(name).verbose_name),  # type: ignore[union-attr]
                "before": before,
                "after": after,
                "message": _warning(name, before, after),
            }


def _weighed(topic: Topic, after: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """Yield the same for each rule that would weigh something else, or by another's word."""
    today = house_rules.policy_of(topic)
    then = replace(today, topic=after)
    for rule in HouseRule:
        if today.of(rule) != then.of(rule):
            yield {
                "field": "house_rules",
                "label": _("House rule: %s") % rule.label,
                "before": house_rules.in_words(*today.of(rule)),
                "after": house_rules.in_words(*then.of(rule)),
                "message": "",
            }


def check_contracts(change: ChangeRequest, now: datetime) -> Answer | None:
    """Say which contracts that are in use would break what becomes an error."""
    del now
    proposal = proposals.of(change)
    if not isinstance(proposal, TopicPolicy) or not _OF_CONTRACTS & proposal.values.keys():
        return None
    found = list(_broken(change.topic, proposal.values))
    if not found:
        summary = _("No contract that is in use would break a rule that is an error then.")
        return Answer(outcome=Outcome.PASSED, summary=summary)
    count = len({row["contract"] for row in found})
    words = ngettext(
        "%(n)s contract in use breaks what would be an error. It stays; its next version mends it.",
        "%(n)s contracts in use break what would be an error. They stay; their next versions "
        "mend it.",
        count,
    )
    return Answer(outcome=Outcome.ADVICE, summary=words % {"n": count}, findings=found)


def _broken(topic: Topic, values: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yield what is no error today in the newest live contracts, and would be one."""
    then = copy.copy(topic)
    for name in _OF_CONTRACTS & values.keys():
        setattr(then, name, values[name])
    policies = house_rules.policy_of(topic), house_rules.policy_of(then)
    for version in _newest_in_use(topic):
        schema = schemas.read(version.document)
        today, later = (
            {(one.rule, one.pointer): one for one in found if one.weight is Weight.ERROR}
            for found in (
                proposal_checks.lint_findings(schema, place, policy)
                for place, policy in zip((topic, then), policies, strict=True)
            )
        )
        contract = f"{version.event_type.title} {version.version}"
        for key in later.keys() - today.keys():
            row = later[key].to_json()
            yield {**row, "contract": contract, "message": f"{contract}: {row['message']}"}


def _newest_in_use(topic: Topic) -> list[SchemaVersion]:
    rows = SchemaVersion.objects.filter(
        event_type__topic=topic, releases__state__in=(ReleaseState.LIVE, ReleaseState.DEPRECATED)
    )
    rows = rows.select_related("event_type").order_by("major", "minor", "patch", "pk")
    return list({one.event_type_id: one for one in rows}.values())


def _warning(name: str, before: object, after: object) -> str:
    if name == "regions":
        return _region_warning(before, after)
    is_less = isinstance(before, int) and isinstance(after, int) and after < before
    warnings: Mapping[str, str] = {
        "retention_days": _("Payloads older than that are deleted at the next clean-up."),
        "payload_ceiling_bytes": _("Publishers whose events are larger will be refused."),
    }
    if name in warnings and is_less:
        return warnings[name]
    if name == "is_restricted" and after is True:
        return _("Whoever has no grant will not see the topic any more.")
    return ""


def _region_warning(before: object, after: object) -> str:
    old = set(before) if isinstance(before, list) else set()
    new = set(after) if isinstance(after, list) else set()
    if new and (not old or old - new):
        return _("Subscribers elsewhere will get nothing any more; each delivery says so.")
    return ""


def refuse_unknown(proposal: TopicPolicy) -> None:
    """Raise `ValidationError` for a team or a region that does not exist."""
    problems = []
    owner = proposal.values.get("owner")
    if owner is not None and not Team.objects.filter(slug=str(owner)).exists():
        problems.append(at(_("There is no team %s.") % owner, "/owner"))
    regions = proposal.values.get("regions")
    if isinstance(regions, list):
        known = set(Region.objects.values_list("code", flat=True))
        problems += [
            at(_("There is no region %s here.") % one, "/regions")
            for one in regions
            if one not in known
        ]
    if problems:
        raise ValidationError(problems)


checks.register(PROMISES, check, kinds=(ChangeKind.TOPIC_POLICY,), order=10)
checks.register(CONTRACTS, check_contracts, kinds=(ChangeKind.TOPIC_POLICY,), order=20)
