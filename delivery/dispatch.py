"""Sending what is owed: one engine in each worker process, for every subscription at once.

    claim ──► windows ──► lanes send ──► results ──► settled in bulk
      ▲                     │
      └── room in a window ◄┘

There is no batch to wait for: each lane takes the next delivery when its last is done, so a slow
receiver holds up its own lanes and nobody else's. The engine's loop runs in a thread of its own:
what is under way when a drain's time is over goes on while Celery does other work.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import uvloop
from django.db import Error as DatabaseFault

from delivery import (
    asking,
    batch_sending,
    breaker,
    claiming,
    sending,
    stopping,
    supply,
    targets,
)
from delivery.claiming import Owed
from delivery.database_clock import DatabaseClock
from delivery.database_thread import DatabaseThread
from delivery.outgoing import Address, Message
from delivery.outlook import Outlook
from delivery.results import Results
from delivery.settling import Refused, Result, Tried
from delivery.shelf import Shelf
from delivery.targets import Knowledge, Target
from delivery.transports import Transport
from delivery.windows import Window

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 5.0  # then Celery's other tasks have their turn
STOP_SECONDS = 8.0  # what is out that long after a stop was asked for is broken off
POLL_SECONDS = 0.05
# Every so often the whole queue is looked at again, not only what became due lately.
FORGET_LOW_SECONDS = 5.0
DATABASE_WAIT_SECONDS = 0.5


class Engine:
    """Claims, sends and settles for one worker process, by the database's time."""

    def __init__(self, *, transport: Transport) -> None:
        self._transport = transport
        self._clock = DatabaseClock()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="drain", daemon=True)
        self._database = DatabaseThread("drain-database")
        self._knowledge: Knowledge | None = None
        self._known_at = 0.0
        self._windows: dict[UUID, Window] = {}
        self._shelf = Shelf()
        self._lanes: set[asyncio.Task[None]] = set()
        self._runs_low = asyncio.Event()
        self._results = Results(
            self._loop,
            self._database,
            clock=self._clock,
            knowledge=lambda: self._knowledge,
            written=self._after,
            done=self._runs_low.set,
        )
        self._outlook = Outlook()
        self._forgot_at = 0.0
        self._is_stopping = False
        self._must_refresh = False
        self._thread.start()

    def drain(self, *, seconds: float = DRAIN_SECONDS) -> bool:
        """Serve every due subscription until nothing is owed now or the time is over.

        Returns whether work is left. Returns early, with everything released, when a stop is
        asked for. Call it from one thread at a time.
        """
        return asyncio.run_coroutine_threadsafe(self._serve(seconds), self._loop).result()

    def learn_soon(self) -> None:
        """Read what sending needs before anything is sent; should it fail, `drain` asks again."""
        asyncio.run_coroutine_threadsafe(self._refresh(), self._loop)

    def close(self) -> None:
        """Break off what is under way, give back what is held, and end the engine's threads."""
        asyncio.run_coroutine_threadsafe(self._finish(patience=0), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._database.close()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _serve(self, seconds: float) -> bool:
        ends_at = self._loop.time() + seconds
        self._outlook.forget()
        while self._loop.time() < ends_at:
            if stopping.is_stopping():
                await self._finish(patience=STOP_SECONDS)
                return True
            try:
                taken = await self._take()
            except DatabaseFault:
                logger.warning("The database does not answer; asking again.", exc_info=True)
                await asyncio.sleep(DATABASE_WAIT_SECONDS)
                continue
            if not taken and not self._is_busy and not self._must_refresh:
                return False
            await self._until_more_is_wanted()
        return True

    @property
    def _is_busy(self) -> bool:
        return bool(
            self._lanes or self._results or any(one.is_busy for one in self._windows.values())
        )

    async def _until_more_is_wanted(self) -> None:
        """Wait until a window runs low, at most as long as new work may lie unseen."""
        if not self._lanes:
            self._results.hurry()
        self._runs_low.clear()
        has_room = self._shelf.room_bytes > 0
        if has_room and any(one.runs_low and one.room for one in self._windows.values()):
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._runs_low.wait()

    # Claiming

    async def _take(self) -> bool:
        """Claim what there is room for and set it going; tell whether anything was claimed."""
        knowledge = await self._refresh()
        now, clock = self._clock(), self._loop.time()
        await self._look(knowledge, now)
        self._shelf.tidy(self._waiting)
        has_room = self._shelf.room_bytes > 0
        asks = asking.asks(self._windows, knowledge, now=now, clock=clock) if has_room else []
        if not asks:
            self._fill()
            return False
        taken = await self._database.run(
            supply.take,
            asks,
            held=self._shelf.ids,
            most_bytes=self._shelf.room_bytes,
            knowledge=knowledge,
            now=now,
        )
        self._shelf.put(taken.messages)
        by_subscription: dict[UUID, list[Owed]] = {pk: [] for pk in taken.asked}
        for owed in taken.owed:
            by_subscription[owed.subscription_id].append(owed)
        for pk, mine in by_subscription.items():
            window, target = self._windows[pk], knowledge.targets[pk]
            window.probes |= taken.probes
            keeps_low = not target.is_ordered and target.collects is None
            window.take_in(mine, asked=max(taken.asked[pk], 1), keeps_low=keeps_low)
            window.is_hot |= pk in taken.cut
            if target.collects is not None:
                window.low = now  # until the whole queue is looked at again
        if taken.probes:
            self._must_refresh = True
        self._fill()
        return bool(taken.owed)

    async def _refresh(self) -> Knowledge:
        """Return knowledge that is at most half a second old."""
        known, asked_at = self._knowledge, self._loop.time()
        is_young = asked_at - self._known_at < targets.REFRESH_SECONDS
        if known is not None and is_young and not self._must_refresh:
            return known
        self._must_refresh = False
        await self._database.run(self._clock.set)
        fresh = await self._database.run(targets.read, known, now=self._clock())
        self._knowledge, self._known_at = fresh, asked_at
        if known is None or known.version != fresh.version:
            self._forget_lows()
            self._outlook.forget_collected()
            self._shelf.keep_only(self._waiting)
            self._windows = {
                pk: one for pk, one in self._windows.items() if pk in fresh.targets or one.is_busy
            }
        for pk in fresh.circuits.keys() | (known.circuits.keys() if known else ()):
            if pk in self._windows:
                self._windows[pk].is_hot = True
                self._windows[pk].low = claiming.LONG_AGO
        self._release_what_must_wait(fresh)
        # A batch at a time, so that nothing else waits long; more of it, and we come back at once.
        ended = await self._database.run(supply.end_unentitled, fresh, now=self._clock())
        self._must_refresh = ended >= supply.BACKLOG_BATCH
        return fresh

    async def _look(self, knowledge: Knowledge, now: datetime) -> None:
        """Find the subscriptions that have something for us now."""
        clock = self._loop.time()
        if clock - self._forgot_at > FORGET_LOW_SECONDS:
            self._forget_lows()
        if not self._outlook.is_time(now):
            return
        for pk in await self._database.run(self._outlook.look, knowledge, now=now, clock=clock):
            self._windows.setdefault(pk, Window(subscription_id=pk)).is_hot = True

    @property
    def _waiting(self) -> Iterator[Collection[Owed]]:
        return (window.waiting for window in self._windows.values())

    def _forget_lows(self) -> None:
        self._forgot_at = self._loop.time()
        self._outlook.forget()
        for window in self._windows.values():
            window.low = claiming.LONG_AGO

    # Sending

    def _fill(self) -> None:
        """Start as many lanes as each window may have out."""
        for window in self._windows.values():
            for _ in range(min(len(window.waiting), window.share - window.out)):
                window.out += 1
                lane = self._loop.create_task(self._lane(window))
                self._lanes.add(lane)
                lane.add_done_callback(self._lanes.discard)

    async def _lane(self, window: Window) -> None:
        """Send one after the other while something waits."""
        try:
            while window.waiting and window.out <= window.share and self._may_send:
                owed = window.waiting.popleft()
                await self._deliver(owed, window)
                window.finish()
                if window.runs_low:
                    self._runs_low.set()
        finally:
            window.out -= 1

    @property
    def _may_send(self) -> bool:
        """Tell whether what we know of grants is fresh, and nobody asked us to stop."""
        return not self._is_stopping and (
            self._loop.time() - self._known_at <= targets.FRESH_SECONDS
        )

    async def _deliver(self, owed: Owed, window: Window) -> None:
        now = self._clock()
        target = self._target(owed.subscription_id)
        if target is None or not owed.lasts(target.timeout_seconds + 1, now):
            return  # it becomes due again by itself
        is_probe = owed.delivery_id in window.probes
        window.probes.discard(owed.delivery_id)
        address, is_for_health = sending.address_for(
            owed, target, self._circuit(owed.subscription_id), is_probe=is_probe
        )
        messages = self._shelf.find(owed)
        stand_in = self._stand_in(target)
        if messages is not None and address is None and stand_in is not None and target.is_active:
            for result in sending.handed_over(owed, messages, target, stand_in, now):
                self._note(result)
            return
        if messages is None or address is None:
            await self._give_back([owed])
            return
        if owed.batch is not None:
            await self._deliver_batch(owed, messages, target, address, is_for_health=is_for_health)
            return
        message = messages[owed.event_id]
        reason = sending.refusal(target, message, address, now)
        if reason is not None:
            self._note(Refused(owed=owed, reason=reason, ended_at=now))
            return
        is_final = sending.is_final(owed, target, address)
        answer = await sending.attempt(
            self._transport,
            message,
            target,
            address,
            owed=owed,
            may_go=lambda: self._may_go(owed),
            now=now,
        )
        self._note(
            Tried(
                owed=owed,
                policy=target.policy,
                url=address.url,
                started_at=now,
                ended_at=self._clock(),
                answer=answer,
                is_for_health=is_for_health,
                has_second=target.fallback is not None and not is_final,
                stand_in=stand_in.subscription_id if stand_in and not is_final else None,
            )
        )

    async def _deliver_batch(
        self,
        owed: Owed,
        messages: Mapping[UUID, Message],
        target: Target,
        address: Address,
        *,
        is_for_health: bool,
    ) -> None:
        results = await batch_sending.attempt(
            self._transport,
            owed,
            messages,
            target,
            address,
            is_for_health=is_for_health,
            stand_in=self._stand_in(target),
            may_go=lambda: self._may_go(owed),
            clock=self._clock,
        )
        for result in results:
            self._note(result)

    def _may_go(self, owed: Owed) -> bool:
        """Tell whether a request may go out this moment: connecting may have taken seconds."""
        target = self._target(owed.subscription_id)
        return self._may_send and target is not None and target.is_entitled and target.is_active

    def _target(self, subscription_id: UUID) -> Target | None:
        return self._knowledge.targets.get(subscription_id) if self._knowledge else None

    def _stand_in(self, target: Target) -> Target | None:
        return self._knowledge.stand_in(target) if self._knowledge else None

    def _circuit(self, subscription_id: UUID) -> breaker.State | None:
        return self._knowledge.circuits.get(subscription_id) if self._knowledge else None

    # Settling

    def _note(self, result: Result) -> None:
        window = self._windows.get(result.owed.subscription_id)
        self._results.add(result, is_urgent=window is not None and window.is_strict)

    def _after(self, written: Sequence[Result], *, is_knowledge_old: bool) -> None:
        """Let the next go where it had to wait for these: of a key, or of few at once."""
        if is_knowledge_old:
            self._must_refresh = True
        for result in written:
            target = self._target(result.owed.subscription_id)
            window = self._windows.get(result.owed.subscription_id)
            if window is not None and target is not None:
                window.is_hot |= target.is_ordered or window.is_strict

    # Stopping

    def _release_what_must_wait(self, knowledge: Knowledge) -> None:
        """Give back what waits for a subscription that was paused, or whose circuit opened."""
        for pk, window in self._windows.items():
            target, rest = knowledge.targets.get(pk), list[Owed]()
            if target is None or not target.is_active:
                rest = window.empty()
            elif knowledge.must_wait(target):
                rest = window.shed()
            if rest:
                self._loop.create_task(self._give_back(rest))

    async def _give_back(self, owed: Collection[Owed]) -> None:
        with contextlib.suppress(DatabaseFault):  # their lease runs out by itself
            await self._database.run(claiming.release, list(owed))

    async def _finish(self, *, patience: float) -> None:
        """Let what is out arrive for so long, break off the rest, and give back what waits."""
        self._is_stopping = True
        try:
            held = [one for window in self._windows.values() for one in window.empty()]
            await self._give_back(held)
            if self._lanes and patience:
                await asyncio.wait(self._lanes, timeout=patience)
            for lane in list(self._lanes):
                lane.cancel()
            if self._lanes:
                await asyncio.wait(self._lanes)
            await self._results.finish()
            await self._transport.close()
        finally:
            self._is_stopping = False
