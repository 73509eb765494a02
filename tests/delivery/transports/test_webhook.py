"""The webhook transport against real servers, friendly and hostile."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import socket
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import pytest
import uvloop

from delivery.transports import (
    Basic,
    Bearer,
    ClientCredentials,
    ErrorClass,
    Outgoing,
    Receipt,
    Tls,
    TransportError,
    table,
)
from delivery.transports.connection import READ_BYTES
from delivery.transports.names import AddrInfo, Resolve
from delivery.transports.webhook import EXCERPT_BYTES, WebhookTransport
from tests.delivery.transports.receivers import (
    Behaviour,
    Conversation,
    Receiver,
    answering,
    certificate,
    receiver,
)

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

Talk = Callable[[WebhookTransport], Awaitable[None]]


def talk(
    body: Talk,
    *,
    allowed: tuple[object, ...] = LOOPBACK,
    resolve: Resolve | None = None,
) -> None:
    """Run a test's talk with a fresh transport, on a loop of its own."""

    async def whole() -> None:
        transport = WebhookTransport(
            allowed_networks=allowed,  # type: ignore[arg-type]  # networks, made above
            resolve=resolve,
        )
        try:
            await body(transport)
        finally:
            await transport.close()

    # Workers run on uvloop, commands and tests on asyncio: the two report failures differently.
    for run in (asyncio.run, uvloop.run):
        run(asyncio.wait_for(whole(), 20))


def outgoing(url: object, **changes: object) -> Outgoing:
    given: dict[str, object] = {
        "url": url,
        "headers": (("content-type", "application/json"), ("webhook-id", "msg_1")),
        "body": b'{"a": 1}',
        "timeout_seconds": 3.0,
    }
    return Outgoing(**(given | changes))  # type: ignore[arg-type]  # varied by name


async def failure(transport: WebhookTransport, request: Outgoing) -> TransportError:
    with pytest.raises(TransportError) as raised:
        await transport.send(request)
    return raised.value


def test_a_2xx_answer_is_a_receipt() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(202, b"taken", ("webhook-delivery: disable",))) as server:
            receipt = await transport.send(outgoing(server.url("/a%2Fb?c=%7e")))
        assert receipt == Receipt(
            status=202,
            duration_ms=receipt.duration_ms,
            response_excerpt="taken",
            webhook_delivery="disable",
        )
        (request,) = server.requests
        assert request.head.startswith("POST /a%2Fb?c=%7e HTTP/1.1\r\n")
        assert "webhook-id: msg_1" in request.head
        assert "cookie" not in request.head.lower()
        assert request.body == b'{"a": 1}'

    talk(body)


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (302, ErrorClass.REDIRECT),
        (404, ErrorClass.HTTP_STATUS),
        (410, ErrorClass.HTTP_STATUS),
        (500, ErrorClass.HTTP_STATUS),
    ],
)
def test_any_other_status_is_an_error_that_tells_it(status: int, error_class: ErrorClass) -> None:
    headers = ("Retry-After: 120", "Location: http://169.254.169.254/latest/meta-data")

    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(status, "nö\0".encode(), headers)) as server:
            error = await failure(transport, outgoing(server.url()))
        assert error.error_class is error_class
        assert error.status == status
        assert error.retry_after == "120"
        assert error.response_excerpt == "nö\ufffd"
        assert not error.permanent
        assert len(server.requests) == 1

    talk(body)


def test_connections_are_kept_and_cookies_are_not() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(200, b"", ("Set-Cookie: a=b",))) as server:
            for _ in range(3):
                await transport.send(outgoing(server.url()))
        assert server.connections == 1
        assert all("cookie" not in request.head.lower() for request in server.requests)

    talk(body)


def test_a_receiver_that_closes_after_each_answer_is_served_all_the_same() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(200, b"", ("Connection: close",))) as server:
            for _ in range(3):
                await transport.send(outgoing(server.url()))
        assert server.connections == 3

    talk(body)


# --- hostile receivers ---


async def hang(conversation: Conversation) -> None:
    await asyncio.sleep(30)


async def reset(conversation: Conversation) -> None:
    conversation.writer.transport.abort()


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


async def not_http(conversation: Conversation) -> None:
    await conversation.say(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


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


def test_a_closed_port_refuses() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    async def body(transport: WebhookTransport) -> None:
        error = await failure(transport, outgoing(f"http://127.0.0.1:{port}/"))
        assert error.error_class is ErrorClass.REFUSED

    talk(body)


@pytest.mark.parametrize(
    ("changes", "error_class"),
    [
        ({"url": "ftp://127.0.0.1/"}, ErrorClass.BAD_URL),
        ({"url": "http://"}, ErrorClass.BAD_URL),
        ({"url": "http://[::1"}, ErrorClass.BAD_URL),
        ({"headers": (("x", "a\r\nevil: b"),)}, ErrorClass.BAD_SETTINGS),
        ({"auth": Bearer(token="a\nb")}, ErrorClass.BAD_SETTINGS),
        ({"tls": Tls(ca_pem="hello")}, ErrorClass.BAD_SETTINGS),
        ({"tls": Tls(client_pem="hello")}, ErrorClass.BAD_SETTINGS),
    ],
)
def test_settings_that_cannot_work_are_permanent_errors(
    changes: dict[str, object], error_class: ErrorClass
) -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering()) as server:
            error = await failure(transport, outgoing(**({"url": server.url()} | changes)))
        assert server.requests == []
        assert (error.error_class, error.permanent) == (error_class, True)

    talk(body)


# --- addresses ---


def answers(*found: str) -> Resolve:
    """Return a resolver that answers look-ups with these addresses in turn, over and over."""
    turns = itertools.cycle(found)

    async def resolve(host: str, port: int) -> list[AddrInfo]:
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        address = next(turns)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

    return resolve


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "localhost"],
)
def test_an_address_that_is_not_public_is_never_connected(host: str) -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering()) as server:
            error = await failure(transport, outgoing(server.url(host=host)))
        assert error.error_class is ErrorClass.BLOCKED_ADDRESS
        assert error.permanent
        assert server.connections == 0

    talk(body, allowed=())


def test_a_name_that_turns_private_after_the_first_request_is_blocked_at_the_socket() -> None:
    """The check before the first request saw one address; the socket is made for another."""

    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(200, b"", ("Connection: close",))) as server:
            await transport.send(outgoing(server.url(host="rebinding.example")))
            transport._client._names.forget()  # as when the answer of the DNS is old
            error = await failure(transport, outgoing(server.url(host="rebinding.example")))
        assert error.error_class is ErrorClass.BLOCKED_ADDRESS
        assert server.connections == 1

    only_one = (ip_network("127.0.0.1/32"),)
    talk(body, allowed=only_one, resolve=answers("127.0.0.1", "127.0.0.2"))


def test_a_name_that_is_unknown_is_a_dns_error() -> None:
    async def body(transport: WebhookTransport) -> None:
        error = await failure(transport, outgoing("http://nowhere.example/"))
        assert error.error_class is ErrorClass.DNS

    talk(body, resolve=answers())


def test_an_allowed_ipv6_literal_is_connected() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(), host="::1") as server:
            assert (await transport.send(outgoing(server.url(host="[::1]")))).status == 200

    talk(body)


# --- TLS ---


def tls_failure(server_tls: object, host: str = "localhost", **changes: object) -> ErrorClass:
    classes: list[ErrorClass] = []

    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(), tls=server_tls) as server:  # type: ignore[arg-type]
            error = await failure(transport, outgoing(server.url(host=host), **changes))
        classes.append(error.error_class)
        assert server.requests == []

    talk(body, resolve=answers("127.0.0.1"))
    return classes[0]


def test_certificates_that_do_not_hold_are_told_apart() -> None:
    good, old = certificate(), certificate(days_left=-1)
    assert tls_failure(good.server_context()) is ErrorClass.TLS_UNTRUSTED
    trusting_old = Tls(ca_pem=old.certificate)
    assert tls_failure(old.server_context(), tls=trusting_old) is ErrorClass.TLS_EXPIRED
    trusting = Tls(ca_pem=good.certificate)
    assert tls_failure(good.server_context(), "a.example", tls=trusting) is ErrorClass.TLS_NAME


def test_a_server_without_tls_is_no_secure_connection() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(not_http) as server:
            url = server.url().replace("http:", "https:")
            error = await failure(transport, outgoing(url, timeout_seconds=1))
        assert error.error_class is ErrorClass.CONNECT_TIMEOUT

    talk(body)


def test_an_endpoints_own_authority_and_client_certificate_are_used() -> None:
    server_side, client_side = certificate(), certificate(names=("client",))
    wants_client = server_side.server_context(client_ca=client_side.certificate)
    both = Tls(ca_pem=server_side.certificate, client_pem=client_side.pem)

    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering(), tls=wants_client) as server:
            url = server.url(host="localhost")
            assert (await transport.send(outgoing(url, tls=both))).status == 200
            # Another endpoint at the same host must not ride on that connection.
            without = Tls(ca_pem=server_side.certificate)
            error = await failure(transport, outgoing(url, tls=without))
        # Python's TLS server may drop the connection before its alert is out.
        assert error.error_class in (ErrorClass.TLS_OTHER, ErrorClass.RESET)
        assert len(server.requests) == 1

    talk(body, resolve=answers("127.0.0.1", "127.0.0.1"))


# --- credentials ---


def test_basic_and_bearer_credentials_are_sent() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(answering()) as server:
            await transport.send(outgoing(server.url(), auth=Basic(username="a", password="ü")))
            await transport.send(outgoing(server.url(), auth=Bearer(token="t0k")))
        assert "Authorization: Basic YTrDvA==" in server.requests[0].head
        assert "Authorization: Bearer t0k" in server.requests[1].head

    talk(body)


def token_server(*tokens: str, expires_in: int = 3_600) -> Behaviour:
    left = list(tokens)

    async def behaviour(conversation: Conversation) -> None:
        body = b'{"access_token": "%b", "token_type": "Bearer", "expires_in": %d}' % (
            left.pop(0).encode(),
            expires_in,
        )
        await answering(200, body)(conversation)

    return behaviour


def wanting(*tokens: str) -> Behaviour:
    async def behaviour(conversation: Conversation) -> None:
        is_known = any(f"Bearer {token}\r\n" in conversation.head for token in tokens)
        await answering(200 if is_known else 401)(conversation)

    return behaviour


def credentials(server: Receiver) -> ClientCredentials:
    return ClientCredentials(
        token_url=server.url("/token"), client_id="a:b", client_secret="s&", scope="write"
    )


def test_a_token_is_fetched_once_for_many_requests_at_once() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(token_server("one")) as tokens, receiver(wanting("one")) as server:
            request = outgoing(server.url(), auth=credentials(tokens))
            await asyncio.gather(*(transport.send(request) for _ in range(20)))
        (asked,) = tokens.requests
        assert "authorization: Basic YSUzQWI6cyUyNg==" in asked.head
        assert asked.body == b"grant_type=client_credentials&scope=write"

    talk(body)


def test_a_token_that_was_revoked_is_fetched_again_within_the_attempt() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with (
            receiver(token_server("one", "two")) as tokens,
            receiver(wanting("two")) as server,
        ):
            request = outgoing(server.url(), auth=credentials(tokens))
            assert (await transport.send(request)).status == 200
            assert (await transport.send(request)).status == 200
        assert len(tokens.requests) == 2
        assert len(server.requests) == 3

    talk(body)


def test_a_token_that_lives_shortly_is_not_kept_past_its_life() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with (
            receiver(token_server("one", "two", expires_in=1)) as tokens,
            receiver(wanting("one", "two")) as server,
        ):
            request = outgoing(server.url(), auth=credentials(tokens))
            await transport.send(request)
            await asyncio.sleep(0.6)
            await transport.send(request)
        assert len(tokens.requests) == 2

    talk(body)


@pytest.mark.parametrize(
    ("behaviour", "error_class", "permanent"),
    [
        (answering(401, b'{"error": "invalid_client"}'), ErrorClass.TOKEN, True),
        (answering(500), ErrorClass.TOKEN, False),
        (answering(200, b"hello"), ErrorClass.TOKEN, False),
        (answering(200, b'{"access_token": "a\\nb"}'), ErrorClass.TOKEN, False),
        (answering(200, b"x" * 100_000), ErrorClass.BODY_TOO_LARGE, False),
        (hang, ErrorClass.READ_TIMEOUT, False),
        (reset, ErrorClass.RESET, False),
    ],
)
def test_without_a_token_nothing_is_sent(
    behaviour: Behaviour, error_class: ErrorClass, permanent: bool
) -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(behaviour) as tokens, receiver(answering()) as server:
            request = outgoing(server.url(), auth=credentials(tokens), timeout_seconds=0.3)
            error = await failure(transport, request)
        assert (error.error_class, error.permanent) == (error_class, permanent)
        assert error.status is None
        assert server.requests == []

    talk(body)


def test_the_token_server_is_guarded_like_any_other() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(token_server("one")) as tokens:
            request = outgoing("http://93.184.216.34/", auth=credentials(tokens))
            error = await failure(transport, request)
        assert error.error_class is ErrorClass.BLOCKED_ADDRESS
        assert tokens.connections == 0

    talk(body, allowed=())


def test_secrets_do_not_show_when_values_are_printed() -> None:
    shown = repr(
        outgoing(
            "http://x.example/",
            auth=ClientCredentials(token_url="u", client_id="i", client_secret="hush"),
            tls=Tls(client_pem="hush"),
        )
    ) + repr((Basic(username="u", password="hush"), Bearer(token="hush")))
    assert "hush" not in shown


def test_a_cancelled_request_lets_the_cancellation_through() -> None:
    async def body(transport: WebhookTransport) -> None:
        async with receiver(hang) as server:
            task = asyncio.create_task(transport.send(outgoing(server.url())))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    talk(body)


def test_the_table_makes_one_transport_of_each_kind() -> None:
    made = table.make_all(allowed_networks=LOOPBACK)
    assert set(made) == set(table.Kind)
