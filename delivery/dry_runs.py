"""What a proposed routing rule would have done with the events that were recorded last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings

from catalog.models import Topic
from delivery import routing, routing_rules
from delivery.knowledge import current
from delivery.known import Knowledge, RuleBook
from delivery.models import Event, Payload, RoutingRule
from delivery.rules import Rule
from delivery.verdicts import Judged, Verdict

RECENT_EVENTS = 500  # `CONTRACT_TRAFFIC_EVENTS` in the settings overrides it, as for contracts


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """An event that would go another way: to whom too, to whom no more, and who may not have it.

    `held` are those that the rule adds, and a grant or the regions keep out.
    """

    event: Event
    gained: tuple[Judged, ...]
    lost: tuple[Judged, ...]
    held: tuple[Judged, ...]


@dataclass(kw_only=True, slots=True)
class DryRun:
    """How many events were looked at, how many the rule matches, and what changes for which."""

    total: int = 0
    matched: int = 0
    moved: list[Moved] = field(default_factory=list)

    @property
    def changed(self) -> list[Moved]:
        """Return the events that would go to somebody else than today."""
        return [one for one in self.moved if one.gained or one.lost]


def of(rule: RoutingRule, *, now: datetime) -> DryRun:
    """Judge the last events of the rule's topic and environment with and without the rule.

    `rule` is a draft (`routing_rules.drafted`); subscriptions, grants and all other rules are
    today's. A fixed number of queries. Raises `knowledge.Stale`.
    """
    known = current()
    others = list(routing_rules.in_force(rule.topic, rule.environment))
    before, after = routing_rules.compiled(others), _with(rule, others)
    (mine,) = routing_rules.compiled([rule])
    found = DryRun()
    for event, text in recent_events(rule.topic, rule.environment):
        _look_at(event, text, known, mine=mine, before=before, after=after, now=now, found=found)
    return found


def recent_events(
    topic: Topic, environment: str, *, limit: int | None = None
) -> list[tuple[Event, str]]:
    """Return the latest events of a topic that still have their data as text, newest first."""
    most = limit or getattr(settings, "CONTRACT_TRAFFIC_EVENTS", RECENT_EVENTS)
    types = list(topic.event_types.values_list("pk", flat=True))
    rows = list(
        Event.objects.filter(type__in=types, environment=environment)
        .with_names()
        .order_by("-id")[:most]
    )
    texts: Mapping[UUID, str] = dict(
        Payload.objects.filter(event_id__in=[row.pk for row in rows]).values_list(
            "event_id", "data"
        )
    )
    return [(row, texts[row.pk]) for row in rows if row.pk in texts]


def _with(rule: RoutingRule, others: Sequence[RoutingRule]) -> tuple[Rule, ...]:
    """Return the rules in force as they would be; a new one stands behind those of its position."""
    rows = [one for one in others if one.pk != rule.pk]
    rows += [rule] if rule.is_active else []
    return routing_rules.compiled(sorted(rows, key=routing_rules.place))


def _look_at(
    event: Event,
    text: str,
    known: Knowledge,
    *,
    mine: Rule,
    before: Sequence[Rule],
    after: Sequence[Rule],
    now: datetime,
    found: DryRun,
) -> None:
    accepted = routing.of_row(known, event, text)
    if accepted is None:
        return
    found.total += 1
    found.matched += mine.matches(routing.facts(accepted, [mine]))
    standing = known.subscriptions.get((accepted.topic.id, event.environment), ())
    was = routing.judge(accepted, RuleBook(rules=tuple(before), standing=standing), now)
    then = routing.judge(accepted, RuleBook(rules=tuple(after), standing=standing), now)
    pairs = list(zip(was, then, strict=True))
    moved = Moved(
        event=event,
        gained=tuple(new for old, new in pairs if _gets(new) and not _gets(old)),
        lost=tuple(new for old, new in pairs if _gets(old) and not _gets(new)),
        held=tuple(new for _old, new in pairs if _is_held(new, mine)),
    )
    if moved.gained or moved.lost or moved.held:
        found.moved.append(moved)


def _gets(one: Judged) -> bool:
    return one.verdict is Verdict.DELIVER


def _is_held(one: Judged, mine: Rule) -> bool:
    ruling = one.ruling
    return (
        ruling is not None
        and ruling.rule.id == mine.id
        and not ruling.is_kept_away
        and one.verdict is Verdict.SKIP
    )
