"""An event's whole life: where it came from, what became of it, and what was made of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import schemas
from catalog.models import User
from delivery import configuration, diagnosis, envelopes, outgoing, routing
from delivery.cloudevents import to_structured_bytes
from delivery.endpoints import credentials_of
from delivery.knowledge import Stale
from delivery.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Event,
    Payload,
    QueueRow,
    Replay,
    Subscription,
)
from delivery.outgoing import Address, Message
from delivery.routing import Choice, Verdict
from delivery.states import AttemptOutcome, BodyMode, DeliveryStatus
from governance import access
from governance.actions import Action

Text = diagnosis.Text
MASK = "••••••"
# What one page shows; an event that was replayed more often than this is rare.
MOST_DELIVERIES = 200
MOST_ATTEMPTS = 1_000
MOST_RELATIVES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A payload as far as a person may see it; `data` is None where they see nothing of it."""

    data: object = None
    is_masked: bool = False
    is_hidden: bool = False
    is_gone: bool = False


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One delivery of the event with all that is known of it."""

    delivery: Delivery
    attempts: Sequence[Attempt] = ()
    queued: QueueRow | None = None
    letter: DeadLetter | None = None
    replay: Replay | None = None

    @property
    def state(self) -> str:
        """Return the status, `retrying` where it is owed and was tried."""
        if self.delivery.status == DeliveryStatus.PENDING and self.attempts:
            return "retrying"
        return str(self.delivery.status)

    @property
    def next_try_at(self) -> datetime | None:
        """Return when it is tried next; None when nothing is planned, as for a feed."""
        if self.queued is None or self.queued.due_at.year > 9000:
            return None
        return self.queued.due_at

    @property
    def last_failure(self) -> Attempt | None:
        """Return the last try when it failed."""
        last = self.attempts[-1] if self.attempts else None
        return last if last and last.outcome == AttemptOutcome.FAILED else None

    @property
    def told(self) -> diagnosis.Diagnosis | None:
        """Return what its last failure means; None when it did not fail last."""
        failed = self.last_failure
        if failed is None:
            return None
        kind = self.delivery.subscription.application.kind
        return diagnosis.explain(failed.error_class, failed.status_code, kind=kind)

    @property
    def reason(self) -> Text:
        """Return why it stands as it does, in words; empty where the state says it all."""
        match self.delivery.status:
            case DeliveryStatus.SKIPPED:
                return diagnosis.explain_skip(self.delivery.reason)
            case DeliveryStatus.DISCARDED:
                return self.delivery.reason
            case DeliveryStatus.DEAD | DeliveryStatus.PENDING if self.told:
                return self.told.what
        return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One thing that happened, as the timeline draws it."""

    at: datetime
    title: str
    icon: str
    tone: str = "idle"
    text: Text = ""
    by: str = ""
    page: str = ""
    key: object = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """A subscription of the topic that gets nothing of the event, and why."""

    subscription: Subscription
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Life:
    """All that a page says of an event; relatives are those that the viewer may see."""

    event: Event
    payload: Seen
    legs: Sequence[Leg]
    left_out: Sequence[LeftOut]
    causes: Sequence[Event]
    effects: Sequence[Event]
    origin: Event | None
    corrections: Sequence[Event]

    @property
    def arrived(self) -> int:
        """Return at how many subscriptions it arrived."""
        return len({leg.delivery.subscription_id for leg in self._in("delivered")})

    @property
    def missing(self) -> Sequence[Leg]:
        """Return what died and did not arrive there by a replay either."""
        there = {leg.delivery.subscription_id for leg in self._in("delivered")}
        return [leg for leg in self._in("dead") if leg.delivery.subscription_id not in there]

    @property
    def waiting(self) -> Sequence[Leg]:
        """Return what is still owed."""
        return [*self._in("pending"), *self._in("retrying")]

    @property
    def subscribers(self) -> int:
        """Return to how many subscriptions it goes or went."""
        return len({leg.delivery.subscription_id for leg in self.legs if leg.state != "skipped"})

    def _in(self, state: str) -> list[Leg]:
        return [leg for leg in self.legs if leg.state == state]


def of(event: Event, *, viewer: User, now: datetime) -> Life:
    """Return the life of an event; needs `with_names()`; a fixed number of queries."""
    here = Q(environment=event.environment)
    made_of_it = Q(causation_id__in=[event.event_id, str(event.pk)])
    made_by = Q(event_id=event.causation_id) | _by_key(event)
    return Life(
        event=event,
        payload=payload_of(event, viewer=viewer),
        legs=legs_of(_deliveries(event, viewer)),
        left_out=_left_out(event, viewer, now),
        causes=_relatives(event, viewer, here & made_by) if event.causation_id else [],
        effects=_relatives(event, viewer, here & made_of_it),
        origin=_origin(event, viewer),
        corrections=_relatives(event, viewer, here & Q(origin_id=event.pk)),
    )


def legs_of(deliveries: Sequence[Delivery]) -> list[Leg]:
    """Return deliveries with their tries, places in the queue, letters and replays: 4 queries."""
    ids = [one.pk for one in deliveries]
    tries: dict[UUID, list[Attempt]] = {pk: [] for pk in ids}
    for attempt in Attempt.objects.filter(delivery_id__in=ids).order_by("id")[:MOST_ATTEMPTS]:
        tries[attempt.delivery_id].append(attempt)
    queued = QueueRow.objects.in_bulk(ids)
    letters = DeadLetter.objects.select_related("failure_group").in_bulk(ids)
    replays = Replay.objects.select_related("requested_by").in_bulk(
        {one.replay_id for one in deliveries if one.replay_id}
    )
    return [
        Leg(
            delivery=one,
            attempts=tries[one.pk],
            queued=queued.get(one.pk),
            letter=letters.get(one.pk),
            replay=replays.get(one.replay_id) if one.replay_id else None,
        )
        for one in deliveries
    ]


def payload_of(event: Event, *, viewer: User) -> Seen:
    """Return an event's data as far as the viewer may see it, sensitive fields masked."""
    can = access.can(viewer, event, [Action.PAYLOAD_VIEW, Action.SENSITIVE_VIEW])
    if Action.PAYLOAD_VIEW not in can:
        return Seen(is_hidden=True)
    text = Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()
    if text is None:
        return Seen(is_gone=True)
    if not text:
        return Seen()
    data = json.loads(text)
    if Action.SENSITIVE_VIEW in can:
        return Seen(data=data)
    masked = schemas.mask(data, event.version.document)
    return Seen(data=masked, is_masked=masked != data)


def attributes_of(event: Event) -> list[tuple[str, str]]:
    """Return the CloudEvents attributes by their own names."""
    envelope = envelopes.envelope_of(event, None, type_name=event.type.name)
    document = json.loads(to_structured_bytes(envelope))
    return [(name, str(value)) for name, value in document.items() if value not in ("", None)]


def publish_command(event: Event, seen: Seen) -> str:
    """Return a shell command that publishes the same again; the key is left to fill in."""
    envelope = envelopes.envelope_of(event, None, type_name=event.type.name)
    document = json.loads(to_structured_bytes(envelope))
    if seen.data is not None:
        document["datacontenttype"] = "application/json"
        document["data"] = seen.data
    return _curl(
        f"{configuration.public_url()}/api/v1/events",
        [
            ("Authorization", "Bearer <your key>"),
            ("Content-Type", "application/cloudevents+json"),
        ],
        json.dumps(document, ensure_ascii=False, indent=1),
    )


def delivery_command(delivery: Delivery, seen: Seen, *, now: datetime) -> str:
    """Return the request to the endpoint as a shell command; secrets and signature are masked.

    Empty for a feed, and for a payload that the viewer may not see or that is gone. A mapped body
    is shown as the event's data: the mapping stands in the subscription.
    """
    subscription, event = delivery.subscription, delivery.event
    if subscription.endpoint is None or seen.is_hidden or seen.is_gone:
        return ""
    data = json.dumps(seen.data, ensure_ascii=False) if seen.data is not None else ""
    credentials = credentials_of(subscription.endpoint)
    headers = [(name, MASK) for name in credentials.headers]
    if credentials.auth is not None:
        headers.append(("authorization", MASK))
    built = outgoing.build(
        Message(
            event_id=event.pk,
            envelope=envelopes.envelope_of(event, data, type_name=event.type.name),
        ),
        Address(url=subscription.endpoint.url, region="", headers=tuple(headers)),
        mode=BodyMode(subscription.body),
        timeout_seconds=subscription.timeout_seconds,
        timestamp=int(now.timestamp()),
    )
    signed = [*built.headers, ("webhook-signature", MASK)]
    return _curl(built.url, signed, built.body.decode())


def moments(life: Life) -> list[Moment]:
    """Return what happened, oldest first; what is still to come stands last."""
    found = [*_beginning(life), *_tries(life), *_ends(life), *_relations(life)]
    return sorted(found, key=lambda one: one.at)


def _beginning(life: Life) -> Iterator[Moment]:
    event = life.event
    yield Moment(
        at=event.received_at,
        title=_("Received from %(application)s") % {"application": event.application.name},
        icon="inbox-arrow-down",
        tone="good",
        text=_(
            "It kept its contract, version %(version)s, and its application was allowed to "
            "publish to %(topic)s."
        )
        % {"version": event.version.version, "topic": event.type.topic.name},
    )
    first = [leg for leg in life.legs if leg.delivery.replay_id is None]
    goes = sum(leg.state != "skipped" for leg in first)
    text = ngettext("%(n)s delivery was made.", "%(n)s deliveries were made.", goes) % {"n": goes}
    if life.left_out:
        left = len(life.left_out)
        text += " " + ngettext(
            "%(n)s subscription was left out.", "%(n)s subscriptions were left out.", left
        ) % {"n": left}
    yield Moment(at=event.received_at, title=_("Routed"), icon="arrows-pointing-out", text=text)


def _tries(life: Life) -> Iterator[Moment]:
    for leg in life.legs:
        name = leg.delivery.subscription.name
        for attempt in leg.attempts:
            is_good = attempt.outcome == AttemptOutcome.DELIVERED
            words = {"name": name, "n": attempt.number, "answer": answer_of(attempt)}
            yield Moment(
                at=attempt.started_at,
                title=_("Arrived at %(name)s") % words
                if is_good
                else _("Try %(n)s at %(name)s failed: %(answer)s") % words,
                icon="check-circle" if is_good else "x-circle",
                tone="good" if is_good else "bad",
                text=_("Answered %(answer)s at try %(n)s.") % words
                if is_good
                else _told(attempt, leg.delivery.subscription),
                page="delivery:delivery-detail",
                key=leg.delivery.pk,
            )
        if leg.next_try_at and leg.attempts:
            yield Moment(
                at=leg.next_try_at,
                title=_("Next try at %(name)s") % {"name": name},
                icon="clock",
                page="delivery:delivery-detail",
                key=leg.delivery.pk,
            )


def _told(attempt: Attempt, subscription: Subscription) -> Text:
    kind = subscription.application.kind
    return diagnosis.explain(attempt.error_class, attempt.status_code, kind=kind).what


def answer_of(attempt: Attempt) -> str:
    """Return a status or the kind of failure, as a word."""
    if attempt.status_code:
        return str(attempt.status_code)
    return attempt.error_class.replace("_", " ") or str(AttemptOutcome(attempt.outcome).label)


_ENDS = {
    DeliveryStatus.DEAD: ("x-circle", "bad"),
    DeliveryStatus.SKIPPED: ("forward", "idle"),
    DeliveryStatus.DISCARDED: ("trash", "idle"),
}


def _ends(life: Life) -> Iterator[Moment]:
    titles = {
        DeliveryStatus.DEAD: _("Gave up on %(name)s: a dead letter"),
        DeliveryStatus.SKIPPED: _("Not sent to %(name)s"),
        DeliveryStatus.DISCARDED: _("Discarded for %(name)s"),
    }
    for leg in life.legs:
        delivery = leg.delivery
        status = DeliveryStatus(delivery.status)
        if status not in _ENDS or delivery.ended_at is None:
            continue
        icon, tone = _ENDS[status]
        limit = diagnosis.explain_limit(leg.letter.limit) if leg.letter else leg.reason
        yield Moment(
            at=delivery.ended_at,
            title=titles[status] % {"name": delivery.subscription.name},
            icon=icon,
            tone=tone,
            text=limit if status == DeliveryStatus.DEAD else leg.reason,
            page="delivery:delivery-detail",
            key=delivery.pk,
        )


def _relations(life: Life) -> Iterator[Moment]:
    for replay in {leg.replay.pk: leg.replay for leg in life.legs if leg.replay}.values():
        yield Moment(
            at=replay.started_at or replay.requested_at,
            title=_("Replayed, %(replay)s") % {"replay": replay},
            icon="arrow-uturn-left",
            tone="info",
            by=str(replay.requested_by),
            text=replay.reason,
            page="delivery:replay-detail",
            key=replay.number,
        )
    for one in life.effects:
        yield Moment(
            at=one.received_at,
            title=_("%(title)s followed") % {"title": one.type.title},
            icon="arrow-right",
            tone="info",
            text=_("%(application)s made it of this event.") % {"application": one.application},
            page="delivery:event-detail",
            key=one.pk,
        )
    for one in life.corrections:
        yield Moment(
            at=one.received_at,
            title=_("Corrected by %(id)s") % {"id": one.event_id},
            icon="pencil",
            tone="info",
            page="delivery:event-detail",
            key=one.pk,
        )


def _deliveries(event: Event, viewer: User) -> list[Delivery]:
    seen = access.restrict(Delivery.objects.filter(event=event), viewer, Action.DELIVERY_VIEW)
    named = seen.select_related(
        "subscription", "subscription__application", "subscription__application__team"
    )
    return list(named.order_by("pk")[:MOST_DELIVERIES])


def _left_out(event: Event, viewer: User, now: datetime) -> list[LeftOut]:
    """Return who gets nothing of the event, as far as the viewer may see them.

    A subscription that would get it by today's rules and did not is among them: it was made or
    changed later.
    """
    try:
        choices = routing.explain(event, now=now)
    except Stale:
        return []  # nobody can tell just now; the page is worth showing without
    routed = set(Delivery.objects.filter(event=event).values_list("subscription_id", flat=True))
    others = {one.subscription.id: one for one in choices if one.subscription.id not in routed}
    seen = access.restrict(
        Subscription.objects.filter(pk__in=others), viewer, Action.SUBSCRIPTION_VIEW
    )
    return [
        LeftOut(subscription=one, sentence=_sentence(others[one.pk]))
        for one in seen.order_by("number")
    ]


def _sentence(choice: Choice) -> str:
    if choice.verdict in (Verdict.DELIVER, Verdict.SKIP):
        return _("It was connected, or changed, after this event came.")
    return choice.sentence


def _origin(event: Event, viewer: User) -> Event | None:
    """Return what the event corrects or was copied from; a copy's stands in production."""
    if event.origin_id is None:
        return None
    return next(iter(_relatives(event, viewer, Q(pk=event.origin_id))), None)


def _relatives(event: Event, viewer: User, which: Q) -> list[Event]:
    seen = access.restrict(
        Event.objects.filter(which).exclude(pk=event.pk), viewer, Action.EVENT_VIEW
    )
    return list(seen.with_names().order_by("id")[:MOST_RELATIVES])


def _by_key(event: Event) -> Q:
    """Return the condition for a flow that named the cause by our own id."""
    try:
        return Q(pk=UUID(event.causation_id))
    except ValueError:
        return Q(pk__in=[])


def _curl(url: str, headers: Sequence[tuple[str, str]], body: str) -> str:
    lines = [f"curl -X POST {shlex.quote(url)}"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers]
    if body:
        lines.append(f"--data-raw {shlex.quote(body)}")
    return " \\\n  ".join(lines)
