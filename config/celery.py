"""The Celery app of the worker, of beat and of whoever wakes them."""

from __future__ import annotations

import logging.config
import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import (
    setup_logging,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings

from config import broker
from delivery import stopping  # here, so that the pool's processes share the flag made before them

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
broker.register()

app = Celery("signalbox")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_shutting_down.connect
def tell_running_tasks(**_signal: Any) -> None:
    """Ask long tasks in the pool to finish soon: Celery itself waits for them in silence."""
    stopping.request_stop()


@worker_ready.connect
def tell_supervisor(**_signal: Any) -> None:
    """Touch the file that `manage.py up` waits for."""
    if path := os.environ.get("SIGNALBOX_READY_FILE"):
        Path(path).touch()


@setup_logging.connect
def keep_our_logging(**_signal: Any) -> None:
    """Have workers and beat log as every process does: Celery leaves alone what is set up here."""
    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
def know_addresses(**_signal: Any) -> None:
    """Build the table of pages before the pool is forked.

    It takes half a second, which else falls on the first delivery that a process has news of.
    """
    from django.urls import reverse  # noqa: PLC0415 - models exist only now

    reverse("delivery:home")


@worker_process_init.connect
def trace(**_signal: Any) -> None:
    """Begin to trace where that is wanted: after the fork, since threads do not survive it."""
    from config import telemetry  # noqa: PLC0415 - models exist only now

    telemetry.start()


@worker_process_shutdown.connect
def stop_tracing(**_signal: Any) -> None:
    """Send the spans that wait."""
    from config import telemetry  # noqa: PLC0415 - models exist only now

    telemetry.stop()
