"""The webhook transport against receivers that mean harm, or are broken."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from delivery.transports import ErrorClass
from delivery.transports.connection import READ_BYTES
from delivery.transports.webhook import EXCERPT_BYTES, WebhookTransport
from tests.delivery.transports.receivers import (
    Behaviour,
    Conversation,
    answering,
    hang,
    not_http,
    receiver,
    reset,
)
from tests.delivery.transports.talking import failure, outgoing, talk


async def endless_headers(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\n")
    for number in range(100_000):
        await conversation.say(b"X-%d: %b\r\n" % (number, b"y" * 100))


async def one_endless_header(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        await conversation.say(b"y" * 10_000)


async def headers_drop_by_drop(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await conversation.say(b"X: y\r\n")
        await asyncio.sleep(0.1)


async def endless_interim_answers(conversation: Conversation) -> None:
    while True:
        await conversation.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(0.001)


HOSTILE: list[tuple[Behaviour, set[ErrorClass]]] = [
    (hang, {ErrorClass.READ_TIMEOUT}),
    (reset, {ErrorClass.RESET}),
    (endless_headers, {ErrorClass.PROTOCOL}),
    (one_endless_header, {ErrorClass.PROTOCOL}),
    (headers_drop_by_drop, {ErrorClass.READ_TIMEOUT, ErrorClass.PROTOCOL}),
    (endless_interim_answers, {ErrorClass.READ_TIMEOUT, ErrorClass.PROTOCOL}),
    (not_http, {ErrorClass.PROTOCOL}),
]


@pytest.mark.parametrize(("behaviour", "classes"), HOSTILE)
def test_a_hostile_receiver_costs_its_time_out_at_most(
    behaviour: Behaviour, classes: set[ErrorClass]
) -> None:
    async def body(transport: WebhookTransport) -> None:
        started = time.monotonic()
        async with receiver(behaviour) as server:
            error = await failure(transport, outgoing(server.url(), timeout_seconds=0.3))
        assert error.error_class in classes
        assert error.status is None
        assert time.monotonic() - started < 4

    talk(body)


async def endless_body(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await conversation.say(b"2710\r\n" + b"y" * 10_000 + b"\r\n")


async def body_that_hangs(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nstart")
    await asyncio.sleep(30)


async def body_cut_off(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nstart")
    conversation.writer.close()


async def broken_chunks(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstart\r\n")
    await asyncio.sleep(0.05)
    await conversation.say(b"ZZ\r\n")


@pytest.mark.parametrize("behaviour", [endless_body, body_that_hangs, body_cut_off, broken_chunks])
def test_what_follows_a_2xx_status_changes_nothing(behaviour: Behaviour) -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(behaviour) as server:
            receipt = await transport.send(outgoing(server.url(), timeout_seconds=1.0))
            assert receipt.status == 200
            assert len(receipt.response_excerpt) <= EXCERPT_BYTES
            # The connection is in no known state: the next request gets another.
            await transport.send(outgoing(server.url(), timeout_seconds=1.0))
            assert server.connections == 2

    talk(body)


def test_a_long_body_is_cut_and_a_very_long_one_not_read() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(200, b"x" * READ_BYTES)) as server:
            receipt = await transport.send(outgoing(server.url()))
            await transport.send(outgoing(server.url()))
            assert len(receipt.response_excerpt) == EXCERPT_BYTES
            assert server.connections == 1
        async with receiver(answering(500, b"x" * 10_000_000)) as server:
            error = await failure(transport, outgoing(server.url()))
            assert len(error.response_excerpt) == EXCERPT_BYTES

    talk(body)


def test_a_packed_answer_is_never_unpacked() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)

    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(200, bomb, ("Content-Encoding: gzip",))) as server:
            receipt = await transport.send(outgoing(server.url()))
        assert receipt.response_excerpt == "(an answer packed with gzip, not shown)"
        assert "accept-encoding: identity" in server.requests[0].head.lower()

    talk(body)
