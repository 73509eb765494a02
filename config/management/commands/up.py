"""`manage.py up`: the whole portal by one command."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import running

PLACES = {
    "citizen": "citizen developer",
    "reviewer": "reviewer",
    "admin": "admin",
    "support": "support",
}


class Command(BaseCommand):
    """Run the portal until Ctrl-C."""

    help = (
        "Start everything that this copy needs (database, broker, web, workers, beat and, when the "
        "database is empty, the demo shop), and stop it all cleanly on Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the flags; `--data-dir` is read by `config.entry` before the settings are."""
        parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
        parser.add_argument("--no-demo", action="store_true", help="start empty")
        parser.add_argument("--data-dir", help="where the database, broker, secrets and logs go")
        parser.add_argument("--json", action="store_true", help="print one JSON line when ready")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        as_json = options["json"]

        def announce(portal: running.Portal) -> None:
            self.stdout.write(_as_json(portal) if as_json else _as_text(portal))
            self.stdout.flush()

        try:
            running.run(
                port=options["port"],
                wants_demo=not options["no_demo"],
                announce=announce,
                say=_say,
            )
        except running.CannotRun as error:
            raise CommandError(str(error)) from error


def _as_json(portal: running.Portal) -> str:
    return json.dumps({"url": portal.url, "users": portal.users, "keys": portal.keys})


def _as_text(portal: running.Portal) -> str:
    lines = ["", f"Signalbox runs at {portal.url}", ""]
    if portal.users:
        lines.append("Sign in as")
        for role, login in portal.users.items():
            name = PLACES.get(role, role)
            lines.append(f"  {name:<18} {login['username']:<10} {login['password']}")
        lines.append("")
    if portal.publish_command:
        lines += ["Publish an event:", "", portal.publish_command, ""]
    if not portal.users:
        lines += ["Make the first person: python3 manage.py createsuperuser", ""]
    lines.append(f"Logs are in {portal.logs}. Ctrl-C stops everything.")
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
