"""The demo's subscribers: a small HTTP server that is healthy, slow, flaky or dead by path.

`GET /received?path=/healthy` lists what arrived last, newest first, so that a person or a test can
prove a delivery without reading a log.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import web

KEPT = 2000
SLOW_SECONDS = 2.5
FLAKY_EVERY = 4  # one in four is refused
NO_FLOW = "The requested webhook is not registered. Is the workflow active?"
BROKEN = "column delivery_window of relation orders does not exist"


class Receiver:
    """Answers by path and remembers what came."""

    def __init__(self) -> None:
        self._received: deque[dict[str, object]] = deque(maxlen=KEPT)
        self._turns = itertools.count(1)

    def application(self) -> web.Application:
        """Return the server's routes."""
        app = web.Application(client_max_size=2 * 1024 * 1024)
        app.router.add_get("/received", self._list)
        app.router.add_post("/slow", self._after(SLOW_SECONDS))
        app.router.add_post("/flaky", self._flaky)
        app.router.add_post("/dead", self._refuse(500, BROKEN))
        app.router.add_post("/gone-flow", self._refuse(404, NO_FLOW))
        app.router.add_post("/{anywhere:.*}", self._after(0))
        return app

    async def _keep(self, request: web.Request, status: int) -> None:
        body = await request.text()
        self._received.appendleft(
            {
                "path": request.path,
                "at": datetime.now(tz=UTC).isoformat(),
                "status": status,
                "headers": dict(request.headers),
                "body": body,
            }
        )

    def _after(self, seconds: float) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            await self._keep(request, 200)
            if seconds:
                await asyncio.sleep(seconds)
            return web.json_response({"received": True})

        return answer

    def _refuse(
        self, status: int, message: str
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            await self._keep(request, status)
            return web.json_response({"code": status, "message": message}, status=status)

        return answer

    async def _flaky(self, request: web.Request) -> web.Response:
        if next(self._turns) % FLAKY_EVERY:
            await self._keep(request, 200)
            return web.json_response({"received": True})
        await self._keep(request, 503)
        return web.json_response({"message": "display is rebooting"}, status=503)

    async def _list(self, request: web.Request) -> web.Response:
        path = request.query.get("path")
        found = [one for one in self._received if path is None or one["path"] == path]
        return web.json_response({"received": found}, dumps=json.dumps)


def run(*, port: int) -> None:
    """Serve on 127.0.0.1 until told to stop."""
    web.run_app(
        Receiver().application(), host="127.0.0.1", port=port, print=None, shutdown_timeout=1
    )
