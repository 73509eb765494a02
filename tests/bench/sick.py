"""What healthy subscribers feel of sick ones: the p99 of 45 beside one dead and four that hang."""

from __future__ import annotations

import http.client
import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING

from tests.bench import database, receiving, servers, worlds
from tests.bench.measuring import Measurement, alternate, percentile
from tests.bench.receiving import Receiver

if TYPE_CHECKING:
    from catalog.models import SchemaVersion

HEALTHY = 45
SICK = ["/slow/14000/0"] * 4  # more than there are worker processes
DEAD = "http://127.0.0.1:9/hook"  # nobody listens
EVENTS = 80
PER_SECOND = 4
CONCURRENCY = 16  # as a new subscription has
PATIENCE_SECONDS = 60


def run() -> list[Measurement]:
    """Publish the same events to the healthy alone, and to all; two worker processes with beat."""
    from tests.delivery.workers import worker  # noqa: PLC0415 - it needs what `ensure` sets

    database.ensure()
    with receiving.receiving() as receiver, servers.serving("config.asgi:application") as port:
        well = [receiver.url("/timed")] * HEALTHY
        ill = [DEAD, *map(receiver.url, SICK)]
        alone = _open(worlds.make("well", well, concurrency=CONCURRENCY)[1])
        beside = _open(worlds.make("ill", [*well, *ill], concurrency=CONCURRENCY)[1])
        with worker({**os.environ}):
            without_sick, with_sick = alternate(
                [
                    partial(_p99, receiver, port, *alone),
                    partial(_p99, receiver, port, *beside),
                ]
            )
    return [
        Measurement(
            name=f"p99 of {HEALTHY} beside {len(ill)} sick ÷ without them",
            value=with_sick / without_sick,
            unit="",
            at_most=1.5,
            detail=f"{with_sick:.0f} ms ÷ {without_sick:.0f} ms, {PER_SECOND} events a second",
        )
    ]


def _open(version: SchemaVersion) -> tuple[str, str]:
    """Let somebody publish events of the version; return the key and the type's name."""
    from governance.states import Verb  # noqa: PLC0415 - Django is set up by now
    from tests import factories  # noqa: PLC0415

    application = factories.make_application()
    topic = version.event_type.topic
    factories.make_grant(application, topic=topic, verb=Verb.PUBLISH)
    return factories.make_key(application)[1], version.event_type.name


def _p99(receiver: Receiver, port: int, key: str, type_name: str) -> float:
    """Return the milliseconds from publishing to the receiver, of the healthy."""
    before = len(receiver.latencies_ms())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    started = time.monotonic()
    for number in range(EVENTS):
        _publish(connection, key, type_name)
        time.sleep(max(0.0, started + (number + 1) / PER_SECOND - time.monotonic()))
    connection.close()
    wanted, until = before + EVENTS * HEALTHY, time.monotonic() + PATIENCE_SECONDS
    while len(found := receiver.latencies_ms()) < wanted:
        if time.monotonic() > until:
            raise RuntimeError(f"{len(found) - before} of {wanted - before} deliveries came.")
        time.sleep(0.2)
    return percentile(found[before:], 99)


def _publish(connection: http.client.HTTPConnection, key: str, type_name: str) -> None:
    event = {
        "specversion": "1.0",
        "id": os.urandom(8).hex(),
        "source": "/bench/sick",
        "type": type_name,
        "data": {"order_id": "A-1", "amount": 1, "sent_at": time.time()},
    }
    headers = {"X-API-Key": key, "Content-Type": "application/cloudevents+json"}
    connection.request("POST", "/api/v1/events", json.dumps(event), headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 202:
        raise RuntimeError(f"{answer.status}: {said.decode()}")
