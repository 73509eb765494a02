"""Change passwords; the ledger says that it happened, never to what."""

from __future__ import annotations

from datetime import datetime

from catalog.models import User
from governance.actions import Action
from governance.governed import governed, record


def change(user: User, *, password: str, now: datetime) -> None:
    """Give a person the new password that they chose and have had validated."""
    with governed(by=user, now=now):
        user.set_password(password)
        user.save(update_fields=["password"])
        record(Action.USER_CHANGE, user, after={"password": "changed"})
