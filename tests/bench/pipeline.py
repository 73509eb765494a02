"""The whole pipeline on one machine: events come in while they go out, against publishing alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial

from tests.bench import database, load, publish, receiving, servers
from tests.bench.measuring import Measurement, alternate
from tests.bench.receiving import Receiver

SECONDS = 5.0
PATIENCE_SECONDS = 60


def run() -> list[Measurement]:
    """Measure single events over 32 connections, with two workers and without."""
    database.ensure()
    with receiving.receiving() as receiver:
        single = partial(publish.single, publish.open_shop(receiver.url()))
        with servers.serving("config.asgi:application") as port:
            load.press(port, single, connections=publish.CONNECTIONS, seconds=0.5)
            alone, whole = alternate(
                [
                    partial(_alone, port, single),
                    partial(_whole, port, single, receiver),
                ]
            )
    return [
        Measurement(
            name="events in and delivered ÷ publishing alone",
            value=whole / alone,
            unit="",
            at_least=0.4,
            detail=f"{whole:,.0f}/s ÷ {alone:,.0f}/s",
        )
    ]


def _alone(port: int, single: Callable[[], bytes]) -> float:
    return load.press(port, single, connections=publish.CONNECTIONS, seconds=SECONDS).per_second()


def _whole(port: int, single: Callable[[], bytes], receiver: Receiver) -> float:
    """Return the events a second from the first request until the last one was delivered."""
    from tests.bench import owing  # noqa: PLC0415 - Django is set up by now
    from tests.delivery.workers import worker  # noqa: PLC0415

    owing.empty()
    before = receiver.count()
    with worker({**os.environ}, has_beat=True):
        started = time.monotonic()
        found = load.press(port, single, connections=publish.CONNECTIONS, seconds=SECONDS)
        receiver.wait_for(before + found.statuses[202], seconds=PATIENCE_SECONDS)
        return found.statuses[202] / (time.monotonic() - started)
