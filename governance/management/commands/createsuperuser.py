from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.utils import timezone

from catalog.models import User
from governance import people, roles
from governance.governed import governed


class Command(createsuperuser.Command):
    """Make an installation's first admin, who makes all others; the ledger says so."""

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        known = set(User.objects.values_list("pk", flat=True))
        with governed(by=None, now=now, reason="Made from the command line."):
            super().handle(*args, **options)
            for made in User.objects.exclude(pk__in=known):
                people.give_role(made, roles.ADMIN, by=made, now=now)
