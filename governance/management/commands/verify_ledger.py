"""`manage.py verify_ledger`: walk the whole chain and name the first bad entry."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from governance import ledger, verification


class Command(BaseCommand):
    """Exits with 1 and the number of the first bad entry when anything was tampered with."""

    help = "Verify every entry of the ledger and every snapshot that it names."

    def handle(self, *args: object, **options: object) -> None:
        fault = verification.verify()
        if fault is not None:
            raise CommandError(f"Entry #{fault.number}: {fault.what}", returncode=1)
        self.stdout.write(f"The ledger holds: {ledger.version()} entries, each as it was written.")
