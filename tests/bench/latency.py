"""How long an event takes from `POST` to its receiver on an idle system, by each broker.

The whole product as `manage.py up` runs it, with the demo's healthy receiver. The receiver notes
when a request came in; both clocks are this machine's.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import requests

from tests import portal
from tests.bench import worlds
from tests.bench.measuring import Measurement, percentile

EVENTS = 100
PER_SECOND = 20
PATIENCE_SECONDS = 20
ORDER = "com.acme.sales.order.created"
# Milliseconds, p50 and p99; on a machine that does little else.
GOALS = {"default broker": (60, 150), "Redis": (25, 80), "RabbitMQ": (25, 80)}


def run() -> list[Measurement]:
    """Start the demo on each broker, publish at an even pace, and compare the times."""
    return [one for name in worlds.BROKERS for one in _on(name)]


def _on(name: str) -> list[Measurement]:
    home = Path(tempfile.mkdtemp(prefix="signalbox-latency-"))
    with worlds.broker(name) as environment:
        running = portal.start(home / "data", **environment)
        try:
            milliseconds = list(_measure(running))
        finally:
            running.stop()
            shutil.rmtree(home, ignore_errors=True)
    p50, p99 = GOALS[name]
    return [
        Measurement(
            name=f"publish to receiver, {name}, p50",
            value=percentile(milliseconds, 50),
            unit="ms",
            at_most=p50,
            detail=f"{len(milliseconds)} of {EVENTS} events, {PER_SECOND} a second",
        ),
        Measurement(
            name=f"publish to receiver, {name}, p99",
            value=percentile(milliseconds, 99),
            unit="ms",
            at_most=p99,
        ),
        Measurement(
            name=f"publish to receiver, {name}, arrived",
            value=len(milliseconds) / EVENTS,
            unit="of all",
            at_least=1,
        ),
    ]


def _measure(running: portal.RunningPortal) -> Iterator[float]:
    sent: dict[str, datetime] = {}
    key = running.keys["web-shop"]["production"]
    with requests.Session() as session:
        for _ in range(EVENTS):
            order = f"L-{uuid4().hex[:12]}"
            sent[order] = datetime.now(tz=UTC)
            _publish(session, running.url, key, order)
            time.sleep(1 / PER_SECOND)
    port = (running.data_dir / "demo-receiver.port").read_text().strip()
    until = time.monotonic() + PATIENCE_SECONDS
    arrived: dict[str, datetime] = {}
    while len(arrived) < EVENTS and time.monotonic() < until:
        answer = requests.get(
            f"http://127.0.0.1:{port}/received", params={"path": "/healthy"}, timeout=10
        )
        for one in answer.json()["received"]:
            for order in sent:
                if order in one["body"]:
                    arrived[order] = datetime.fromisoformat(one["at"])
        time.sleep(0.2)
    for order, at in arrived.items():
        yield (at - sent[order]).total_seconds() * 1000


def _publish(session: requests.Session, url: str, key: str, order: str) -> None:
    answer = session.post(
        f"{url}/api/v1/events",
        json={
            "order_id": order,
            "total": {"amount": 1, "currency": "EUR"},
            "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
            "placed_at": "2026-11-22T09:12:44Z",
            "channel": "web",
        },
        headers={
            "Authorization": f"Bearer {key}",
            "ce-specversion": "1.0",
            "ce-id": order,
            "ce-source": "/latency",
            "ce-type": ORDER,
        },
        timeout=10,
    )
    answer.raise_for_status()
