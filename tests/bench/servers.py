"""Server processes for a bench: any ASGI or WSGI app under the server that the product runs on."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import uvicorn

READY_SECONDS = 30
PROCESSES = 2  # as `up` starts on two cores


@contextlib.contextmanager
def serving(
    app: str,
    *,
    interface: str = "asgi3",
    processes: int = PROCESSES,
    environment: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Serve `app` (module:name) by as many processes on one socket; yield the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        port = int(listener.getsockname()[1])
        command = [
            sys.executable, "-m", "tests.bench.servers", app,
            "--fd", str(listener.fileno()), "--interface", interface,
        ]  # fmt: skip
        children = [
            subprocess.Popen(
                command, pass_fds=[listener.fileno()], env={**os.environ, **(environment or {})}
            )
            for _ in range(processes)
        ]
        try:
            _wait_until_ready(children, port)
            yield port
        finally:
            for child in children:
                child.terminate()
            for child in children:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(10)
                child.kill()
                child.wait()


def _wait_until_ready(children: list[subprocess.Popen[bytes]], port: int) -> None:
    until = time.monotonic() + READY_SECONDS
    # The kernel accepts for all; a process that answers says nothing of the other, so wait a bit.
    while time.monotonic() < until:
        if any(child.poll() is not None for child in children):
            raise RuntimeError("A server of the bench did not start.")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2) as one:
            one.settimeout(2)
            one.sendall(b"OPTIONS /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if one.recv(64).startswith(b"HTTP/1.1"):
                time.sleep(1.5)
                return
        time.sleep(0.1)
    raise RuntimeError("The servers of the bench do not answer.")


def main(arguments: list[str]) -> None:
    """Serve one app on the socket that the parent opened."""
    parser = argparse.ArgumentParser()
    parser.add_argument("app")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--interface", default="asgi3")
    options = parser.parse_args(arguments)
    config = uvicorn.Config(
        options.app,
        loop="uvloop",
        http="httptools",
        interface=options.interface,
        lifespan="auto",
        log_level="error",
        access_log=False,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=options.fd)])


if __name__ == "__main__":
    main(sys.argv[1:])
