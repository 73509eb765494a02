"""`manage.py export_catalog`: the whole catalog as files, for git."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from catalog import files
from catalog.models import Application, EventType, Topic


class Command(BaseCommand):
    """Writes everything: whoever runs commands here may see it all."""

    help = "Write the catalog into a folder (one file a thing), or into an archive named *.zip."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare where the files go."""
        parser.add_argument("target", type=Path)

    def handle(self, *args: Any, target: Path, **options: Any) -> None:
        """Write the files."""
        made = files.write(
            event_types=EventType.objects.all(),
            topics=Topic.objects.all(),
            applications=Application.objects.all(),
        )
        if target.suffix == ".zip":
            target.write_bytes(files.pack(made))
        else:
            files.write_folder(target, made)
        self.stdout.write(f"{len(made)} files are in {target}.")
