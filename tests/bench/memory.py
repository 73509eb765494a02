"""What a web and a worker process hold after many events, against after the first few."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial

import psutil

from tests.bench import database, load, processes, publish, receiving, servers
from tests.bench.measuring import Measurement
from tests.bench.receiving import Receiver

FEW = 10_000
# As many as a run may take; SIGNALBOX_BENCH_EVENTS=1000000 for the whole way.
MANY = int(os.environ.get("SIGNALBOX_BENCH_EVENTS", "150000"))
STEP_SECONDS = 1.0
PATIENCE_SECONDS = 120


def run() -> list[Measurement]:
    """Publish in batches and deliver all of it; compare the largest process of each kind."""
    from tests.delivery.workers import worker  # noqa: PLC0415 - it needs what `ensure` sets

    database.ensure()
    with (
        receiving.receiving() as receiver,
        servers.serving("config.asgi:application") as port,
        worker({**os.environ}) as running,
    ):
        kinds = {"web": processes.servers(), "worker": running.children()}
        batch = partial(publish.batch, publish.open_shop(receiver.url()))
        few = _held_after(FEW, receiver, port, batch, kinds)
        many = _held_after(MANY, receiver, port, batch, kinds)
    return [
        Measurement(
            name=f"memory of a {kind} process after {MANY:,} events ÷ after {FEW:,}",
            value=many[kind] / few[kind],
            unit="",
            at_most=1.1,
            detail=f"{many[kind]:.0f} MiB ÷ {few[kind]:.0f} MiB",
        )
        for kind in kinds
    ]


def _held_after(
    count: int,
    receiver: Receiver,
    port: int,
    batch: load.MakeRequest,
    kinds: Mapping[str, Sequence[psutil.Process]],
) -> dict[str, float]:
    """Go on until `count` events in all were delivered; return MiB by kind of process."""
    while (came := receiver.count()) < count:
        found = load.press(port, batch, connections=4, seconds=STEP_SECONDS)
        sent = found.statuses[202] * publish.BATCH
        receiver.wait_for(came + sent, seconds=PATIENCE_SECONDS)
    return {kind: processes.largest_mib(some) for kind, some in kinds.items()}
