"""Delivery in the Django admin: what fails and why, and the same actions as in the portal."""

from __future__ import annotations

from delivery import (
    admin_adapters,
    admin_counts,
    admin_failures,
    admin_routing,
    admin_runbooks,
    admin_subscriptions,
    admin_traffic,
    admin_translations,
)

__all__ = [
    "admin_adapters",
    "admin_counts",
    "admin_failures",
    "admin_routing",
    "admin_runbooks",
    "admin_subscriptions",
    "admin_traffic",
    "admin_translations",
]
