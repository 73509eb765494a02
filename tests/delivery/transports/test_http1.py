"""The HTTP/1.1 client: framing, and the life of its connections."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
import uvloop

from delivery.transports import http1, tls
from delivery.transports.connection import Answer
from delivery.transports.failures import NotHttp
from delivery.transports.http1 import Client
from delivery.transports.names import AddrInfo
from tests.delivery.transports.receivers import (
    Behaviour,
    Conversation,
    Receiver,
    answering,
    receiver,
)


def plain_socket(address: AddrInfo) -> socket.socket:
    return socket.socket(*address[:3])


def talk(body: Callable[[Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        client = Client(make_socket=plain_socket)
        try:
            await body(client)
        finally:
            await client.close()

    for run in (asyncio.run, uvloop.run):
        run(asyncio.wait_for(whole(), 20))


async def ask(client: Client, server: Receiver, **changes: object) -> Answer:
    given: dict[str, object] = {
        "method": "POST",
        "url": server.url(),
        "headers": (("content-type", "application/json"),),
        "body": b"{}",
        "timeout_seconds": 2.0,
        "tls": tls.usual(),
        "keep_bytes": 1_000,
    }
    return await client.exchange(**(given | changes))  # type: ignore[arg-type]  # varied by name


def saying(*pieces: bytes, closes: bool = False) -> Behaviour:
    """Answer with these pieces, a moment between them."""

    async def say(conversation: Conversation) -> None:
        for piece in pieces:
            await conversation.say(piece)
            await asyncio.sleep(0.01)
        if closes:
            conversation.writer.close()

    return say


OK = b"HTTP/1.1 200 OK\r\n"

# pieces | closes | status and body | is the connection used again?
FRAMINGS: list[tuple[tuple[bytes, ...], bool, int, bytes, bool]] = [
    ((OK + b"Content-Length: 2\r\n\r\nok",), False, 200, b"ok", True),
    ((OK, b"Content-Le", b"ngth: 2\r\n\r", b"\no", b"k"), False, 200, b"ok", True),
    ((OK + b"Content-Length: 0\r\n\r\n",), False, 200, b"", True),
    ((b"HTTP/1.1 204 No Content\r\n\r\n",), False, 204, b"", True),
    (
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", b"1\r\n!\r\n0\r\n\r\n"),
        False, 200, b"ok!", True,
    ),
    (
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: trailer\r\n\r\n",),
        False, 200, b"ok", True,
    ),
    ((OK + b"\r\nall until the end",), True, 200, b"all until the end", False),
    ((OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",), False, 200, b"ok", False),
    ((b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",), False, 200, b"ok", False),
    (
        (b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\n", OK + b"Content-Length: 0\r\n\r\n"),
        False, 200, b"", True,
    ),
    # Two answers to one request: the second must not be taken for the next request's.
    (
        (OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 4\r\n\r\nevil",),
        False, 200, b"ok", False,
    ),
    ((OK + b"Content-Length: 2\r\n\r\nok", b"late rubbish"), False, 200, b"ok", False),
]  # fmt: skip


@pytest.mark.parametrize(("pieces", "closes", "status", "body", "is_reused"), FRAMINGS)
def test_every_framing_of_an_answer_is_read(
    pieces: tuple[bytes, ...], closes: bool, status: int, body: bytes, is_reused: bool
) -> None:
    async def twice(client: Client) -> None:
        async with receiver(saying(*pieces, closes=closes)) as server:
            for _ in range(2):
                answer = await ask(client, server)
                assert (answer.status, answer.body) == (status, body)
                assert answer.headers == {}
                await asyncio.sleep(0.05)
            assert server.connections == (1 if is_reused else 2)

    talk(twice)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",),
        (b"HTTP/1.1 2x0 OK\r\n\r\n",),
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",),
        (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n",),
        (OK + b"Bad header\r\n\r\n",),
    ],
)
def test_what_is_not_proper_http_is_said_so(pieces: tuple[bytes, ...]) -> None:
    async def body(client: Client) -> None:
        async with receiver(saying(*pieces)) as server:
            with pytest.raises(NotHttp):
                await ask(client, server)

    talk(body)


def test_requests_at_once_take_one_connection_each_and_later_ones_take_turns() -> None:
    async def slowly(conversation: Conversation) -> None:
        await asyncio.sleep(0.05)
        await answering(200, conversation.body)(conversation)

    async def body(client: Client) -> None:
        async with receiver(slowly) as server:
            for _ in range(2):
                bodies = [b"%d" % number for number in range(20)]
                answers = await asyncio.gather(*(ask(client, server, body=b) for b in bodies))
                assert [answer.body for answer in answers] == bodies
            assert server.connections == 20

    talk(body)


def test_a_connection_whose_request_was_given_up_is_never_used_again() -> None:
    async def late(conversation: Conversation) -> None:
        await asyncio.sleep(0.2 if conversation.body == b"first" else 0)
        await answering(200, conversation.body)(conversation)

    async def body(client: Client) -> None:
        async with receiver(late) as server:
            with pytest.raises(TimeoutError):
                await ask(client, server, body=b"first", timeout_seconds=0.1)
            task = asyncio.create_task(ask(client, server, body=b"first"))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.2)
            assert (await ask(client, server, body=b"second")).body == b"second"
            assert server.connections == 3

    talk(body)


def test_an_answer_before_the_request_was_read_ends_the_connection() -> None:
    async def body(client: Client) -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.3)
            writer.transport.abort()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        where = Receiver(port=server.sockets[0].getsockname()[1])
        for _ in range(2):
            answer = await ask(client, where, body=b"x" * 20_000_000)
            assert answer.status == 413
        server.close()
        await asyncio.sleep(0.4)

    talk(body)


def test_idle_connections_are_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "KEEP_ALIVE_SECONDS", 0.1)

    async def body(client: Client) -> None:
        async with receiver(answering()) as server:
            await asyncio.gather(*(ask(client, server) for _ in range(5)))
            await asyncio.sleep(0.35)
            assert not client._idle
            assert client._reaper is None
            await ask(client, server)
            assert server.connections == 6

    talk(body)


def test_a_header_of_the_endpoint_takes_the_place_of_the_usual_one() -> None:
    async def body(client: Client) -> None:
        async with receiver(answering()) as server:
            await ask(client, server, headers=(("user-agent", "Flöw"),))
        (request,) = server.requests
        assert request.head.lower().count("user-agent") == 1
        assert f"Host: 127.0.0.1:{server.port}\r\n" in request.head
        assert "Content-Length: 2\r\n" in request.head

    talk(body)


@pytest.mark.parametrize(
    "headers",
    [
        (("content-length", "5"),),
        (("Transfer-Encoding", "chunked"),),
        (("x y", "z"),),
        (("x", "a\nb"),),
        (("x", "a\rb"),),
        (("x", "a\0b"),),
    ],
)
def test_headers_that_would_break_the_framing_are_refused(
    headers: tuple[tuple[str, str], ...],
) -> None:
    async def body(client: Client) -> None:
        async with receiver(answering()) as server:
            with pytest.raises(ValueError, match="."):  # noqa: RUF043 - any sentence
                await ask(client, server, headers=headers)
            assert server.connections == 0

    talk(body)
