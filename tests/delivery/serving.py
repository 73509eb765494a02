"""The portal under uvicorn in a thread, for tests that speak HTTP to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import uvicorn

PATIENCE_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server on the loopback."""

    port: int

    def request(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(
                status=response.status,
                headers={name.lower(): value for name, value in response.getheaders()},
                body=response.read(),
            )

    def publish(
        self,
        document: object,
        key: str | None,
        *,
        query: str = "",
        content_type: str | None = None,
    ) -> Answer:
        """POST an event, or a list of them as a batch, in structured mode."""
        kind = "application/cloudevents-batch+json"
        if not isinstance(document, list):
            kind = "application/cloudevents+json"
        headers = {"Content-Type": content_type or kind}
        if key:
            headers["X-API-Key"] = key
        body = json.dumps(document).encode()
        return self.request("POST", f"/api/v1/events{query}", body=body, headers=headers)


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Run `config.asgi` on a free port of the loopback until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        server = uvicorn.Server(
            uvicorn.Config(
                "config.asgi:application",
                lifespan="on",
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until = time.monotonic() + PATIENCE_SECONDS
        while not server.started and time.monotonic() < until and thread.is_alive():
            time.sleep(0.02)
        try:
            yield Server(port=listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
