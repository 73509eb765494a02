"""Wake-ups: each fetches nothing, calls one verb and returns nothing; all are safe to run twice.

A lost message delays work until the next sweep, and loses none: the work is rows.
"""

from __future__ import annotations

import math
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_process_shutdown, worker_ready
from django.utils import timezone

from delivery import (
    change_news,
    database_clock,
    draining,
    lookout,
    mailing,
    portal_events,
    replay_running,
    retention,
    rollups,
    sampling,
    values,
)

# A task that has more to do asks for another, behind what else waits: a wake-up for a drain may lie
# there, and each worker process that is busy is one less for it.
SLICE_SECONDS = 0.03
# Every ten seconds, of some hundred events each: more than most installations take in.
VALUE_RUNS = 100


# A wake-up that waited longer tells nothing that a sweep has not found by now.
@shared_task(name="delivery.drain", ignore_result=True, acks_late=True, expires=10)
def drain(subscription_id: str | None = None, sent_at: float = math.inf) -> None:
    """Serve every due subscription; the one named is a hint for who reads the queue.

    `sent_at` (seconds since 1970) tells a wake-up whose work this process has found by itself.
    Under load nearly all messages are such: each a drain of its own, no other task would run.
    """
    del subscription_id
    if draining.has_looked_since(sent_at):
        return
    if draining.drain():
        _drain_soon()


def _drain_soon() -> None:
    drain.delay(sent_at=time.time())


# The others wait for two drains at most, one behind the other: they must not expire by then.
@shared_task(name="delivery.sweep", ignore_result=True, acks_late=True, expires=20)
def sweep() -> None:
    """Find work whose wake-up was lost, and work that became due by time."""
    found = lookout.look(now=timezone.now())
    if found.deliveries:
        _drain_soon()
    if found.replays:
        run_replays.delay()
    if found.portal_events:
        publish_portal_events.delay()


@shared_task(name="delivery.run_replays", ignore_result=True, acks_late=True, expires=20)
def run_replays() -> None:
    """Queue the next deliveries of running replays, each at its own pace."""
    if replay_running.run_all(now=database_clock.read()):
        _drain_soon()


@shared_task(name="delivery.roll_up", ignore_result=True, acks_late=True, expires=30)
def roll_up() -> None:
    """Bring the counts that dashboards read up to date."""
    now = database_clock.read()
    sampling.sample(now=now)
    rollups.roll_up(now=now)
    if rollups.is_behind(now=now):
        roll_up.delay()


@shared_task(name="delivery.fill_values", ignore_result=True, acks_late=True, expires=30)
def fill_values(runs: int = VALUE_RUNS) -> None:
    """Let new events be found by their values; `runs` bounds how often it goes on."""
    until = time.monotonic() + SLICE_SECONDS
    while values.fill(now=timezone.now()) == values.BATCH:
        if time.monotonic() > until:
            if runs > 1:
                fill_values.delay(runs - 1)
            return


@shared_task(name="delivery.publish_portal_events", ignore_result=True, acks_late=True, expires=20)
def publish_portal_events() -> None:
    """Publish what Signalbox has to say of itself."""
    if portal_events.publish_waiting(now=timezone.now()) == portal_events.AT_A_TIME:
        publish_portal_events.delay()


@shared_task(name="delivery.send_mail", ignore_result=True, acks_late=True, expires=60)
def send_mail() -> None:
    """Send the news that people want by e-mail."""
    if mailing.send_due(now=timezone.now()):
        send_mail.delay()


@shared_task(name="delivery.remind_of_changes", ignore_result=True, acks_late=True, expires=600)
def remind_of_changes() -> None:
    """Remind those who keep a change waiting."""
    change_news.remind(now=timezone.now())


@shared_task(name="delivery.keep_partitions", ignore_result=True, acks_late=True, expires=600)
def keep_partitions() -> None:
    """Make the partitions of the coming days, and drop what is past its retention."""
    retention.keep(now=timezone.now())


@worker_ready.connect
def look_at_all(**_signal: Any) -> None:
    """Have what came while no worker ran looked at, batches that became full among it."""
    _drain_soon()


@worker_process_init.connect
def get_ready(**_signal: Any) -> None:
    """Have a pool's process know what it needs before the first wake-up."""
    draining.get_ready()


@worker_process_shutdown.connect
def give_back(**_signal: Any) -> None:
    """Give back what a pool's process holds between two drains."""
    draining.close()
