"""`manage.py load_history`: a million deliveries behind what is there, to see how pages fare."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.words import Environment
from config.demo import volume


class Command(BaseCommand):
    """Lay past traffic for measuring."""

    help = (
        "Write past events, deliveries, attempts and dead letters for the subscriptions that there "
        "are, and count them for the dashboards. Never do this to an installation that is in use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare how much, over how long, and where."""
        parser.add_argument("--deliveries", type=int, default=1_000_000)
        parser.add_argument("--days", type=int, default=7, help="spread over so many past days")
        parser.add_argument(
            "--environment", choices=Environment.values, default=Environment.PRODUCTION.value
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say how much and how fast."""
        if options["deliveries"] < 1 or not 1 <= options["days"] <= 60:
            raise CommandError("Give at least one delivery, and 1 to 60 days.")
        started = time.monotonic()
        try:
            written = volume.load(
                options["deliveries"],
                now=timezone.now(),
                span=timedelta(days=options["days"]),
                environment=options["environment"],
            )
        except volume.NothingToLoad as error:
            raise CommandError(str(error)) from error
        took = time.monotonic() - started
        self.stdout.write(f"{written:,} deliveries in {took:.0f} s.")
