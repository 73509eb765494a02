"""A Celery app without Django, for a real worker on the folder named by the environment."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery

from config import broker


def make(folder: Path) -> Celery:
    """Return an app on the broker in `folder`; the process's current app stays what it was."""
    broker.register()
    made = Celery("broker_app", broker="filesystem://", set_as_current=False)
    made.conf.update(
        broker_transport_options={"folder": str(folder)},
        task_ignore_result=True,
        task_acks_late=True,
        task_default_queue="signalbox",
        worker_prefetch_multiplier=1,
    )
    return made


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a worker on the folder; Celery finds no settings of Django there.

    With them it would load all of the product, six seconds of work that no such worker needs.
    """
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return {**kept, "BROKER_FOLDER": str(folder)}


app = make(Path(os.environ.get("BROKER_FOLDER", "unset")))


@app.task(name="note")
def note(path: str) -> None:
    """Leave a mark that the test can see."""
    Path(path).touch()
