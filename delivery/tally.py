"""Counts what filters leave out, per subscription and minute: such events make no delivery row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import orjson

UPSERT = """
INSERT INTO delivery_filteredcount (subscription_id, minute, count)
SELECT subscription_id, minute, count FROM json_to_recordset(%(counts)s) AS counted(
    subscription_id uuid, minute timestamptz, count integer)
ORDER BY subscription_id, minute
ON CONFLICT (subscription_id, minute)
DO UPDATE SET count = delivery_filteredcount.count + EXCLUDED.count
"""


class Tally:
    """Counts that wait to be written; losing them with the process loses no event."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[UUID, datetime]] = Counter()

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, subscription_ids: Iterable[UUID], at: datetime) -> None:
        """Count one event for each of the subscriptions."""
        minute = at.replace(second=0, microsecond=0)
        for subscription_id in subscription_ids:
            self._counts[subscription_id, minute] += 1

    def take(self) -> dict[str, str]:
        """Return what `UPSERT` takes, and start again from nothing."""
        rows = [
            {"subscription_id": subscription_id, "minute": minute, "count": count}
            for (subscription_id, minute), count in self._counts.items()
        ]
        self._counts.clear()
        return {"counts": orjson.dumps(rows).decode()}
