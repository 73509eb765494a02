"""To whom an event goes, and for everybody else of the topic, why not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext as _

from delivery import envelopes, known
from delivery.edge import Accepted
from delivery.filters import CompiledFilter
from delivery.knowledge import current
from delivery.known import Knowledge, Publisher
from delivery.models import Event, Payload
from delivery.states import SkipReason
from delivery.translating import Translation, TranslationFailed


class Verdict(StrEnum):
    """What routing says of one subscription; all but the first two make no row."""

    DELIVER = "deliver"
    SKIP = "skip"
    OTHER_TYPE = "other_type"
    OTHER_VERSION = "other_version"
    FILTERED = "filtered"


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


def route(event: Accepted, now: datetime) -> Route:
    """Pick the subscriptions that get the event, in the order of their numbers."""
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


def explain(event: Event, *, now: datetime) -> list[Choice]:
    """Say of each standing subscription of a stored event's topic whether it gets it, and why.

    It is judged by today's rules and in the order of the subscriptions' numbers; where the payload
    is gone, filters over the data cannot hold.
    """
    knowledge = current()
    text = Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()
    judged = _of_row(knowledge, event, text)
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
    judged = _of_row(knowledge, event, text)
    if judged is None:
        return Verdict.OTHER_TYPE, ""
    for standing in knowledge.subscriptions.get((judged.topic.id, event.environment), ()):
        if standing.id == subscription_id:
            return _judge(judged, standing, now)
    return Verdict.OTHER_TYPE, ""


def choices(knowledge: Knowledge, event: Accepted, now: datetime) -> Iterator[Choice]:
    """Yield the same for an event that just passed the edge."""
    place = (event.topic.id, event.publisher.environment)
    for subscription in knowledge.subscriptions.get(place, ()):
        verdict, reason = _judge(event, subscription, now)
        yield Choice(
            subscription=subscription,
            verdict=verdict,
            reason=reason,
            sentence=_sentence(event, subscription, verdict, reason),
        )


def _of_row(knowledge: Knowledge, event: Event, text: str | None) -> Accepted | None:
    """Return a stored event as routing saw it when it came."""
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
    if subscription.event_types and event.event_type.name not in subscription.event_types:
        return Verdict.OTHER_TYPE, ""
    translation = _translation(event, subscription)
    if translation is None and subscription.version_pin not in (None, event.version.major):
        return Verdict.OTHER_VERSION, ""
    wanted = subscription.filter
    if wanted is not None and not _passes(wanted, event, translation):
        return Verdict.FILTERED, ""
    if subscription.entitled_until <= now:
        return Verdict.SKIP, SkipReason.NO_GRANT.value
    if not _may_go(event, subscription.region):
        return Verdict.SKIP, SkipReason.RESIDENCY.value
    return Verdict.DELIVER, ""


def _translation(event: Accepted, subscription: known.Subscription) -> Translation | None:
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


def _may_go(event: Accepted, region: str) -> bool:
    bound = event.topic.regions
    return (not bound or region in bound) and (not event.regions or region in event.regions)


def _sentence(
    event: Accepted,
    subscription: known.Subscription,
    verdict: Verdict,
    reason: str,
) -> str:
    match verdict:
        case Verdict.DELIVER:
            return _of_delivery(_translation(event, subscription))
        case Verdict.OTHER_TYPE:
            return _("It did not ask for %(type)s.") % {"type": event.event_type.name}
        case Verdict.OTHER_VERSION:
            return _(
                "It is pinned to version %(pin)s; this event is of version %(major)s, "
                "and there is no conversion between the two."
            ) % {"pin": subscription.version_pin, "major": event.version.major}
        case Verdict.FILTERED if subscription.filter is not None:
            attributes = event.attributes()
            translation = _translation(event, subscription)
            data = event.envelope.data
            if translation is not None:
                data = translation.convert(data)  # it held for the filter a moment ago
            explained = subscription.filter.explain(attributes, data)
            return _("Its filter leaves the event out. %(why)s") % {"why": explained.sentence}
    if reason == SkipReason.RESIDENCY:
        bound = sorted(event.regions or event.topic.regions)
        return _("The event stays in %(regions)s; this endpoint is in %(region)s.") % {
            "regions": ", ".join(bound),
            "region": subscription.region,
        }
    return _("Its application may not subscribe to %(topic)s here.") % {"topic": event.topic.name}


def _of_delivery(translation: Translation | None) -> str:
    if translation is None:
        return _("It wants this event, and nothing stands against it.")
    return _("It wants this event, converted from %(source)s to %(target)s.") % {
        "source": translation.source,
        "target": translation.target,
    }
