"""Where the webhook transport connects to, and where never."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from delivery.transports import ErrorClass
from delivery.transports.webhook import WebhookTransport
from tests.delivery.transports.receivers import answering, receiver
from tests.delivery.transports.talking import answers, failure, outgoing, talk


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
