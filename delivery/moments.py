"""What happened in an event's life, one thing after the other, as its timeline draws it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from delivery import diagnosis, replay_checks
from delivery.lives import Life
from delivery.models import Attempt, ReplayItem, Subscription
from delivery.states import AttemptOutcome, DeliveryStatus, ReplayState

SHOWN_LEFT_OUT = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One thing that happened, as the timeline draws it."""

    at: datetime
    title: str
    icon: str
    tone: str = "idle"
    text: diagnosis.Text = ""
    by: str = ""
    page: str = ""
    key: object = None


def of(life: Life) -> list[Moment]:
    """Return what happened, oldest first; what is still to come stands last."""
    found = [
        *_origins(life),
        *_beginning(life),
        *_tries(life),
        *_ends(life),
        *_replays(life),
        *_relations(life),
    ]
    return sorted(found, key=lambda one: one.at)


def _origins(life: Life) -> Iterator[Moment]:
    """Yield what there was before: the events that it was made of, and the one it stands for."""
    for one in life.causes:
        yield Moment(
            at=one.received_at,
            title=_("%(title)s came first") % {"title": one.type.title},
            icon="arrow-right",
            tone="info",
            text=_("This event was made of it."),
            page="delivery:event-detail",
            key=one.pk,
        )
    if life.origin is not None:
        is_copy = life.origin.environment != life.event.environment
        title = _("Came in production: %(id)s") if is_copy else _("Came, to be corrected: %(id)s")
        yield Moment(
            at=life.origin.received_at,
            title=title % {"id": life.origin.event_id},
            icon="beaker" if is_copy else "pencil",
            tone="info",
            text=_("This event is a copy of it.") if is_copy else _("This event corrects it."),
            page="delivery:event-detail",
            key=life.origin.pk,
        )


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
    if not goes:
        text = _("No delivery that you may see was made.")
    if life.left_out:
        text += " " + _told_left_out(life)
    if life.decisions:
        decided = len(life.decisions)
        text += " " + ngettext(
            "Routing rules decided for %(n)s subscription.",
            "Routing rules decided for %(n)s subscriptions.",
            decided,
        ) % {"n": decided}
    yield Moment(at=event.received_at, title=_("Routed"), icon="arrows-pointing-out", text=text)


def _told_left_out(life: Life) -> str:
    """Return whom routing left out and why: the first by name, the others by number."""
    named = "; ".join(
        f"{one.subscription.name}: {one.sentence}" for one in life.left_out[:SHOWN_LEFT_OUT]
    )
    more = len(life.left_out) - SHOWN_LEFT_OUT
    told = _("Left out: %(named)s") % {"named": named}
    if more > 0:
        told += " " + ngettext("%(n)s more is below.", "%(n)s more are below.", more) % {"n": more}
    return told


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


def _told(attempt: Attempt, subscription: Subscription) -> diagnosis.Text:
    kind = subscription.application.kind
    return diagnosis.explain(attempt.error_class, attempt.status_code, kind=kind).what


def answer_of(attempt: Attempt) -> str:
    """Return a status or the kind of failure, as a word."""
    if attempt.status_code:
        return str(attempt.status_code)
    if attempt.error_class:
        return str(diagnosis.name_of(attempt.error_class))
    return str(AttemptOutcome(attempt.outcome).label)


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


def _replays(life: Life) -> Iterator[Moment]:
    opened = {leg.replay: leg.opens_replay for leg in life.legs if leg.replay}
    opened |= {item.replay: True for item in life.unsent}
    for replay, is_open in opened.items():
        page = "delivery:replay-detail" if is_open else ""
        yield Moment(
            at=replay.requested_at,
            title=_("Replay %(replay)s was ordered") % {"replay": replay},
            icon="arrow-uturn-left",
            tone="info",
            by=str(replay.requested_by),
            text=replay.reason,
            page=page,
            key=replay.number,
        )
        if replay.started_at is not None:
            approved = _("Approved by %(who)s.") % {"who": replay.approved_by}
            yield Moment(
                at=replay.started_at,
                title=_("Replay %(replay)s began") % {"replay": replay},
                icon="arrow-path",
                tone="info",
                text=approved if replay.approved_by else "",
                page=page,
                key=replay.number,
            )
    yield from map(_unsent, life.unsent)


def _unsent(item: ReplayItem) -> Moment:
    """Return what became of an item that made no delivery: left out, or its turn will come."""
    replay, name = item.replay, item.subscription.name
    words = {"replay": replay, "name": name}
    text: diagnosis.Text
    if item.refused:
        title, icon = _("%(replay)s left out %(name)s") % words, "forward"
        text = str(replay_checks.SENTENCES.get(item.refused, item.refused))
    else:
        title, icon = _("%(replay)s: %(name)s waits") % words, "clock"
        text = _WAITS.get(ReplayState(replay.state), _("Its turn comes at the replay's pace."))
    return Moment(
        at=item.ended_at or replay.requested_at,
        title=title,
        icon=icon,
        text=text,
        page="delivery:replay-detail",
        key=replay.number,
    )


_WAITS: Mapping[str, diagnosis.Text] = {
    ReplayState.AWAITING_APPROVAL: gettext_lazy("A second person has to approve the replay."),
    ReplayState.PAUSED: gettext_lazy("The replay is paused."),
}


def _relations(life: Life) -> Iterator[Moment]:
    if taken := life.payload.expunction:
        yield Moment(
            at=taken.expunged_at,
            title=_("Its data was expunged"),
            icon="trash",
            tone="warn",
            by=str(taken.expunged_by),
            text=taken.reason,
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
    for one in life.copies:
        yield Moment(
            at=one.received_at,
            title=_("Copied to staging as %(id)s") % {"id": one.event_id},
            icon="beaker",
            tone="info",
            text=_("With invented values in place of sensitive ones."),
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
