"""Governance in the Django admin: its forms call the verbs."""

from __future__ import annotations

from governance import (
    admin_access,
    admin_changes,
    admin_keys,
    admin_ledger,
    admin_people,
)

__all__ = ["admin_access", "admin_changes", "admin_keys", "admin_ledger", "admin_people"]
