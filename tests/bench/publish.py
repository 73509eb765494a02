"""Publishing: the product against the bare server, and against what most teams would build."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.bench import database, load, servers, worlds
from tests.bench.load import Load
from tests.bench.measuring import Measurement, alternate, percentile

CONNECTIONS = 32
BATCH_CONNECTIONS = 8
BATCH = 100
SECONDS = 2.0
PATH = "/api/v1/events"
# Ten properties, and with the attributes about 600 bytes: the size that PERFORMANCE speaks of.
DATA = {
    "order_id": "A-100123",
    "customer_id": "C-20077",
    "currency": "EUR",
    "amount": 119.8,
    "is_paid": True,
    "channel": "web",
    "placed_at": "2026-11-22T10:15:30Z",
    "note": "Please leave it with the neighbours at number twelve, second floor.",
    "items": [{"sku": "BK-1", "quantity": 2}, {"sku": "TS-7", "quantity": 1}],
    "address": {"street": "Long Lane 12", "city": "Lisbon", "zip": "1100-001"},
}
SCHEMA: dict[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["order_id", "amount"],
    "properties": {
        "order_id": {"type": "string", "maxLength": 40},
        "customer_id": {"type": "string", "maxLength": 40},
        "currency": {"enum": ["EUR", "USD", "GBP"]},
        "amount": {"type": "number", "minimum": 0},
        "is_paid": {"type": "boolean"},
        "channel": {"type": "string"},
        "placed_at": {"type": "string", "format": "date-time"},
        "note": {"type": "string", "maxLength": 400},
        "items": {
            "type": "array",
            "items": {"type": "object", "required": ["sku"]},
        },
        "address": {"type": "object"},
    },
}
DRF = "tests.bench.comparators.drf_publish:application"
BARE = "tests.bench.comparators.bare:application"


def run() -> list[Measurement]:
    """Measure single events and batches, with all checks on and one subscription."""
    database.ensure()
    shop = open_shop()
    singles = partial(single, shop)
    batches = partial(batch, shop)
    loads: dict[str, list[Load]] = {"product": []}
    with (
        servers.serving("config.asgi:application") as product,
        servers.serving(BARE) as bare,
        servers.serving(DRF, interface="wsgi") as drf,
    ):
        for port in (product, bare, drf):
            load.press(port, singles, connections=CONNECTIONS, seconds=0.5)
        bare_rate, product_rate, drf_rate, bare_batch_rate, batch_rate = alternate(
            [
                _side(bare, singles),
                _side(product, singles, kept=loads["product"]),
                _side(drf, singles),
                # Against the requests of single size that the bare server answers.
                _side(bare, singles),
                _side(product, batches, connections=BATCH_CONNECTIONS, times=BATCH),
            ]
        )
    latencies = [value for one in loads["product"] for value in one.latencies_ms]
    return [
        Measurement(
            name="single events ÷ bare ASGI",
            value=product_rate / bare_rate,
            unit="",
            at_least=0.22,
            detail=f"{product_rate:,.0f}/s ÷ {bare_rate:,.0f}/s",
        ),
        Measurement(
            name="single events ÷ DRF, a transaction a request",
            value=product_rate / drf_rate,
            unit="times",
            at_least=10,
            detail=f"{product_rate:,.0f}/s ÷ {drf_rate:,.0f}/s",
        ),
        Measurement(
            name="events in batches of 100 ÷ bare requests",
            value=batch_rate / bare_batch_rate,
            unit="",
            at_least=0.6,
            detail=f"{batch_rate:,.0f}/s ÷ {bare_batch_rate:,.0f}/s",
        ),
        Measurement(
            name="single events, p50 and p99",
            value=percentile(latencies, 50),
            unit="ms",
            detail=f"p99 {percentile(latencies, 99):.1f} ms at {CONNECTIONS} connections",
        ),
    ]


def _side(
    port: int,
    make: Callable[[], bytes],
    *,
    connections: int = CONNECTIONS,
    times: int = 1,
    kept: list[Load] | None = None,
) -> Callable[[], float]:
    def measure() -> float:
        found = load.press(port, make, connections=connections, seconds=SECONDS)
        if set(found.statuses) != {202}:
            raise RuntimeError(f"Not everything was taken: {dict(found.statuses)}")
        if kept is not None:
            kept.append(found)
        return found.per_second() * times

    return measure


_ids = itertools.count()
_RUN = os.urandom(4).hex()
_HERE = "@@"  # where an event's own id goes


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """Who publishes: its key, and the text of an event before and behind the id."""

    key: str
    head: bytes
    tail: bytes

    def event(self) -> bytes:
        """Return the text of one new event."""
        return self.head + f"{_RUN}-{next(_ids):012d}".encode() + self.tail


def single(shop: Shop) -> bytes:
    """Return a request with one new event."""
    headers = {"X-API-Key": shop.key, "Content-Type": "application/cloudevents+json"}
    return load.post(PATH, shop.event(), headers)


def batch(shop: Shop) -> bytes:
    """Return a request with a hundred new events."""
    headers = {"X-API-Key": shop.key, "Content-Type": "application/cloudevents-batch+json"}
    body = b"[" + b",".join(shop.event() for _ in range(BATCH)) + b"]"
    return load.post(PATH, body, headers)


def open_shop(url: str = "http://127.0.0.1:9/hook") -> Shop:
    """Make a topic, who publishes to it and one subscription that delivers to `url`."""
    from governance.states import Verb  # noqa: PLC0415 - Django is set up by now
    from tests import factories  # noqa: PLC0415

    (subscription,), version = worlds.make("shop", [url], document=SCHEMA, example=DATA)
    application = factories.make_application()
    factories.make_grant(application, topic=subscription.topic, verb=Verb.PUBLISH)
    _api_key, key = factories.make_key(application)
    text = json.dumps(
        {
            "specversion": "1.0",
            "id": _HERE,
            "source": "/bench/shop",
            "type": version.event_type.name,
            "time": "2026-11-22T10:15:30Z",
            "subject": "A-100123",
            "data": DATA,
        }
    )
    head, _, tail = text.encode().partition(_HERE.encode())
    return Shop(key=key, head=head, tail=tail)
