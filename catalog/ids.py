"""Time-ordered identifiers (RFC 9562, UUID version 7), and random ones.

They name things and protect nothing: what must not be guessed comes from `secrets`. So the random
bits are a generator's that the system seeded once; asking the system each time cost as much as all
the rest of an identifier (measured).
"""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from random import Random
from uuid import UUID

_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << 62)
_lock = threading.Lock()
_last = 0
_random = Random()  # noqa: S311 - see above
os.register_at_fork(after_in_child=_random.seed)  # else siblings would make the same ones


def uuid7() -> UUID:
    """Make an identifier that sorts after every earlier one of this process.

    48 bits of Unix milliseconds, 12 bits of the millisecond's fraction (RFC 9562, section 6.2,
    method 3), 62 random bits. A clock that stands still or jumps back goes on from the last value.
    """
    global _last  # noqa: PLW0603 - one sequence a process is the point
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    stamp = (milliseconds << 12) | (rest * 4096 // 1_000_000)
    with _lock:
        stamp = max(stamp, _last + 1)
        _last = stamp
    value = (stamp >> 12 << 80) | _VERSION_AND_VARIANT | ((stamp & 0xFFF) << 64)
    return UUID(int=value | _random.getrandbits(62))


def random_hex(digits: int) -> str:
    """Return so many random hexadecimal digits."""
    return f"{_random.getrandbits(4 * digits):0{digits}x}"


def first_of(instant: datetime) -> UUID:
    """Return the smallest identifier of the instant's millisecond: a bound for ranges by time.

    Before 1970 there is none; the first of all stands for those instants.
    """
    milliseconds = max(0, int(instant.timestamp() * 1000))
    return UUID(int=(milliseconds << 80) | _VERSION_AND_VARIANT)


def instant_of(identifier: UUID) -> datetime:
    """Return when an identifier was made (UTC, to the millisecond)."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)
