from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.demo import receiver


class Command(BaseCommand):
    """Play the demo's subscribers on 127.0.0.1."""

    help = "Serve the demo's healthy, slow, flaky and dead subscribers."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        receiver.run(port=options["port"])
