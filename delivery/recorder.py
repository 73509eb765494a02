"""Group commit: what arrives while one transaction runs shares the next one.

There is no timer. The first unit starts a drain; while it writes, others collect by themselves, and
are answered together after their own commit. There is one drain: a second would halve the batches,
and a commit costs as much as ten events (measured).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from delivery import recording, signals
from delivery.edge import Kind, Refused
from delivery.intake import Intake, Unavailable, Unit, Waiting
from delivery.recording import Outcome, Prepared, SeenRow
from delivery.tally import UPSERT, Tally

COMMIT_SECONDS = 10.0
# Before each commit the loop hands out the last one's answers and reads what came meanwhile: half
# as many commits as without (measured), and a publisher who is alone waits some microseconds.
TURNS_BEFORE_COMMIT = 4
TALLY_SECONDS = 1.0

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Connect = Callable[[], Awaitable[Connection]]

logger = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class _Written:
    """What one transaction did."""

    refused: set[UUID] = field(default_factory=set)
    seen: dict[bytes, SeenRow] = field(default_factory=dict)
    causes: recording.Causes = field(default_factory=dict)

    def outcomes(self, unit: Unit) -> list[Outcome]:
        return recording.outcomes(
            unit.events, refused=self.refused, seen=self.seen, causes=self.causes
        )


class _Broken(Exception):
    """Atomic units of this transaction meet other content: roll back and go on without them.

    `answers` are those that the roll-back does not change, by the unit's place.
    """

    def __init__(self, answers: dict[int, list[Outcome]]) -> None:
        super().__init__()
        self.answers = answers


async def connect(**params: Any) -> Connection:
    """Connect as a recorder wants it: it prepares the statements that say so, and no other."""
    return await psycopg.AsyncConnection.connect(
        **{**params, "prepare_threshold": sys.maxsize}, autocommit=True
    )


class _Link:
    """A connection that is made when it is needed, and again after it was lost."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._connection: Connection | None = None

    async def connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await self._connect()
        return self._connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, OSError):
                await connection.close()


class Recorder:
    """Stores the events of one process; made and used on one event loop."""

    def __init__(self, connect: Connect) -> None:
        self._link = _Link(connect)
        self._drain: asyncio.Task[None] | None = None
        self._intake = Intake()
        self._tally = Tally()
        self._tally_link = _Link(connect)
        self._tally_timer: asyncio.TimerHandle | None = None

    async def record(self, unit: Unit) -> list[Outcome]:
        """Store the unit's events; return what became of each, in order, after the commit.

        Raises `Unavailable` when too much waits or the database does not take them. A caller who
        gives up takes nothing from the others: the commit goes on.
        """
        answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._intake.add(Waiting(unit=unit, answer=answer))
        if self._drain is None:
            self._drain = asyncio.create_task(self._store_what_waits())
        return await answer

    async def close(self) -> None:
        """Write what waits, then close the connections."""
        if self._drain is not None:
            await asyncio.wait([self._drain], timeout=COMMIT_SECONDS)
        if self._tally_timer is not None:
            self._tally_timer.cancel()
        await self._write_tally()
        for link in (self._link, self._tally_link):
            await link.close()

    async def _store_what_waits(self) -> None:
        try:
            while self._intake:
                for _ in range(TURNS_BEFORE_COMMIT):
                    if self._intake.fills_a_commit:
                        break
                    await asyncio.sleep(0)
                await self._store(self._intake.take())
        finally:
            self._drain = None

    async def _store(self, taken: list[Waiting]) -> None:
        try:
            await self._write(taken)
        except Exception as error:
            if _is_lost_connection(error):
                await self._store_again(taken)
            elif len(taken) == 1:
                logger.exception("An event could not be stored", exc_info=error)
                taken[0].fail(Unavailable("The event could not be stored."))
            else:
                # One of them cannot be stored: its neighbours must not pay for it.
                for one in taken:
                    await self._store([one])

    async def _store_again(self, taken: list[Waiting]) -> None:
        """Try once on a new connection; what the lost one did commit is found by its identity."""
        await self._link.close()
        try:
            await self._write(taken)
        except Exception as error:  # noqa: BLE001 - whatever it is, every client gets an answer
            logger.warning("Events could not be stored: %s", type(error).__name__)
            await self._link.close()
            for one in taken:
                one.fail(Unavailable("The database does not answer."))

    async def _write(self, taken: list[Waiting]) -> None:
        answers: dict[int, list[Outcome]] = {}
        standing = taken
        written = _Written()
        while standing:
            try:
                async with asyncio.timeout(COMMIT_SECONDS):
                    written = await _commit(self._link, [one.unit for one in standing])
                break
            except _Broken as broken:
                answers.update(
                    (id(standing[place]), outcomes) for place, outcomes in broken.answers.items()
                )
                standing = [one for one in standing if id(one) not in answers]
        for one in taken:
            one.resolve(answers.get(id(one)) or written.outcomes(one.unit))
        events = [event for one in standing for event in one.unit.events]
        woken = recording.woken(events, written.refused, written.causes)
        if woken:
            signals.work_waits.send_robust(None, subscription_ids=woken)
        self._count_filtered(events, written.refused)

    def _count_filtered(self, events: Sequence[Prepared], refused: set[UUID]) -> None:
        for event in events:
            if event.route.filtered and event.id not in refused:
                self._tally.add(event.route.filtered, event.received_at)
        if self._tally and self._tally_timer is None:
            loop = asyncio.get_running_loop()
            self._tally_timer = loop.call_later(
                TALLY_SECONDS, lambda: asyncio.ensure_future(self._write_tally())
            )

    async def _write_tally(self) -> None:
        self._tally_timer = None
        if not self._tally:
            return
        with contextlib.suppress(psycopg.Error, OSError):
            connection = await self._tally_link.connected()
            await connection.execute(UPSERT, self._tally.take())


async def _commit(link: _Link, units: Sequence[Unit]) -> _Written:
    connection = await link.connected()
    events = [event for unit in units for event in unit.events]
    is_taken_back = any(unit.is_atomic and len(unit.events) > 1 for unit in units)
    if not is_taken_back and not any(event.route.rulings for event in events):
        # Nothing can have to be taken back, so the statement is its own transaction.
        return await _execute(connection, events)
    async with connection.transaction():
        written = await _execute(connection, events)
        broken = {}
        for place, unit in enumerate(units):
            found = written.outcomes(unit)
            if unit.is_atomic and any(isinstance(one, Refused) for one in found):
                broken[place] = found
        if broken:
            raise _Broken(_final(broken, units, written))
        return written


def _final(
    broken: Mapping[int, list[Outcome]], units: Sequence[Unit], written: _Written
) -> dict[int, list[Outcome]]:
    """Return the answers of broken units that stand when all broken ones are taken back.

    A unit that only met the content of another broken one is to be tried again without that. The
    first of them all never is such: nobody's content stood before its own.
    """
    places = {event.id: place for place, unit in enumerate(units) for event in unit.events}
    final = {}
    for place, found in broken.items():
        met = {
            places.get(written.seen[event.digest][1], place)
            for event, outcome in zip(units[place].events, found, strict=True)
            if isinstance(outcome, Refused)
        }
        if place in met or not met <= broken.keys():
            final[place] = found
    return final


async def _execute(connection: Connection, events: Sequence[Prepared]) -> _Written:
    written = _Written()
    if named := recording.causes_to_ask(events):
        cursor = await connection.execute(recording.CAUSES, named)
        written.causes = recording.causes_of(await cursor.fetchall())
    # Its plan depends on no table's size, and planning it cost as much as storing ten events.
    cursor = await connection.execute(
        recording.INSERT, recording.parameters(events, written.causes), prepare=True
    )
    written.refused = {row[0] for row in await cursor.fetchall()}
    decided = recording.decisions(events, written.refused)
    if decided is not None:
        await connection.execute(recording.DECISIONS, decided)
    if written.refused:
        digests = [event.digest for event in events if event.id in written.refused]
        cursor = await connection.execute(recording.SEEN, {"digests": digests})
        written.seen = {bytes(row[0]): row for row in await cursor.fetchall()}
    return written


def _is_lost_connection(error: Exception) -> bool:
    return isinstance(error, psycopg.OperationalError | OSError | TimeoutError)


def refusal(error: Unavailable) -> Refused:
    """Say it in the words of the edge."""
    return Refused(Kind.NOT_NOW, str(error))
