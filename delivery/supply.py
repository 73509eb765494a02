"""What the engine asks of the database: knowledge, work to do, and a place for results.

Everything here runs in the engine's one database thread, so its calls never overlap.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from delivery import batching, circuits, claiming, health, settling
from delivery.batching import Terms
from delivery.claiming import LONG_AGO, Owed, Wanted, Which
from delivery.health import Notes
from delivery.outgoing import Message
from delivery.settling import Result
from delivery.states import DisableReason, SkipReason
from delivery.targets import Knowledge

BACKLOG_BATCH = 1_000
READ_EVENTS = 128  # at a time, then their bytes are counted: 32 MiB at the very most


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What the engine would like for one subscription.

    `may_probe`: its circuit is not closed and the cool-down is over, so one request may try.
    """

    wanted: Wanted
    per_second: int | None = None
    may_probe: bool = False
    # So many may be out over all workers; None where each worker counts its own.
    most: int | None = None
    # Each worker must see what the others took, as where a key is never out twice.
    takes_turns: bool = False
    # How it wants its batches, where events go out together.
    batches: Terms | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What was claimed, with the events; `probes` are the deliveries that try a circuit.

    `cut` names the subscriptions of which less was taken than could be, because of its bytes.
    """

    owed: Sequence[Owed] = ()
    messages: Mapping[UUID, Message] = field(default_factory=dict)
    asked: Mapping[UUID, int] = field(default_factory=dict)
    probes: frozenset[UUID] = frozenset()
    cut: frozenset[UUID] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """How many results came too late to count, and whether they changed what is known."""

    lost: int
    is_knowledge_old: bool


def take(
    asks: Collection[Ask],
    *,
    held: Collection[UUID],
    most_bytes: int,
    knowledge: Knowledge,
    now: datetime,
) -> Taken:
    """Claim what is asked for, as far as rates and circuits let it; read the events not `held`.

    Once those have `most_bytes` of data, or little more, the rest is given back.
    """
    asked, wanted, probes, owed = {}, [], [], list[Owed]()
    for ask in asks:
        one = ask.wanted
        if ask.may_probe and circuits.try_probe(one.subscription_id, now=now):
            probes += _probe(ask, now)
        room = one.room
        if ask.per_second is not None:
            room = circuits.take_tokens(
                one.subscription_id, room, per_second=ask.per_second, now=now
            )
        asked[one.subscription_id] = room
        if room and ask.batches is not None:
            owed += batching.claim(replace(one, room=room), ask.batches, now=now)
        elif room and (ask.most is not None or ask.takes_turns):
            owed += claiming.claim_within(replace(one, room=room), most=ask.most, now=now)
        elif room:
            wanted.append(replace(one, room=room))
    owed += claiming.claim(wanted, now=now)
    messages, count = _read(
        [*probes, *owed], held=held, least=len(probes), most_bytes=most_bytes, knowledge=knowledge
    )
    kept, rest = owed[: count - len(probes)], owed[count - len(probes) :]
    claiming.release(rest)
    _give_back(asks, asked, kept)
    return Taken(
        owed=[*probes, *kept],
        messages=messages,
        asked=asked,
        probes=frozenset(one.delivery_id for one in probes),
        cut=frozenset(one.subscription_id for one in rest),
    )


def _read(
    owed: Sequence[Owed],
    *,
    held: Collection[UUID],
    least: int,
    most_bytes: int,
    knowledge: Knowledge,
) -> tuple[dict[UUID, Message], int]:
    """Read events in the order of `owed`; return them, and for how many of it they suffice.

    The first `least` are served whatever their bytes.
    """
    messages: dict[UUID, Message] = {}
    missing: dict[UUID, None] = {}
    for place, first in enumerate(owed):
        missing |= {
            one.event_id: None
            for one in first.members
            if one.event_id not in held and one.event_id not in messages
        }
        if len(missing) >= READ_EVENTS and place >= least:
            messages.update(claiming.messages(missing, knowledge))
            missing.clear()
            if sum(one.size_bytes for one in messages.values()) >= most_bytes:
                return messages, place + 1
    messages.update(claiming.messages(missing, knowledge))
    return messages, len(owed)


def end_unentitled(knowledge: Knowledge, *, now: datetime) -> int:
    """End a batch of what is owed to applications that may no longer subscribe; return how many."""
    ids = [target.subscription_id for target in knowledge.unentitled()]
    return claiming.skip_backlog(ids, reason=SkipReason.NO_GRANT, now=now, limit=BACKLOG_BATCH)


def settle(
    results: Sequence[Result], *, notes: Notes, knowledge: Knowledge, now: datetime
) -> Written:
    """Write the results, and what they say of the endpoints."""
    settled = settling.settle(results, now=now)
    notes.add(results, not_closed=knowledge.circuits)
    news = health.report(notes.take(now=now), now=now)
    for subscription_id in settled.gone:
        health.end_sending(subscription_id, because=DisableReason.GONE, now=now)
    health.tell_failing(settled.failing, now=now)
    return Written(lost=settled.lost, is_knowledge_old=bool(news or settled.gone))


def _probe(ask: Ask, now: datetime) -> list[Owed]:
    if ask.batches is not None:
        return batching.claim(_first(ask.wanted), ask.batches, now=now)
    if ask.takes_turns:
        return claiming.claim_within(_first(ask.wanted), most=None, now=now)
    return claiming.claim([_first(ask.wanted)], now=now)


def _first(wanted: Wanted) -> Wanted:
    which = Which.ANY if wanted.which is Which.REPLAYS else wanted.which
    return replace(wanted, room=1, low=LONG_AGO, which=which)


def _give_back(asks: Collection[Ask], asked: Mapping[UUID, int], owed: Sequence[Owed]) -> None:
    """Return the permissions to send that found nothing to send."""
    for ask in asks:
        pk = ask.wanted.subscription_id
        if ask.per_second is not None and asked[pk]:
            used = sum(1 for one in owed if one.subscription_id == pk)
            if used < asked[pk]:
                circuits.give_back(pk, asked[pk] - used)
