"""Talking to a receiver by the webhook transport, as its tests do."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import pytest
import uvloop

from delivery.transports import Outgoing, TransportError
from delivery.transports.names import AddrInfo, Resolve
from delivery.transports.webhook import WebhookTransport

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


def answers(*found: str) -> Resolve:
    """Return a resolver that answers look-ups with these addresses in turn, over and over."""
    turns = itertools.cycle(found)

    async def resolve(host: str, port: int) -> list[AddrInfo]:
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        address = next(turns)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

    return resolve
