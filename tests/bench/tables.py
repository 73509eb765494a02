"""Whether the rates stay with a million deliveries in the tables, and with a forgotten BEGIN."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import psycopg

from tests.bench import database, deliver, load, publish, receiving, servers, worlds
from tests.bench.measuring import Measurement, alternate

SMALL, LARGE = 10_000, 1_000_000
BACKLOG = 10_000
SECONDS = 3.0


def run() -> list[Measurement]:
    """Deliver and publish on two databases that differ only in what lies there already."""
    database.ensure()
    from tests.bench import owing  # noqa: PLC0415 - Django is set up by now

    with receiving.receiving() as receiver:
        subscriptions, version = worlds.make("tables", [receiver.url()])
        shop = publish.open_shop()
        for count in (SMALL, LARGE):
            with database.beside(_name(count)):
                owing.lay_past(subscriptions[0], version, count)
        work = partial(deliver.emptied, receiver, subscriptions, version, BACKLOG, has_past=True)
        small, large, held = alternate(
            [partial(_on, SMALL, work), partial(_on, LARGE, work), partial(_held, LARGE, work)]
        )
        few, many = alternate([partial(_published, SMALL, shop), partial(_published, LARGE, shop)])
    return [
        Measurement(
            name=f"deliveries with {LARGE:,} in the tables ÷ with {SMALL:,}",
            value=large / small,
            unit="",
            at_least=0.9,
            detail=f"{large:,.0f}/s ÷ {small:,.0f}/s",
        ),
        Measurement(
            name="the same with a transaction held open beside",
            value=held / small,
            unit="",
            at_least=0.8,
            detail=f"{held:,.0f}/s ÷ {small:,.0f}/s",
        ),
        Measurement(
            name=f"events in batches with {LARGE:,} in the tables ÷ with {SMALL:,}",
            value=many / few,
            unit="",
            detail=f"{many:,.0f}/s ÷ {few:,.0f}/s",
        ),
    ]


def _name(count: int) -> str:
    return f"bench_{count}"


def _on(count: int, work: Callable[[], float]) -> float:
    with database.beside(_name(count)):
        return work()


def _held(count: int, work: Callable[[], float]) -> float:
    with database.beside(_name(count)), _open_transaction():
        return work()


@contextlib.contextmanager
def _open_transaction() -> Iterator[None]:
    """Hold a snapshot, as a forgotten BEGIN or a backup does."""
    from delivery import knowledge  # noqa: PLC0415 - Django is set up by now

    with psycopg.connect(**knowledge.own_connection()) as held:
        held.execute("SET idle_in_transaction_session_timeout = 0")
        held.commit()
        held.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        held.execute("SELECT FROM delivery_queue LIMIT 1")
        yield
        held.rollback()


def _published(count: int, shop: publish.Shop) -> float:
    with (
        database.beside(_name(count)),
        servers.serving("config.asgi:application") as port,
    ):
        batch = partial(publish.batch, shop)
        load.press(port, batch, connections=publish.BATCH_CONNECTIONS, seconds=0.5)
        found = load.press(port, batch, connections=publish.BATCH_CONNECTIONS, seconds=SECONDS)
        return found.per_second() * publish.BATCH
