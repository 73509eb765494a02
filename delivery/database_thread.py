"""A thread that asks the database for a loop, one question at a time, on one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import Error as DatabaseFault
from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThread:
    """Runs what would block the loop; Django gives the thread a connection of its own."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work` there and return its result; raises what it raises.

        A connection that broke is given up, so that the next call makes a new one.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, partial(_on_live_connection, partial(work, *args, **kwargs))
        )

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._executor.submit(_disconnect).result()
        self._executor.shutdown()


def _on_live_connection(work: Callable[[], R]) -> R:
    try:
        return work()
    except DatabaseFault:
        connection.close_if_unusable_or_obsolete()
        raise


def _disconnect() -> None:
    connection.close()  # looked up here: each thread has its own
