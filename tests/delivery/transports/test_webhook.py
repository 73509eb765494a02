"""The webhook transport against a real server: what it sends, how it reads the answer."""

from __future__ import annotations

import asyncio
import socket

import pytest

from delivery.transports import Bearer, ErrorClass, Receipt, Tls, table
from delivery.transports.webhook import WebhookTransport
from tests.delivery.transports.receivers import answering, hang, receiver
from tests.delivery.transports.talking import LOOPBACK, failure, outgoing, talk


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
