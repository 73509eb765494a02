"""Looking at how the deliveries of a test ended."""

from __future__ import annotations

from delivery.models import Delivery


def statuses() -> dict[str, int]:
    """Return how many deliveries there are of each status."""
    found: dict[str, int] = {}
    for status in Delivery.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found
