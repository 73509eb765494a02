"""Real Celery workers, as processes of their own, on the database of this run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from config import places

START_SECONDS = 120  # it ends early; many things may run beside


@dataclass
class Worker:
    """A running worker: the parent of a pool, with beat inside it."""

    process: subprocess.Popen[bytes]
    log: Path

    def children(self) -> list[psutil.Process]:
        """Return the processes of its pool."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        """Kill parent and children at once, as a lost machine would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def terminate(self, *, seconds: float = 20) -> int:
        """Ask it to stop; return its exit status."""
        self.process.terminate()
        return self.process.wait(seconds)


@contextlib.contextmanager
def worker(
    environment: Mapping[str, str],
    *,
    processes: int = 2,
    has_beat: bool = True,
    app: str = "config.celery",
    **more: str,
) -> Iterator[Worker]:
    """Run a worker until the end of the block; what is left of it then is killed."""
    folder = Path(tempfile.mkdtemp(prefix="signalbox-worker-"))
    ready = folder / "ready"
    log = folder / "log"
    command = [
        sys.executable, "-m", "celery", "-A", app, "worker", "--loglevel=warning",
        f"--concurrency={processes}", "--without-gossip", "--without-mingle", "--without-heartbeat",
    ]  # fmt: skip
    if has_beat:
        command += ["--beat"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=places.BASE_DIR,
            env={
                **environment,
                "SIGNALBOX_READY_FILE": str(ready),
                "DELIVERY_ALLOWED_NETWORKS": "127.0.0.0/8",
                **more,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    started = Worker(process=process, log=log)
    try:
        until = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield started
    finally:
        started.kill()
