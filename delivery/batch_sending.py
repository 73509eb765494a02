"""One attempt at a batch: which of its events may go, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    may_go: Callable[[], bool],
    clock: Callable[[], datetime],
) -> list[Result]:
    """Send the batch behind `owed` and return the result of each delivery in it.

    What a rule forbids, or cannot be converted for this subscriber, is left out and ends by itself.
    The request is one, so one answer tells of the endpoint's health, and all that are tried again
    are due at the same time. `messages` holds every event of the batch.
    """
    started_at, jitter = clock(), dice()
    going: list[tuple[Owed, Message]] = []
    results: list[Result] = []
    said: list[tuple[Owed, Answer]] = []
    for one in owed.members:
        message = messages[one.event_id]
        reason = sending.refusal(target, message, address, started_at)
        if reason is not None:
            results.append(Refused(owed=one, reason=reason, ended_at=started_at))
            continue
        try:
            going.append((one, message.pinned_to(target.version_pin)))
        except TranslationFailed as error:
            said.append((one, sending.untranslated(error)))
    batch_id = owed.batch.id if owed.batch else owed.delivery_id
    telling = None
    if going:
        bundle = Bundle(batch_id=batch_id, messages=tuple(message for _one, message in going))
        answer = await sending.attempt(
            transport, bundle, target, address, owed=owed, may_go=may_go, now=started_at
        )
        answers = _one_by_one(answer, bundle)
        telling = going[_telling(answers)][0]
        said += [(one, each) for (one, _message), each in zip(going, answers, strict=True)]
    ended_at = clock()
    return results + [
        Tried(
            owed=one,
            policy=target.policy,
            url=address.url,
            started_at=started_at,
            ended_at=ended_at,
            answer=each,
            is_for_health=is_for_health and one is telling,
            batch_id=batch_id,
            jitter=jitter,
        )
        for one, each in said
    ]


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
