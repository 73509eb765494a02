"""Credentials that the webhook transport sends, and tokens that it fetches."""

from __future__ import annotations

import asyncio

import pytest

from delivery.transports import Basic, Bearer, ClientCredentials, ErrorClass, Tls
from delivery.transports.webhook import WebhookTransport
from tests.delivery.transports.receivers import (
    Behaviour,
    Conversation,
    Receiver,
    answering,
    hang,
    receiver,
    reset,
)
from tests.delivery.transports.talking import failure, outgoing, talk


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
