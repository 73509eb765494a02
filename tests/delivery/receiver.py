"""A real HTTP receiver in a thread: it keeps what it got and answers as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.delivery.waiting import PATIENCE


@dataclass(frozen=True, kw_only=True)
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        """Its `webhook-id`."""
        return self.headers["webhook-id"]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to answer, after how long."""

    status: int = 200
    body: str = "ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0.0


class Receiver:
    """Answers every POST by `reply`, which may look at the request and at how many came before."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.port = 0
        self.most_at_once = 0
        self._at_once = 0
        self.reply: Callable[[Got, int], Reply] = lambda _got, _before: Reply()
        self._loop = asyncio.new_event_loop()

    def url(self, path: str = "/hook") -> str:
        """Return an address that leads here."""
        return f"http://127.0.0.1:{self.port}{path}"

    def ids(self, path: str | None = None) -> Counter[str]:
        """Return how often each `webhook-id` came, to a path or anywhere."""
        return Counter(one.id for one in list(self.got) if path in (None, one.path))

    def wait_for(self, count: int, *, seconds: float = 15) -> None:
        """Return when so many different events have come; fail the test if they do not."""
        until = time.monotonic() + PATIENCE * seconds
        while len(self.ids()) < count:
            assert time.monotonic() < until, f"{len(self.ids())} of {count} came"
            time.sleep(0.02)

    async def _handle(self, request: web.Request) -> web.Response:
        got = Got(
            path=request.path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            at=time.monotonic(),
        )
        before = len(self.got)
        self.got.append(got)
        reply = self.reply(got, before)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if reply.after_seconds:
                await asyncio.sleep(reply.after_seconds)
        finally:
            self._at_once -= 1
        return web.Response(status=reply.status, text=reply.body, headers=dict(reply.headers))

    @contextlib.contextmanager
    def running(self) -> Iterator[Receiver]:
        """Listen on a free port of the loopback while inside."""
        is_ready = threading.Event()

        async def start() -> web.AppRunner:
            app = web.Application(client_max_size=2**21)
            app.router.add_post("/{tail:.*}", self._handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.port = runner.addresses[0][1]
            is_ready.set()
            return runner

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            runner = self._loop.run_until_complete(start())
            self._loop.run_forever()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(runner.cleanup())
            self._loop.close()

        thread = threading.Thread(target=run, name="receiver", daemon=True)
        thread.start()
        assert is_ready.wait(5 * PATIENCE)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(5 * PATIENCE)
