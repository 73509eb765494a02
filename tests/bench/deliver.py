"""Delivering: the product against a bare client, and against what most teams would build."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from tests.bench import database, receiving, worlds
from tests.bench.measuring import Measurement, alternate
from tests.bench.receiving import Receiver

if TYPE_CHECKING:
    from catalog.models import SchemaVersion
    from delivery.models import Subscription

PROCESSES = 2
FAST = 30_000
SLOW = 12_000
TASKS = 500
PATIENCE_SECONDS = 120
SUBSCRIPTIONS = {"fast": "/hook", "even": "/slow/50/0", "uneven": "/slow/50/2"}


def run() -> list[Measurement]:
    """Measure two worker processes on a backlog of one subscription."""
    database.ensure()
    with receiving.receiving() as receiver:
        made = {
            name: worlds.make(name, [receiver.url(path)]) for name, path in SUBSCRIPTIONS.items()
        }
        product, bare, tasks = alternate(
            [
                partial(emptied, receiver, *made["fast"], FAST),
                partial(_bare, receiver),
                partial(_tasks, receiver, *made["fast"]),
            ]
        )
        even, uneven = alternate(
            [
                partial(emptied, receiver, *made["even"], SLOW),
                partial(emptied, receiver, *made["uneven"], SLOW),
            ]
        )
    return [
        Measurement(
            name="deliveries ÷ bare aiohttp client",
            value=product / bare,
            unit="",
            at_least=0.45,
            detail=f"{product:,.0f}/s ÷ {bare:,.0f}/s",
        ),
        Measurement(
            name="deliveries ÷ a task per delivery",
            value=product / tasks,
            unit="times",
            at_least=30,
            detail=f"{product:,.0f}/s ÷ {tasks:,.0f}/s",
        ),
        Measurement(
            name="2 % of answers after 1 s ÷ all after 50 ms",
            value=uneven / even,
            unit="",
            at_least=0.6,
            detail=f"{uneven:,.0f}/s ÷ {even:,.0f}/s",
        ),
    ]


def emptied(
    receiver: Receiver,
    subscriptions: list[Subscription],
    version: SchemaVersion,
    count: int,
    *,
    has_past: bool = False,
) -> float:
    """Let real workers empty a backlog of `count` events; return deliveries a second.

    What was delivered before is thrown away first, unless it is what the bench is about.
    """
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    from config.celery import app  # noqa: PLC0415
    from tests.bench import owing  # noqa: PLC0415
    from tests.delivery.workers import worker  # noqa: PLC0415

    if not has_past:
        owing.empty()
    before, all_of_it = receiver.count(), count * len(subscriptions)
    with worker({**os.environ}, processes=PROCESSES, has_beat=False):
        owing.owe(subscriptions, version, count, now=timezone.now())
        for _ in range(PROCESSES):
            app.send_task("delivery.drain")
        receiver.wait_for(before + all_of_it, seconds=PATIENCE_SECONDS)
    return receiver.rate(before, before + all_of_it)


def _bare(receiver: Receiver) -> float:
    before = receiver.count()
    command = [
        sys.executable, "-m", "tests.bench.comparators.bare_client", receiver.url(),
        str(FAST // PROCESSES), str(worlds.CONNECTIONS),
    ]  # fmt: skip
    clients = [subprocess.Popen(command) for _ in range(PROCESSES)]
    for client in clients:
        client.wait(PATIENCE_SECONDS)
    return receiver.rate(before, before + FAST)


def _tasks(receiver: Receiver, subscriptions: list[Subscription], version: SchemaVersion) -> float:
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    from config.celery import app  # noqa: PLC0415
    from tests.bench import owing  # noqa: PLC0415
    from tests.delivery.workers import worker  # noqa: PLC0415

    owing.empty()
    before = receiver.count()
    module = "tests.bench.comparators.task_per_delivery"
    with worker({**os.environ}, processes=PROCESSES, has_beat=False, app=module):
        ids = owing.owe(subscriptions, version, TASKS, now=timezone.now())
        for pk in ids:
            app.send_task("bench.deliver", [str(pk)])
        receiver.wait_for(before + TASKS, seconds=PATIENCE_SECONDS)
    return receiver.rate(before, before + TASKS)
