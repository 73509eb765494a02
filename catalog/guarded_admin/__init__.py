"""What every page of the Django admin here is made of: it asks `access`, it acts by verbs.

A `GuardedAdmin` (`classes.py`) shows what its viewer may see and writes by nothing but a verb:
`write` for its form, a `Deed` (`deeds.py`) for what is done to rows that are already there. Without
either it is read-only. `big_tables.py` is for what grows with traffic, `snapshots.py` for history;
`guarded` there registers a class. Nothing is ever deleted. Changes are in the ledger, so Django's
own log of changes stays empty.
"""

from catalog.guarded_admin.big_tables import (
    BigTableAdmin,
    BoundedPaginator,
    LogAdmin,
    RecentFilter,
)
from catalog.guarded_admin.classes import GuardedAdmin, GuardedInline, only
from catalog.guarded_admin.deeds import Deed, ReasonForm, in_state
from catalog.guarded_admin.links import Text, change_url, pretty, to_list
from catalog.guarded_admin.snapshots import SnapshotAdmin, guarded

__all__ = [
    "BigTableAdmin",
    "BoundedPaginator",
    "Deed",
    "GuardedAdmin",
    "GuardedInline",
    "LogAdmin",
    "ReasonForm",
    "RecentFilter",
    "SnapshotAdmin",
    "Text",
    "change_url",
    "guarded",
    "in_state",
    "only",
    "pretty",
    "to_list",
]
