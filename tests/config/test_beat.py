"""The clock of what is done every so often costs nothing between two tasks."""

from __future__ import annotations

import time
from datetime import timedelta

from celery import Celery
from celery.schedules import schedule

from config.beat import Scheduler

TASKS = 3
EVERY_SECONDS = 0.2


def test_it_wakes_once_for_each_task_and_never_before_it_is_due() -> None:
    app = Celery("beat_test", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {
        "often": {"task": "note", "schedule": schedule(run_every=timedelta(seconds=EVERY_SECONDS))}
    }
    scheduler = Scheduler(app=app)
    sent: list[float] = []
    looks = 0
    started = time.monotonic()
    while len(sent) < TASKS:
        looks += 1
        wait = scheduler.tick()
        if wait:
            time.sleep(wait)
        else:
            sent.append(time.monotonic() - started)
    assert looks <= 3 * TASKS, "it looked again and again"
    assert all(at >= EVERY_SECONDS * (number + 1) for number, at in enumerate(sent[1:]))
