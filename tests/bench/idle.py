"""What workers cost that have nothing to do, with 2,000 subscriptions that wait."""

from __future__ import annotations

import os
import time

import psutil

from tests.bench import database, processes, worlds
from tests.bench.measuring import Measurement

SUBSCRIPTIONS = 2_000
SETTLE_SECONDS = 8.0
SECONDS = 20.0
GOALS = {"default broker": 3.0, "Redis": 1.0, "RabbitMQ": 1.0}  # percent of one core


def run() -> list[Measurement]:
    """Measure two worker processes with beat and all its sweeps, on each broker."""
    database.ensure()
    worlds.make("idle", ["http://127.0.0.1:9/hook"] * SUBSCRIPTIONS, concurrency=4)
    return [_measured(name) for name in worlds.BROKERS]


def _measured(name: str) -> Measurement:
    from tests.delivery.workers import worker  # noqa: PLC0415 - Django is set up by now

    with worlds.broker(name) as environment, worker({**os.environ, **environment}) as running:
        time.sleep(SETTLE_SECONDS)
        group = [psutil.Process(running.process.pid), *running.children()]
        before, started = processes.work_seconds(group), time.monotonic()
        time.sleep(SECONDS)
        used = processes.work_seconds(group) - before
        percent = used / (time.monotonic() - started) * 100
    return Measurement(
        name=f"idle workers, {SUBSCRIPTIONS:,} subscriptions, {name}",
        value=percent,
        unit="% of a core",
        at_most=GOALS[name],
        detail=f"{used:.2f} s of work in {SECONDS:.0f} s, {len(group)} processes",
    )
