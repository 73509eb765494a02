"""A real worker on each broker that production may have."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from celery import Celery

from config import places
from tests.config import broker_app

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("broker_fixture", ["redis_url", "rabbitmq_url"])
def test_worker_runs_what_is_sent(
    broker_fixture: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(broker_fixture)
    worker = subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "tests.config.broker_app", "-b", url,
            "worker", "--concurrency", "1",
        ],
        cwd=places.BASE_DIR,
        env=broker_app.environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    mark = tmp_path / "done"
    app = Celery(broker=url, set_as_current=False)
    app.conf.task_default_queue = "signalbox"
    try:
        app.send_task("note", [str(mark)])
        until = time.monotonic() + 30
        while not mark.exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert mark.exists()
    finally:
        worker.terminate()
        worker.wait(20)
        app.close()
