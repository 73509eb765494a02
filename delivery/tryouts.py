"""What a subscription would have received: its choice, tried on recorded events without saving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from catalog import referring, schemas
from catalog.ids import uuid7
from catalog.models import Topic, User
from delivery import filters, known, routing, routing_words
from delivery.edge import Accepted
from delivery.knowledge import current
from delivery.known import RuleBook
from delivery.models import Event, Payload
from delivery.verdicts import Verdict
from governance import access
from governance.access.entitlements import FOREVER
from governance.actions import Action

DEFAULT_EVENTS = 40
MAX_EVENTS = 200
SHOWN_REASONS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What a subscription would ask for; empty `event_types` mean all of the topic."""

    topic: Topic
    environment: str
    event_types: Sequence[str] = ()
    version_pin: int | None = None
    filter: object = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One recorded event: whether it would have come, and why."""

    event: Event
    would_come: bool
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TryOut:
    """The trials, newest first; `is_masked` where personal fields were hidden from the choice."""

    trials: Sequence[Trial]
    is_masked: bool

    @property
    def total(self) -> int:
        """Return on how many events it was tried."""
        return len(self.trials)

    @property
    def matched(self) -> int:
        """Return how many would have come."""
        return sum(trial.would_come for trial in self.trials)

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Return why the others would not, the most frequent reasons first, with counts."""
        left = Counter(trial.sentence for trial in self.trials if not trial.would_come)
        return left.most_common(SHOWN_REASONS)

    @property
    def sentence(self) -> str:
        """Return the outcome in a sentence."""
        words = {"n": self.matched, "total": self.total}
        if not self.total:
            return _("No event is recorded here yet whose data you may see.")
        told = _("It would have received %(n)s of the last %(total)s events") % words
        if not self.reasons:
            return told + "."
        return _("%(told)s, because: %(why)s") % {"told": told, "why": self.reasons[0][0]}


def of(choice: Choice, *, viewer: User, limit: int = DEFAULT_EVENTS, now: datetime) -> TryOut:
    """Try a choice on the latest events whose data the viewer may see; a few queries in all.

    What a choice lets pass tells of the data: fields that the viewer may not see are masked before
    the filter looks at them. Grants, regions and routing rules are not asked. Raises
    `filters.InvalidFilter` and `knowledge.Stale`.
    """
    compiled = filters.compile(choice.filter)
    rows = _events(choice, viewer, min(limit, MAX_EVENTS))
    ids = [row.pk for row in rows]
    payloads = dict(Payload.objects.filter(pk__in=ids).values_list("event_id", "data"))
    whole = _whole(ids, viewer)
    knowledge = current()
    subscription = _subscription(choice, compiled)
    trials, is_masked = [], False
    for row in rows:
        accepted = routing.of_row(knowledge, row, payloads.get(row.pk))
        if accepted is None or row.pk not in payloads:
            continue
        if row.pk not in whole:
            masked = _masked(accepted, row)
            is_masked |= masked.envelope.data != accepted.envelope.data
            accepted = masked
        trials.append(_tried(row, accepted, subscription, now))
    return TryOut(trials=trials, is_masked=is_masked)


def _events(choice: Choice, viewer: User, limit: int) -> list[Event]:
    types = list(choice.topic.event_types.values_list("pk", flat=True))
    found = Event.objects.filter(type__in=types, environment=choice.environment)
    seen = access.restrict(found, viewer, Action.PAYLOAD_VIEW)
    return list(seen.with_names().order_by("-id")[:limit])


def _whole(ids: Sequence[UUID], viewer: User) -> set[UUID]:
    rows = access.restrict(Event.objects.filter(pk__in=ids), viewer, Action.SENSITIVE_VIEW)
    return set(rows.order_by().values_list("pk", flat=True))


def _masked(accepted: Accepted, row: Event) -> Accepted:
    data = schemas.mask(accepted.envelope.data, row.version.document, resolve=referring.resolve)
    return replace(accepted, envelope=replace(accepted.envelope, data=data))


def _subscription(choice: Choice, compiled: filters.CompiledFilter) -> known.Subscription:
    """Return the order as routing would see it, with nothing that stands against it."""
    return known.Subscription(
        id=uuid7(),
        number=0,
        application_id=uuid7(),
        event_types=frozenset(choice.event_types),
        version_pin=choice.version_pin,
        filter=compiled,
        entitled_until=FOREVER,
        region="",
        is_ordered=False,
        is_pull=False,
    )


def _tried(
    row: Event, accepted: Accepted, subscription: known.Subscription, now: datetime
) -> Trial:
    here = replace(subscription, region=next(iter(_regions(accepted)), ""))
    (judged,) = routing.judge(accepted, RuleBook(rules=(), standing=(here,)), now)
    would_come = judged.verdict is Verdict.DELIVER
    told = routing_words.sentence(accepted, judged, routing.translation_for(accepted, here))
    if would_come and subscription.filter is not None:
        told = subscription.filter.explain(accepted.attributes(), accepted.envelope.data).sentence
    return Trial(event=row, would_come=would_come, sentence=told)


def _regions(accepted: Accepted) -> Sequence[str]:
    """Return where the event may be, so that the try-out is of the choice alone."""
    bound = accepted.topic.regions
    return [one for one in accepted.regions if not bound or one in bound] or sorted(bound)


def told(tried: TryOut) -> Mapping[str, object]:
    """Return the outcome as the API answers it."""
    return {
        "total": tried.total,
        "matched": tried.matched,
        "is_masked": tried.is_masked,
        "sentence": tried.sentence,
        "reasons": [{"sentence": text, "count": count} for text, count in tried.reasons],
        "events": [
            {
                "id": trial.event.pk,
                "event_id": trial.event.event_id,
                "type": trial.event.type.name,
                "received_at": trial.event.received_at,
                "would_receive": trial.would_come,
                "reason": trial.sentence,
            }
            for trial in tried.trials
        ],
    }
