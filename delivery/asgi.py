"""The publish path over HTTP (design, section 6.1): a plain ASGI callable with nothing in front.

It parses, asks `publishing.prepare`, hands over to the group commit and answers. Django's own
handler would cost ten times as much as all of that.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
from django.db import connection

from catalog.problems import Problem
from delivery import (
    answers,
    configuration,
    edge,
    envelopes,
    knowledge,
    publish_notes,
    publishing,
    recorder,
    tracing,
)
from delivery.allowance import Allowance
from delivery.answers import Answer
from delivery.cloudevents import MAX_REQUEST_BYTES, Envelope, Mode, Refusal, Request, from_http
from delivery.edge import Kind, Refused
from delivery.intake import Unavailable, Unit
from delivery.known import Knowledge, Publisher
from delivery.recorder import Recorder
from delivery.recording import Prepared, Recorded
from governance import keys

BODY_SECONDS = 10.0  # a body that takes longer is cut off
EVENTS_AT_A_TIME = 100  # of a batch, before others get their turn on the loop
OBJECTS_BEFORE_COLLECTING = 20_000  # those that hold others; a few MiB of them
NOTES_SECONDS = 5.0  # between writings of what was refused and which keys were used

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

logger = logging.getLogger(__name__)


class _Gone(Exception):
    """The client hung up: nobody waits for an answer."""


class _TooSlow(Exception):
    """The body did not come in time."""


_recorder: Recorder | None = None
_allowance: Allowance | None = None
_notes_task: asyncio.Task[None] | None = None


async def startup() -> None:
    """Begin to watch governance and to take events; the database may come later."""
    global _recorder, _allowance, _notes_task  # noqa: PLW0603 - one of each a process
    _recorder = Recorder(_connect)
    _allowance = Allowance(configuration.publish_rate_per_second())
    _notes_task = asyncio.create_task(_write_notes_for_ever())
    await asyncio.to_thread(knowledge.start)
    # What lives as long as the process is not looked through again and again for what does not,
    # and that not after every tenth event: a fifth, and a tenth, of the processor's time for each
    # event (measured).
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING)


async def shutdown() -> None:
    """Write what was taken, then let go of database and governance."""
    global _recorder
    standing, _recorder = _recorder, None
    if standing is not None:
        await standing.close()
    if _notes_task is not None:
        _notes_task.cancel()
    await asyncio.to_thread(_write_notes)
    await asyncio.to_thread(knowledge.stop)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request to the publish path."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    try:
        if scope["method"] == "OPTIONS":
            answer = _handshake(headers)
        else:
            answer = await _publish(scope, headers, receive)
    except Refused as refused:
        answer = answers.problem(refused)
    except knowledge.Stale as stale:
        answer = answers.problem(Refused(Kind.NOT_NOW, str(stale)))
    except _TooSlow:
        answer = _cut_off()
    except _Gone:
        return
    except Exception:
        # The server would close the connection without a word; a client must know to try again.
        logger.exception("The publish path failed")
        answer = answers.problem(Refused(Kind.NOT_NOW, "Something failed here. Try again."))
    await _send(answer, send)


async def _publish(scope: Scope, headers: Mapping[str, str], receive: Receive) -> Answer:
    _require_small(headers)
    key = _plain_key(headers)
    edge.identify(knowledge.current(), key, datetime.now(tz=UTC))
    body = await _body(receive)
    # A body may take seconds; what was taken back meanwhile counts.
    now, known = datetime.now(tz=UTC), knowledge.current()
    publisher = edge.identify(known, key, now)
    try:
        request = from_http(headers, body)
    except Refusal as refusal:
        raise edge.refused(refusal) from None
    if trace := tracing.of_header(headers.get(envelopes.TRACE)):
        request = request.within(trace)
    _require_rate(publisher, len(request.items))
    if publisher.key_id is not None:
        keys.note_use(publisher.key_id, now)
    if request.mode is not Mode.BATCHED:
        return await _publish_one(known, publisher, request, now)
    is_partial = _is_partial(scope)
    return await _publish_batch(known, publisher, request, now, is_partial=is_partial)


async def _publish_one(
    known: Knowledge, publisher: Publisher, request: Request, now: datetime
) -> Answer:
    prepared = _prepare(known, publisher, request.envelopes[0], now)
    (outcome,) = await _record(Unit(events=(prepared,)))
    if isinstance(outcome, Refused):
        raise outcome
    return _taken(answers.accepted([outcome])[0], [prepared])


async def _publish_batch(
    known: Knowledge, publisher: Publisher, request: Request, now: datetime, *, is_partial: bool
) -> Answer:
    found = await _prepare_all(known, publisher, request.items, now)
    refusals = [(i, one) for i, one in enumerate(found) if isinstance(one, Refused)]
    if refusals and not is_partial:
        return answers.batch_problem(refusals, count=len(found))
    prepared = [one for one in found if isinstance(one, Prepared)]
    unit = Unit(events=prepared, is_atomic=not is_partial)
    stored = iter(await _record(unit) if prepared else ())
    outcomes = [one if isinstance(one, Refused) else next(stored) for one in found]
    refusals = [(i, one) for i, one in enumerate(outcomes) if isinstance(one, Refused)]
    if refusals and not is_partial:
        return answers.batch_problem(refusals, count=len(found))
    items = [
        one if isinstance(one, Recorded) else (i, one, *_names(request.items[i]))
        for i, one in enumerate(outcomes)
    ]
    return _taken({"events": answers.accepted(items)}, prepared)


async def _prepare_all(
    known: Knowledge,
    publisher: Publisher,
    items: Sequence[Envelope | Refusal],
    now: datetime,
) -> list[Prepared | Refused]:
    found: list[Prepared | Refused] = []
    for index, item in enumerate(items):
        if index and index % EVENTS_AT_A_TIME == 0:
            await asyncio.sleep(0)
        try:
            if isinstance(item, Refusal):
                raise edge.refused(item)
            found.append(_prepare(known, publisher, item, now))
        except Refused as refused:
            found.append(refused)
    return found


def _prepare(known: Knowledge, publisher: Publisher, envelope: Envelope, now: datetime) -> Prepared:
    try:
        return publishing.prepare(known, publisher, envelope, now)
    except Refused as refused:
        if event_type := known.event_types.get(envelope.type):
            topic_id = event_type.topic.id
            publish_notes.refused.add(refused, publisher=publisher, topic_id=topic_id)
        raise


async def _write_notes_for_ever() -> None:
    while True:
        await asyncio.sleep(NOTES_SECONDS)
        await asyncio.to_thread(_write_notes)


def _write_notes() -> None:
    try:
        publish_notes.write(now=datetime.now(tz=UTC))
    except Exception:
        # They are counts for people; the next ones will be written.
        logger.exception("Refusals could not be noted")
    finally:
        connection.close()


async def _record(unit: Unit) -> list[Recorded | Refused]:
    if _recorder is None:
        raise Refused(Kind.NOT_NOW, "The server is stopping.")
    started_ns = time.time_ns()
    try:
        outcomes = await _recorder.record(unit)
    except Unavailable as error:
        raise recorder.refusal(error) from None
    publishing.note(unit.events, outcomes, started_ns=started_ns)
    return outcomes


def _taken(body: object, prepared: Sequence[Prepared]) -> Answer:
    headers = answers.deprecation_headers(one.accepted for one in prepared)
    return Answer(status=202, body=orjson.dumps(body), headers=headers)


def _names(item: Envelope | Refusal) -> tuple[str | None, str | None]:
    return (item.id, item.source) if isinstance(item, Envelope) else (None, None)


def _plain_key(headers: Mapping[str, str]) -> str | None:
    key = headers.get("x-api-key")
    if key:
        return key.strip()
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _require_small(headers: Mapping[str, str]) -> None:
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_REQUEST_BYTES:
        raise _too_large()


def _require_rate(publisher: Publisher, count: int) -> None:
    if _allowance is None or publisher.key_id is None:
        return
    wait = _allowance.take(publisher.key_id, count, time.monotonic())
    if wait:
        seconds = math.ceil(wait)
        detail = f"This key is over its rate; it may publish again in {seconds} s."
        raise Refused(Kind.RATE, detail, retry_after_seconds=seconds)


def _is_partial(scope: Scope) -> bool:
    text: bytes = scope.get("query_string", b"")
    return parse_qs(text.decode("latin-1")).get("partial", [""])[-1].lower() == "true"


async def _body(receive: Receive) -> bytes:
    """Return the body; raises `_TooSlow` after `BODY_SECONDS`.

    `asyncio.timeout` would do, at five times the cost of this timer, for every request.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs has one
    timer = asyncio.get_running_loop().call_later(BODY_SECONDS, task.cancel, _TooSlow)
    try:
        return await _whole_body(receive)
    except asyncio.CancelledError as cancelled:
        if cancelled.args != (_TooSlow,):
            raise
        task.uncancel()
        raise _TooSlow from None
    finally:
        timer.cancel()


async def _whole_body(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_REQUEST_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)


def _too_large() -> Refused:
    return Refused(Kind.TOO_LARGE, f"A request may hold {MAX_REQUEST_BYTES // 1024} KiB, no more.")


def _cut_off() -> Answer:
    return answers.of_problem(
        Problem(
            type="too-slow",
            title="The request took too long.",
            status=408,
            detail=f"The body did not arrive within {BODY_SECONDS:.0f} s.",
            headers={"Connection": "close"},
        )
    )


def _handshake(headers: Mapping[str, str]) -> Answer:
    """Answer the validation handshake of CloudEvents' web hooks (HTTP 1.1 Web Hooks, section 4)."""
    answer = {"Allow": "GET, POST, OPTIONS"}
    origin = headers.get("webhook-request-origin")
    if origin:
        answer["WebHook-Allowed-Origin"] = origin
        # Requests a minute; what the key's own rate allows.
        answer["WebHook-Allowed-Rate"] = str(configuration.publish_rate_per_second() * 60)
    return Answer(status=200, headers=answer)


async def _send(answer: Answer, send: Send) -> None:
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.body)).encode()),
    ]
    if answer.headers:
        headers += [
            (name.lower().encode(), value.encode("latin-1", "replace"))
            for name, value in answer.headers.items()
        ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _connect() -> recorder.Connection:
    return await recorder.connect(**knowledge.own_connection())
