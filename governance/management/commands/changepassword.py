from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.utils import timezone

from governance.governed import governed


class Command(changepassword.Command):
    """Set a person's password from the command line; the ledger says so."""

    def handle(self, *args: Any, **options: Any) -> str:
        with governed(by=None, now=timezone.now(), reason="Set from the command line."):
            return str(super().handle(*args, **options))
