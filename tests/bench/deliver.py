"""Delivering: the product against a bare client, and against what most teams would build."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

from tests.bench import database, receiving
from tests.bench.measuring import Measurement, alternate
from tests.bench.receiving import Receiver

PROCESSES = 2
CONNECTIONS = 64
FAST = 30_000
SLOW = 12_000
TASKS = 500
PATIENCE_SECONDS = 120
SUBSCRIPTIONS = {"fast": "/hook", "even": "/slow/50/0", "uneven": "/slow/50/2"}


def run() -> list[Measurement]:
    """Measure two worker processes on a backlog of one subscription."""
    database.ensure()
    with receiving.receiving() as receiver:
        worlds = {name: _seed(name, receiver.url(path)) for name, path in SUBSCRIPTIONS.items()}
        product, bare, tasks = alternate(
            [
                partial(_product, receiver, *worlds["fast"], FAST),
                partial(_bare, receiver),
                partial(_tasks, receiver, *worlds["fast"]),
            ]
        )
        even, uneven = alternate(
            [
                partial(_product, receiver, *worlds["even"], SLOW),
                partial(_product, receiver, *worlds["uneven"], SLOW),
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


def _product(receiver: Receiver, subscription: object, version: object, count: int) -> float:
    """Let real workers empty a backlog; return deliveries a second."""
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    from config.celery import app  # noqa: PLC0415
    from tests.bench import owing  # noqa: PLC0415
    from tests.delivery.workers import worker  # noqa: PLC0415

    owing.empty()
    before = receiver.count()
    with worker({**os.environ}, processes=PROCESSES, has_beat=False):
        owing.owe([subscription], version, count, now=timezone.now())  # type: ignore[list-item, arg-type]  # made by `_seed`
        for _ in range(PROCESSES):
            app.send_task("delivery.drain")
        receiver.wait_for(before + count, seconds=PATIENCE_SECONDS)
    return receiver.rate(before, before + count)


def _bare(receiver: Receiver) -> float:
    before = receiver.count()
    command = [
        sys.executable, "-m", "tests.bench.comparators.bare_client", receiver.url(),
        str(FAST // PROCESSES), str(CONNECTIONS),
    ]  # fmt: skip
    clients = [subprocess.Popen(command) for _ in range(PROCESSES)]
    for client in clients:
        client.wait(PATIENCE_SECONDS)
    return receiver.rate(before, before + FAST)


def _tasks(receiver: Receiver, subscription: object, version: object) -> float:
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    from config.celery import app  # noqa: PLC0415
    from tests.bench import owing  # noqa: PLC0415
    from tests.delivery.workers import worker  # noqa: PLC0415

    owing.empty()
    before = receiver.count()
    module = "tests.bench.comparators.task_per_delivery"
    with worker({**os.environ}, processes=PROCESSES, has_beat=False, app=module):
        ids = owing.owe([subscription], version, TASKS, now=timezone.now())  # type: ignore[list-item, arg-type]  # made by `_seed`
        for pk in ids:
            app.send_task("bench.deliver", [str(pk)])
        receiver.wait_for(before + TASKS, seconds=PATIENCE_SECONDS)
    return receiver.rate(before, before + TASKS)


def _seed(name: str, url: str) -> tuple[object, object]:
    """Make a subscription with room for many requests, and a version of its events."""
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    from delivery import endpoints  # noqa: PLC0415
    from governance.governed import governed  # noqa: PLC0415
    from tests import factories  # noqa: PLC0415

    topic = factories.make_topic(f"bench.deliver-{name}-{os.getpid()}")
    event_type = factories.make_event_type(
        f"com.acme.bench.{name}{os.getpid()}.created", topic=topic
    )
    version = factories.make_version(event_type=event_type)
    subscription = factories.make_subscription(
        topic=topic, url=url, concurrency=CONNECTIONS, name=name
    )
    assert subscription.endpoint is not None
    with governed(by=None, now=timezone.now()):
        endpoints.add_secret(subscription.endpoint, now=timezone.now())
    return subscription, version
