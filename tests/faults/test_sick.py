"""Receivers that are dead, hang, lie or attack: the healthy ones do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import threading
from collections.abc import Iterator
from uuid import UUID

import pytest

from delivery.models import Attempt, DeadLetter, Delivery, QueueRow, Subscription
from tests import factories
from tests.brokers import free_port
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.transports import receivers
from tests.delivery.transports.receivers import Behaviour, Conversation
from tests.delivery.waiting import wait_until
from tests.delivery.workers import worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

HEALTHY, SICK = 45, 4  # more sick ones than worker processes
EVENTS = 6
HANG_SECONDS = 14


def visibly_owed() -> set[UUID]:
    return set(QueueRow.objects.values_list("delivery_id", flat=True))


def undelivered() -> set[UUID]:
    return set(Delivery.objects.exclude(status="delivered").values_list("pk", flat=True))


def test_the_healthy_are_served_while_the_sick_hang(process_environment: dict[str, str]) -> None:
    with Receiver().running() as well, Receiver().running() as ill:
        ill.reply = lambda _got, _before: Reply(after_seconds=HANG_SECONDS)
        dead, version = make_world(f"http://127.0.0.1:{free_port()}/dead")
        events = make_events(version, EVENTS)
        sick = [make_subscription(dead, ill, f"/sick-{number}") for number in range(SICK)]
        healthy = [make_subscription(dead, well, f"/well-{number}") for number in range(HEALTHY)]
        for subscription in (dead, *sick, *healthy):  # the sick ones became due first
            owe(subscription, events)
        with worker(process_environment):
            wait_until(lambda: len(well.got) >= HEALTHY * EVENTS, seconds=20)
            wait_until(
                lambda: (
                    Delivery.objects.filter(status="delivered", subscription__in=healthy).count()
                    == HEALTHY * EVENTS
                ),
                seconds=20,
            )
        first_answer = min(got.at for got in ill.got) + HANG_SECONDS
        assert len({got.path for got in ill.got}) == SICK
        assert max(got.at for got in well.got) < first_answer
        for number in range(HEALTHY):
            assert set(well.ids(f"/well-{number}").values()) == {1}
            assert len(well.ids(f"/well-{number}")) == EVENTS
        assert undelivered() == visibly_owed()
        assert Attempt.objects.filter(subscription_id=dead.pk, error_class="refused").exists()


def make_subscription(beside: Subscription, at: Receiver, path: str) -> Subscription:
    return factories.make_subscription(topic=beside.topic, url=at.url(path))


async def endless_headers(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 200 OK\r\n")
    while True:
        await conversation.say(b"X-More: " + b"a" * 1_000 + b"\r\n")


async def bomb(conversation: Conversation) -> None:
    packed = gzip.compress(b"\0" * 50_000_000)
    head = f"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
    await conversation.say(head.encode() + packed)


async def endless_body(conversation: Conversation) -> None:
    await conversation.say(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await conversation.say(b"8000\r\n" + b"a" * 0x8000 + b"\r\n")


async def resets(conversation: Conversation) -> None:
    conversation.writer.transport.abort()


METADATA = "Location: http://169.254.169.254/latest/meta-data/"
HOSTILE: dict[str, Behaviour] = {
    "endless-headers": endless_headers,
    "bomb": bomb,
    "endless-body": endless_body,
    "resets": resets,
    "redirect": receivers.answering(302, headers=(METADATA,)),
    "permanent-redirect": receivers.answering(308, headers=(METADATA,)),
}


@contextlib.contextmanager
def hostile() -> Iterator[dict[str, str]]:
    """Run all of them on a loop of their own; yield their addresses by name."""
    loop = asyncio.new_event_loop()
    ready, over = threading.Event(), asyncio.Event()
    urls: dict[str, str] = {}

    async def serve() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for name, behaviour in HOSTILE.items():
                running = await stack.enter_async_context(receivers.receiver(behaviour))
                urls[name] = running.url(f"/{name}")
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield urls
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(20)
        loop.close()


def test_hostile_receivers_end_as_dead_letters_and_cost_little(
    process_environment: dict[str, str],
) -> None:
    # Addresses that no connection may be made to, though their names look public.
    forbidden = {"metadata": "http://169.254.169.254/", "mapped": "http://[::ffff:169.254.1.1]/"}
    with Receiver().running() as well, hostile() as urls:
        healthy, version = make_world(well.url())
        events = make_events(version, EVENTS)
        bad = {
            name: factories.make_subscription(
                topic=healthy.topic, url=url, timeout_seconds=15, retry_waits_seconds=[]
            )
            for name, url in {**urls, **forbidden}.items()
        }
        for subscription in (*bad.values(), healthy):
            owe(subscription, events[:2])
        owe(healthy, events[2:])
        with worker(process_environment) as running:
            wait_until(lambda: len(well.ids()) == EVENTS, seconds=20)
            wait_until(lambda: not visibly_owed(), seconds=40)
            most = max(process.memory_info().rss for process in running.children())
        assert set(well.ids().values()) == {1}
        died = dict(DeadLetter.objects.values_list("subscription_id", "error_class"))
        found = {name: died.get(subscription.pk) for name, subscription in bad.items()}
        assert found == {
            "endless-headers": "protocol",
            "bomb": "http_status",
            "endless-body": "http_status",
            "resets": "reset",
            "redirect": "redirect",
            "permanent-redirect": "redirect",
            "metadata": "blocked_address",
            "mapped": "blocked_address",
        }
        assert DeadLetter.objects.count() == 2 * len(bad)
        assert most < 400_000_000
