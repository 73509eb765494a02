"""One attempt at a batch: which of its events may go, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from delivery import batch_answers, sending
from delivery.batch_answers import Name, Unreadable
from delivery.claiming import Owed
from delivery.outgoing import Address, Bundle, Message
from delivery.settling import Refused, Result, Tried, dice
from delivery.targets import Target
from delivery.translating import TranslationFailed
from delivery.transports import Receipt, Transport, TransportError

Answer = Receipt | TransportError


async def attempt(
    transport: Transport,
    owed: Owed,
    messages: Mapping[UUID, Message],
    target: Target,
    address: Address,
    *,
    is_for_health: bool,
    stand_in: Target | None,
    may_go: Callable[[], bool],
    clock: Callable[[], datetime],
) -> list[Result]:
    """Send the batch behind `owed` and return the result of each delivery in it.

    What a rule forbids, or cannot be converted for this subscriber, is left out and ends by itself.
    The request is one, so one answer tells of the endpoint's health, and all that are tried again
    are due at the same time. `messages` holds every event of the batch.
    """
    started_at = clock()
    parts = _Parts.of(owed, messages, target, address, started_at)
    telling, said = None, [*parts.unconverted]
    if parts.going:
        bundle = Bundle(
            batch_id=_batch_id(owed), messages=tuple(message for _one, message in parts.going)
        )
        answer = await sending.attempt(
            transport, bundle, target, address, owed=owed, may_go=may_go, now=started_at
        )
        answers = _one_by_one(answer, bundle)
        telling = parts.going[_telling(answers)][0]
        said += [(one, each) for (one, _message), each in zip(parts.going, answers, strict=True)]
    ended_at, jitter, is_final = clock(), dice(), sending.is_final(owed, target, address)
    return parts.refused + [
        Tried(
            owed=one,
            policy=target.policy,
            url=address.url,
            started_at=started_at,
            ended_at=ended_at,
            answer=each,
            is_for_health=is_for_health and one is telling,
            has_second=target.fallback is not None and not is_final,
            stand_in=stand_in.subscription_id if stand_in and not is_final else None,
            batch_id=_batch_id(owed),
            jitter=jitter,
        )
        for one, each in said
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """What a batch falls into before it goes: by rules, and by what its subscriber reads."""

    going: list[tuple[Owed, Message]] = field(default_factory=list)
    refused: list[Result] = field(default_factory=list)
    unconverted: list[tuple[Owed, Answer]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        owed: Owed,
        messages: Mapping[UUID, Message],
        target: Target,
        address: Address,
        now: datetime,
    ) -> _Parts:
        parts = cls()
        for one in owed.members:
            message = messages[one.event_id]
            reason = sending.refusal(target, message, address, now)
            if reason is not None:
                parts.refused.append(Refused(owed=one, reason=reason, ended_at=now))
                continue
            try:
                parts.going.append((one, message.pinned_to(target.version_pin)))
            except TranslationFailed as error:
                parts.unconverted.append((one, sending.untranslated(error)))
        return parts


def _batch_id(owed: Owed) -> UUID:
    return owed.batch.id if owed.batch else owed.delivery_id


def _one_by_one(answer: Answer, bundle: Bundle) -> Sequence[Answer]:
    """Return what the one answer says of each event."""
    count = len(bundle.messages)
    if not isinstance(answer, Receipt):
        return [answer] * count
    names = [Name(source=one.envelope.source, id=one.envelope.id) for one in bundle.messages]
    try:
        refused = batch_answers.read(answer, names)
    except Unreadable as why:
        return [batch_answers.unreadable(answer, why)] * count
    return [refused.get(place, answer) for place in range(count)]


def _telling(answers: Sequence[Answer]) -> int:
    """Return the place of the answer that tells how the endpoint is: good if it took anything."""
    good = (place for place, one in enumerate(answers) if isinstance(one, Receipt))
    return next(good, 0)
