"""Engines for tests: real ones, that may reach this machine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network

from delivery import stopping
from delivery.dispatch import Engine
from delivery.transports.webhook import WebhookTransport
from tests.delivery.waiting import PATIENCE

LOOPBACK = (ip_network("127.0.0.0/8"),)


@contextlib.contextmanager
def running_engine() -> Iterator[Engine]:
    """Run an engine until the end of the block; what it was told to stop for is forgotten then."""
    engine = Engine(transport=WebhookTransport(allowed_networks=LOOPBACK))
    try:
        yield engine
    finally:
        engine.close()
        stopping.clear()


def drain_until(engine: Engine, is_done: Callable[[], bool], *, seconds: float = 20) -> None:
    """Drain until it is so; fail the test where it never is."""
    until = time.monotonic() + PATIENCE * seconds
    while not is_done():
        assert time.monotonic() < until, "it did not come to that"
        engine.drain(seconds=1)
        time.sleep(0.05)
