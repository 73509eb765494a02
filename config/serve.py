"""Serves the portal on a listening socket that its parent opened.

The parent keeps the socket open, so while a killed server is started again, clients wait in the
queue of the kernel and are not refused.
"""

from __future__ import annotations

import argparse
import socket
import sys

import uvicorn

# Streams and slow clients get this long when the server is told to stop.
GRACE_SECONDS = 3


def main(arguments: list[str]) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    options = parser.parse_args(arguments)
    settings = uvicorn.Config(
        "config.asgi:application",
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,  # Django's settings say how, for every process alike
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(settings).run(sockets=[socket.socket(fileno=options.fd)])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
