"""The check of a proposed topic policy: what it changes, and what that means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import Region, Team, Topic
from governance import checks, proposals
from governance.checks import Answer
from governance.differences import plain
from governance.models import ChangeRequest
from governance.proposals import TopicPolicy, at
from governance.states import ChangeKind, Outcome

PROMISES = "promises"


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
        if before != after:
            yield {
                "field": name,
                "label": str(Topic._meta.get_field(name).verbose_name),  # type: ignore[union-attr]
                "before": before,
                "after": after,
                "message": _warning(name, before, after),
            }


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
