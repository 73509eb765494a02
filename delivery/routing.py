"""To whom an event goes, and for everybody else of the topic, why not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from delivery import envelopes, known, routing_words, rules
from delivery.edge import Accepted
from delivery.filters import CompiledFilter
from delivery.knowledge import current
from delivery.known import Knowledge, Publisher, RuleBook
from delivery.models import Event, Payload
from delivery.rules import Facts, Rule, Ruling
from delivery.states import SkipReason
from delivery.translating import Translation, TranslationFailed
from delivery.verdicts import Judged, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One subscription of the event's topic, the verdict on it, and a sentence that says why."""

    subscription: known.Subscription
    verdict: Verdict
    reason: str = ""
    sentence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owed:
    """A delivery to make, or, with a reason, one that a rule decided against."""

    subscription: known.Subscription
    skipped: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """What follows from one event: rows to write, and subscriptions that filtered it out."""

    owed: tuple[Owed, ...] = ()
    filtered: tuple[UUID, ...] = ()
    rulings: tuple[Ruling, ...] = ()


def route(event: Accepted, now: datetime) -> Route:
    """Pick the subscriptions that get the event, in the order of their numbers."""
    book = event.event_type.rules.get(event.publisher.environment)
    if book is not None:
        return _route_by(judge(event, book, now))
    owed: list[Owed] = []
    filtered: list[UUID] = []
    for subscription in event.event_type.wanted_by[event.publisher.environment]:
        verdict, reason = _judge(event, subscription, now)
        if verdict in (Verdict.DELIVER, Verdict.SKIP):
            owed.append(Owed(subscription=subscription, skipped=reason))
        elif verdict is Verdict.FILTERED:
            filtered.append(subscription.id)
    return Route(owed=tuple(owed), filtered=tuple(filtered))


def without(route: Route, spared: Collection[UUID]) -> Route:
    """Return the route with these subscriptions skipped: the event does not concern them."""
    return replace(
        route,
        owed=tuple(
            replace(one, skipped=SkipReason.NOT_CONCERNED.value)
            if one.subscription.id in spared and not one.skipped
            else one
            for one in route.owed
        ),
    )


def judge(event: Accepted, book: RuleBook, now: datetime) -> list[Judged]:
    """Return the verdict on each subscription of the book, by its rules; in the same order."""
    own = [(one, _wish(event, one)) for one in book.standing]
    rulings = rules.decide(
        book.rules,
        facts(event, book.rules),
        standing=book.standing,
        wanting={one.id for one, verdict in own if verdict is Verdict.DELIVER},
        able={one.id for one, _verdict in own if _can_read(event, one)},
    )
    return [_judged(event, one, verdict, rulings.get(one.id), now) for one, verdict in own]


def explain(event: Event, *, now: datetime) -> list[Choice]:
    """Say of each standing subscription of a stored event's topic whether it gets it, and why.

    It is judged by today's rules and in the order of the subscriptions' numbers; where the payload
    is gone, filters over the data cannot hold.
    """
    knowledge = current()
    text = Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()
    judged = of_row(knowledge, event, text)
    if judged is None:
        return []
    return list(choices(knowledge, judged, now))


def judge_again(
    knowledge: Knowledge, event: Event, text: str | None, subscription_id: UUID, *, now: datetime
) -> tuple[Verdict, str]:
    """Return today's verdict on a stored event for one subscription, with the reason of a skip.

    `text` is its payload. What no longer stands together, such as a subscription that has ended,
    is `OTHER_TYPE`.
    """
    judged = of_row(knowledge, event, text)
    if judged is None:
        return Verdict.OTHER_TYPE, ""
    book = book_of(knowledge, judged)
    if not book.rules:  # nobody else has a say in it
        alone = tuple(one for one in book.standing if one.id == subscription_id)
        book = replace(book, standing=alone)
    for one in judge(judged, book, now):
        if one.subscription.id == subscription_id:
            return one.verdict, one.reason
    return Verdict.OTHER_TYPE, ""


def choices(knowledge: Knowledge, event: Accepted, now: datetime) -> Iterator[Choice]:
    """Yield the same for an event that just passed the edge."""
    for one in judge(event, book_of(knowledge, event), now):
        yield Choice(
            subscription=one.subscription,
            verdict=one.verdict,
            reason=one.reason,
            sentence=routing_words.sentence(event, one, translation_for(event, one.subscription)),
        )


def book_of(knowledge: Knowledge, event: Accepted) -> RuleBook:
    """Return the rules for an event, none perhaps, with all subscriptions of its place."""
    environment = event.publisher.environment
    found = event.event_type.rules.get(environment)
    if found is not None:
        return found
    place = (event.topic.id, environment)
    return RuleBook(rules=(), standing=knowledge.subscriptions.get(place, ()))


def of_row(knowledge: Knowledge, event: Event, text: str | None) -> Accepted | None:
    """Return a stored event as routing saw it when it came; None for a type that is no more."""
    event_type = knowledge.event_types.get(event.type.name)
    if event_type is None:
        return None
    envelope = envelopes.envelope_of(event, text, type_name=event_type.name)
    version = event.version
    return Accepted(
        envelope=replace(envelope, data=json.loads(text)) if text else envelope,
        extensions=envelope.extensions,
        publisher=Publisher(application_id=event.application_id, environment=event.environment),
        event_type=event_type,
        version=known.Version(
            id=version.pk,
            number=version.version,
            major=version.major,
            sha256=version.document_sha256,
            document="",
            deprecated_at=None,
            sunset_at=None,
            replacement=None,
        ),
        regions=tuple(event.regions),
        partition_key=event.partition_key,
        content=b"",
        hops=event.hops,
    )


def _judge(event: Accepted, subscription: known.Subscription, now: datetime) -> tuple[Verdict, str]:
    verdict = _wish(event, subscription)
    if verdict is not Verdict.DELIVER:
        return verdict, ""
    return _allowed(event, subscription, now)


def _wish(event: Accepted, subscription: known.Subscription) -> Verdict:
    """Return whether the subscription asks for the event, as `DELIVER` or why not."""
    if subscription.event_types and event.event_type.name not in subscription.event_types:
        return Verdict.OTHER_TYPE
    if not _can_read(event, subscription):
        return Verdict.OTHER_VERSION
    wanted = subscription.filter
    if wanted is not None and not _passes(wanted, event, translation_for(event, subscription)):
        return Verdict.FILTERED
    return Verdict.DELIVER


def _can_read(event: Accepted, subscription: known.Subscription) -> bool:
    """Tell whether the event is of the version that it is pinned to, or can be converted."""
    if subscription.version_pin in (None, event.version.major):
        return True
    return translation_for(event, subscription) is not None


def _allowed(
    event: Accepted, subscription: known.Subscription, now: datetime
) -> tuple[Verdict, str]:
    """Return whether the event may go there: a grant is asked for, and the regions."""
    if subscription.entitled_until <= now:
        return Verdict.SKIP, SkipReason.NO_GRANT.value
    if not _may_go(event, subscription.region):
        return Verdict.SKIP, SkipReason.RESIDENCY.value
    return Verdict.DELIVER, ""


def translation_for(event: Accepted, subscription: known.Subscription) -> Translation | None:
    """Return what converts the event for the subscriber; None where nothing is needed, or known."""
    pin = subscription.version_pin
    if pin is None or pin == event.version.major:
        return None
    place = (event.version.id, event.publisher.environment)
    return event.event_type.translations.get(place, {}).get(pin)


def _passes(wanted: CompiledFilter, event: Accepted, translation: Translation | None) -> bool:
    """Tell whether the filter lets the event through, as its subscriber would get it."""
    data = event.envelope.data
    try:
        data = data if translation is None else translation.convert(data)
    except TranslationFailed:
        return True  # it is owed: the delivery dies of it, says so, and can be replayed
    return wanted.matches(event.attributes(), data)


def _judged(
    event: Accepted,
    subscription: known.Subscription,
    wish: Verdict,
    ruling: Ruling | None,
    now: datetime,
) -> Judged:
    verdict, reason = wish, ""
    if ruling is not None and ruling.is_kept_away:
        verdict, reason = Verdict.SKIP, SkipReason.RULE.value
    elif ruling is not None or wish is Verdict.DELIVER:
        verdict, reason = _allowed(event, subscription, now)
    return Judged(subscription=subscription, verdict=verdict, reason=reason, ruling=ruling)


def _route_by(found: Iterable[Judged]) -> Route:
    owed: list[Owed] = []
    filtered: list[UUID] = []
    rulings: list[Ruling] = []
    for one in found:
        if one.verdict in (Verdict.DELIVER, Verdict.SKIP):
            owed.append(Owed(subscription=one.subscription, skipped=one.reason))
        elif one.verdict is Verdict.FILTERED:
            filtered.append(one.subscription.id)
        if one.ruling is not None:
            rulings.append(one.ruling)
    return Route(owed=tuple(owed), filtered=tuple(filtered), rulings=tuple(rulings))


def facts(event: Accepted, asked: Sequence[Rule]) -> Facts:
    """Return the event as rules see it; attributes only where one looks at them."""
    is_filtered = any(rule.filter is not None for rule in asked)
    return Facts(
        type_name=event.event_type.name,
        regions=frozenset(event.regions) or event.topic.regions,
        attributes=event.attributes() if is_filtered else {},
        data=event.envelope.data,
    )


def _may_go(event: Accepted, region: str) -> bool:
    bound = event.topic.regions
    return (not bound or region in bound) and (not event.regions or region in event.regions)
