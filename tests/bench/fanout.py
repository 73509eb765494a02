"""Delivering each event to fifty subscriptions, against as many deliveries to one."""

from __future__ import annotations

from functools import partial

from tests.bench import database, deliver, receiving, worlds
from tests.bench.measuring import Measurement, alternate

WIDE = 50
CONCURRENCY = 16  # each, as a new subscription has
DELIVERIES = 30_000


def run() -> list[Measurement]:
    """Measure two worker processes that empty the same number of deliveries."""
    database.ensure()
    with receiving.receiving() as receiver:
        one, one_version = worlds.make("narrow", [receiver.url()])
        many, many_version = worlds.make("wide", [receiver.url()] * WIDE, concurrency=CONCURRENCY)
        narrow, wide = alternate(
            [
                partial(deliver.emptied, receiver, one, one_version, DELIVERIES),
                partial(deliver.emptied, receiver, many, many_version, DELIVERIES // WIDE),
            ]
        )
    return [
        Measurement(
            name=f"deliveries at fan-out {WIDE} ÷ fan-out 1",
            value=wide / narrow,
            unit="",
            at_least=0.9,
            detail=f"{wide:,.0f}/s ÷ {narrow:,.0f}/s",
        )
    ]
