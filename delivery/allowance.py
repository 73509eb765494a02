"""How much one key may publish: a token bucket each, in this process."""

from __future__ import annotations

from uuid import UUID

BURST_SECONDS = 2.0  # of the rate, at once
MAX_BUCKETS = 10_000


class Allowance:
    """Buckets that fill at `per_second`; an unused one is full."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._capacity = per_second * BURST_SECONDS
        self._buckets: dict[UUID, tuple[float, float]] = {}

    def take(self, key_id: UUID, count: int, at: float) -> float:
        """Take `count` tokens at `at` (monotonic seconds) and return 0, or take none and return
        the seconds until there are enough.

        A count over the whole capacity passes when the bucket is full: it empties it.
        """
        tokens, since = self._buckets.get(key_id, (self._capacity, at))
        tokens = min(self._capacity, tokens + (at - since) * self._per_second)
        wanted = min(float(count), self._capacity)
        if tokens < wanted:
            self._buckets[key_id] = (tokens, at)
            return (wanted - tokens) / self._per_second
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets.clear()
        self._buckets[key_id] = (tokens - wanted, at)
        return 0.0
