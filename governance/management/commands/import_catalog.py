"""`manage.py import_catalog`: bring files in, by the same verbs and reviews as every other door."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog import files
from catalog.files import Unreadable
from catalog.models import User
from governance import imports


class Command(BaseCommand):
    """Acts as a person: what they may not do is not done."""

    help = "Bring a folder or archive of files into the catalog, as one person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what comes in, by whom and why."""
        parser.add_argument("source", type=Path)
        parser.add_argument("--by", required=True, help="user name of who brings it in")
        parser.add_argument("--reason", default="", help="stands on every change request")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")

    def handle(self, *args: Any, source: Path, by: str, reason: str, **options: Any) -> None:
        """Say what changes, and do it."""
        person = User.objects.filter(username=by, is_active=True).first()
        if person is None:
            raise CommandError(f"There is no active user {by}.")
        if not options["dry_run"] and not reason.strip():
            raise CommandError("Say why with --reason.")
        now = timezone.now()
        try:
            held = (
                files.read_folder(source) if source.is_dir() else files.unpack(source.read_bytes())
            )
            wanted = files.read(held)
            if options["dry_run"]:
                steps = imports.plan(wanted, by=person, now=now)
                changes = []
            else:
                done = imports.carry_out(wanted, reason=reason, by=person, now=now)
                steps, changes = list(done.taken), list(done.changes)
        except (Unreadable, OSError, PermissionDenied) as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        for step in steps:
            left = "" if step.is_taken else " (left)"
            self.stdout.write(f"{step.subject}: {step.sentence}{left}")
        for change in changes:
            self.stdout.write(f"{change} waits for its review.")
        self.stdout.write("Nothing is left to do." if not steps else f"{len(steps)} steps.")
