"""What lanes bring back, written together: as soon as there are many, or after a moment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from django.db import Error as DatabaseFault

from delivery import health, supply
from delivery.database_thread import DatabaseThread
from delivery.settling import Result
from delivery.targets import Knowledge

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 0.05
FLUSH_RESULTS = 250
DATABASE_WAIT_SECONDS = 0.5


class Written(Protocol):
    """Hears which results count now, and whether they changed what is known."""

    def __call__(self, written: Sequence[Result], *, is_knowledge_old: bool) -> None: ...


class Results:
    """The results of one engine; true while some are not written yet. Used on its loop only.

    `written` hears of each batch, `done` when nothing is left.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        database: DatabaseThread,
        *,
        clock: Callable[[], datetime],
        knowledge: Callable[[], Knowledge | None],
        written: Written,
        done: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._database = database
        self._clock = clock
        self._knowledge = knowledge
        self._written = written
        self._done = done
        self._notes = health.Notes()
        self._waiting: list[Result] = []
        self._flusher: asyncio.Task[None] | None = None
        self._must_flush = asyncio.Event()

    def __bool__(self) -> bool:
        return self._flusher is not None

    def add(self, result: Result, *, is_urgent: bool) -> None:
        """Have it written soon; at once if somebody waits for it."""
        self._waiting.append(result)
        if is_urgent or len(self._waiting) >= FLUSH_RESULTS:
            self._must_flush.set()
        if self._flusher is None:
            self._flusher = self._loop.create_task(self._flush())

    def hurry(self) -> None:
        """Write what there is now: nothing more comes for a while."""
        self._must_flush.set()

    async def finish(self) -> None:
        """Write everything; return when that is done."""
        self._must_flush.set()
        if self._flusher is not None:
            await self._flusher

    async def _flush(self) -> None:
        try:
            while self._waiting:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FLUSH_SECONDS):
                        await self._must_flush.wait()
                self._must_flush.clear()
                batch, self._waiting = self._waiting, []
                await self._settle(batch)
        finally:
            self._flusher = None
            self._done()

    async def _settle(self, batch: Sequence[Result]) -> None:
        knowledge = self._knowledge()
        if knowledge is None:
            return  # nothing is sent before it was read
        while True:
            try:
                settled = await self._database.run(
                    supply.settle, batch, notes=self._notes, knowledge=knowledge, now=self._clock()
                )
                break
            except DatabaseFault:
                now = self._clock()
                batch = [result for result in batch if result.owed.leased_until > now]
                logger.warning("Results cannot be written; trying again.", exc_info=True)
                if not batch:
                    return
                await asyncio.sleep(DATABASE_WAIT_SECONDS)
        if settled.lost:
            logger.warning("%s deliveries were no longer ours when they ended.", settled.lost)
        self._written(batch, is_knowledge_old=settled.is_knowledge_old)
