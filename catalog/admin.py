"""The catalog in the Django admin: its forms call the verbs of `governance`."""

from __future__ import annotations

from catalog import (
    admin_applications,
    admin_event_types,
    admin_house_rules,
    admin_teams,
    admin_topics,
)

__all__ = [
    "admin_applications",
    "admin_event_types",
    "admin_house_rules",
    "admin_teams",
    "admin_topics",
]
